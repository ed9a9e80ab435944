import pytest
import sentencepiece

from keras_attention.text import SentencePieceTokenizer, TextNormalizer

CORPUS = ["low lower lowest", "new newer newest", "low low new"]


def test_bpe_merges_by_frequency():
    # "▁" + l, o, w, n, e, r, s, t are 9 characters; then pairs, most frequent first: "▁low" must be among the merges.
    tokenizer = SentencePieceTokenizer.train(CORPUS, 24)
    assert tokenizer.pieces("low")[0] == "▁low"
    assert tokenizer.vocabulary_size == 24


def test_graph_ids_are_those_of_the_sentencepiece_package():
    tokenizer = SentencePieceTokenizer.train(CORPUS, 20, normalizer=TextNormalizer(None))
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer._model)
    texts = ["lowest new", "slow wren", "xyz", "new lowx"]
    assert tokenizer.tokenize(texts).to_list() == processor.encode(texts)


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_training_twice_gives_the_same_model(model_type):
    models = [SentencePieceTokenizer.train(CORPUS, 15, model_type=model_type, seed=7)._model for _ in range(2)]
    assert models[0] == models[1]


def test_byte_fallback_knows_every_text():
    tokenizer = SentencePieceTokenizer.train(CORPUS, 290, byte_fallback=True)
    ids = tokenizer.tokenize(["猫😀"])
    assert 1 not in ids.values.numpy().tolist()
    assert tokenizer.detokenize(ids).numpy()[0].decode("utf-8") == "猫😀"


def test_character_coverage_leaves_rare_characters_out():
    corpus = ["a b a b a b a b a b " * 20, "z"]
    assert SentencePieceTokenizer.train(corpus, 8).piece_to_id("z") != 1
    assert SentencePieceTokenizer.train(corpus, 8, character_coverage=0.98).piece_to_id("z") == 1


def test_a_line_longer_than_the_trainers_default_is_not_left_out():
    tokenizer = SentencePieceTokenizer.train(["q " * 5000, "a"], 7)
    assert tokenizer.piece_to_id("q") != 1


def test_a_nul_character_does_not_hide_the_rest_of_a_sentence():
    assert SentencePieceTokenizer.train(["a\0b", "c"], 9).piece_to_id("b") != 1


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_vocabulary_larger_than_the_corpus_can_give(model_type):
    with pytest.raises(ValueError, match=r"corpus can give: at most (\d+) pieces. Received: vocabulary_size=5000") as e:
        SentencePieceTokenizer.train(CORPUS, 5000, model_type=model_type)
    most = int(str(e.value).split("at most ")[1].split()[0])
    assert SentencePieceTokenizer.train(CORPUS, most, model_type=model_type).vocabulary_size == most


def test_errors():
    with pytest.raises(ValueError, match=r"at least 13 pieces.*Received: vocabulary_size=6"):
        SentencePieceTokenizer.train(CORPUS, 6)
    with pytest.raises(ValueError, match="model_type='wordpiece'"):
        SentencePieceTokenizer.train(CORPUS, 20, model_type="wordpiece")
    with pytest.raises(ValueError, match="vocabulary_size=4"):
        SentencePieceTokenizer.train(CORPUS, 4)
    with pytest.raises(ValueError, match="character_coverage=0"):
        SentencePieceTokenizer.train(CORPUS, 20, character_coverage=0)
    for nothing in ([], ["", "  "]):
        with pytest.raises(ValueError, match="some text"):
            SentencePieceTokenizer.train(nothing, 20)
    with pytest.raises(ValueError, match="serialised SentencePiece model"):
        SentencePieceTokenizer(b"no model")
    with pytest.raises(ValueError, match="Received: str"):
        SentencePieceTokenizer("path")


def test_a_model_with_other_special_ids_is_refused(tmp_path):
    prefix = str(tmp_path / "other")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_prefix=prefix, vocab_size=20, model_type="bpe", minloglevel=2
    )
    with pytest.raises(ValueError, match=r"Received: \(-1, 0, 1, 2\)"):
        SentencePieceTokenizer((tmp_path / "other.model").read_bytes())

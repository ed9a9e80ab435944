"""What every tokenizer must do, whichever its class."""

import json

import pytest
import tensorflow as tf

from keras_attention.text import SentencePieceTokenizer, TextNormalizer, Tokenizer, WordTokenizer, load_tokenizer

CORPUS = ["the cat sat on the mat.", "a dog, a cat", "l'été (chaud)", "le chat est assis !", "Don't go"]
HARD = ["the cat", "", "   ", "😀😀 cat", b"cat \xff\xfe mat", "</s> <pad> cat", "cat " * 3000, "l'été,  le\tchat"]


def make(kind, **normalizer):
    normalizer = TextNormalizer(**normalizer)
    if kind == "word":
        return WordTokenizer.train(CORPUS, normalizer=normalizer)
    options = {"bpe": {}, "unigram": {"model_type": "unigram"}, "bytes": {"byte_fallback": True}}[kind]
    return SentencePieceTokenizer.train(
        CORPUS, {"bytes": 300, "bpe": 40, "unigram": 30}[kind], normalizer=normalizer, **options
    )


@pytest.fixture(scope="module", params=["bpe", "unigram", "bytes", "word"])
def tokenizer(request):
    return make(request.param)


def test_same_ids_called_directly_mapped_unbatched_and_mapped_batched(tokenizer):
    dataset = tf.data.Dataset.from_tensor_slices(HARD)
    direct = tokenizer.tokenize(HARD).to_list()
    one_by_one = [tokenizer.tokenize(text).numpy().tolist() for text in HARD]
    unbatched = [ids.numpy().tolist() for ids in dataset.map(tokenizer.tokenize)]
    batched = [row for batch in dataset.batch(3).map(tokenizer.tokenize) for row in batch.to_list()]
    assert direct == one_by_one == unbatched == batched
    assert tokenizer.tokenize(HARD).dtype == tf.int32


def test_ids_and_specials(tokenizer):
    assert (tokenizer.pad_id, tokenizer.unknown_id, tokenizer.start_id, tokenizer.end_id) == (0, 1, 2, 3)
    ids = tokenizer.tokenize(HARD).values.numpy()
    # A text that spells a special token must not become one: it would end the sentence, or vanish as padding.
    assert set(ids.tolist()).isdisjoint({0, 2, 3})
    assert ids.max() < tokenizer.vocabulary_size


def test_empty_texts_and_no_texts(tokenizer):
    assert tokenizer.tokenize(["", " \u3000 "]).to_list() == [[], []]
    assert tokenizer.tokenize("").shape == (0,)
    assert tokenizer.tokenize([]).to_list() == []
    assert tokenizer.detokenize(tf.zeros((0, 3), tf.int32)).shape == (0,)
    assert tokenizer.detokenize(tf.zeros((2, 0), tf.int32)).numpy().tolist() == [b"", b""]


def test_known_text_comes_back(tokenizer):
    back = tokenizer.detokenize(tokenizer.tokenize(CORPUS)).numpy().tolist()
    assert [raw.decode("utf-8") for raw in back] == CORPUS


def test_detokenize_ends_before_the_end_symbol_and_drops_padding_and_start(tokenizer):
    ids = tokenizer.tokenize("the cat").numpy().tolist()
    dense = [[2, *ids, 3, *ids], [2, *ids, 0, 0] + [0] * (len(ids) - 1), [3, *ids, 3] + [0] * len(ids)]
    assert tokenizer.detokenize(dense).numpy().tolist() == [b"the cat", b"the cat", b""]
    assert tokenizer.detokenize(tf.ragged.constant(dense, tf.int32)).numpy().tolist() == [b"the cat", b"the cat", b""]
    assert tokenizer.detokenize(dense[0]).numpy() == b"the cat"
    assert tokenizer.detokenize(tf.constant(dense, tf.int64)).numpy().tolist()[0] == b"the cat"


def test_pieces_stand_one_for_each_id_and_join(tokenizer):
    for text in ["the cat", "", "😀😀 cat", "l'été (chaud)", "le 猫 cat"]:
        pieces, ids = tokenizer.pieces(text), tokenizer.tokenize(text).numpy().tolist()
        assert len(pieces) == len(ids)
        assert [tokenizer.piece_to_id(piece) for piece in pieces] == ids
        assert all(tokenizer.id_to_piece(i) == piece for i, piece in zip(ids, pieces) if i != tokenizer.unknown_id)
        assert tokenizer.join_pieces(pieces) == text


@pytest.mark.parametrize("kind", ["bpe", "word"])
def test_save_and_load_with_options(kind, tmp_path):
    tokenizer = make(kind, unicode_form="NFC", lowercase=True)
    tokenizer.save(tmp_path / "deep" / "folder")
    for loaded in (load_tokenizer(tmp_path / "deep" / "folder"), type(tokenizer).load(tmp_path / "deep" / "folder")):
        assert type(loaded) is type(tokenizer)
        assert loaded.normalizer.get_config() == {"unicode_form": "NFC", "lowercase": True}
        assert loaded.tokenize([*HARD, "THE Cat"]).to_list() == tokenizer.tokenize([*HARD, "the cat"]).to_list()


@pytest.mark.parametrize("kind", ["bpe", "word"])
def test_a_saved_model_takes_the_tokenizer_along(kind, tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer = make(kind, lowercase=True)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def round_trip(texts):
        ids = tokenizer.tokenize(texts)
        return ids.to_tensor(), tokenizer.detokenize(ids)

    module.round_trip = round_trip
    tf.saved_model.save(module, tmp_path / "model")
    ids, texts = tf.saved_model.load(tmp_path / "model").round_trip(tf.constant(HARD))
    assert ids.numpy().tolist() == tokenizer.tokenize(HARD).to_tensor().numpy().tolist()
    assert texts.numpy().tolist() == tokenizer.detokenize(tokenizer.tokenize(HARD)).numpy().tolist()


def test_errors(tokenizer, tmp_path):
    with pytest.raises(ValueError, match=r"texts.shape=\(1, 1\)"):
        tokenizer.tokenize([["a"]])
    with pytest.raises(ValueError, match=r"ids.shape=\(\)"):
        tokenizer.detokenize(3)
    with pytest.raises(ValueError, match="index=-1"):
        tokenizer.id_to_piece(-1)
    with pytest.raises(ValueError, match=f"index={tokenizer.vocabulary_size}"):
        tokenizer.id_to_piece(tokenizer.vocabulary_size)
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("[", encoding="utf-8")
    with pytest.raises(ValueError, match="expected JSON"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text(json.dumps({"class_name": "X", "normalizer": {}}), encoding="utf-8")
    with pytest.raises(ValueError, match="class_name='X'"):
        load_tokenizer(tmp_path)
    tokenizer.save(tmp_path)
    other = WordTokenizer if isinstance(tokenizer, SentencePieceTokenizer) else SentencePieceTokenizer
    with pytest.raises(ValueError, match=f"expected a {other.__name__}"):
        other.load(tmp_path)
    for path in [*tmp_path.glob("*.model"), *tmp_path.glob("*.txt")]:
        path.unlink()
    with pytest.raises(ValueError, match="does not exist"):
        Tokenizer.load(tmp_path)
    with pytest.raises(ValueError, match="normalizer='NFKC'"):
        Tokenizer(normalizer="NFKC")

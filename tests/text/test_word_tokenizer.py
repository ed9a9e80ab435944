import pytest

from keras_attention.text import TextNormalizer, Vocabulary, WordTokenizer


@pytest.mark.parametrize(
    "text, words",
    [
        ("the dog.", "the dog ￭."),
        ("l'été (chaud).", "l ￭'￭ été (￭ chaud ￭)￭ ￭."),
        ("Oui , non", "Oui , non"),
        ("3.5 % et 10€", "3 ￭.￭ 5 % et 10 ￭€"),
        ("...", ".￭ ￭.￭ ￭."),
        ("- a -", "- a -"),
        ("« a »?!", "« a »￭ ￭?￭ ￭!"),
        ("", ""),
    ],
)
def test_splits_and_joins(text, words):
    tokenizer = WordTokenizer.train(["x"], normalizer=TextNormalizer(None))
    assert tokenizer.pieces(text) == words.split()
    assert tokenizer.join_pieces(words.split()) == text


def test_the_joiners_own_character_in_a_text_is_replaced():
    tokenizer = WordTokenizer.train(["a ￭ b"], normalizer=TextNormalizer(None))
    assert tokenizer.detokenize(tokenizer.tokenize(["a ￭ b"])).numpy()[0].decode("utf-8") == "a ■ b"


def test_unknown_words():
    tokenizer = WordTokenizer(Vocabulary(["the", "￭."]))
    ids = tokenizer.tokenize(["the wug."])
    assert ids.to_list() == [[4, 1, 5]]
    assert tokenizer.detokenize(ids).numpy().tolist() == [b"the <unk>."]
    assert tokenizer.join_pieces(tokenizer.pieces("the wug.")) == "the wug."


def test_vocabulary_by_size_and_count():
    texts = ["a a a b b c"]
    assert WordTokenizer.train(texts, 6).vocabulary.tokens[4:] == ("a", "b")
    assert WordTokenizer.train(texts, minimum_count=2).vocabulary.tokens[4:] == ("a", "b")
    assert WordTokenizer.train(texts).vocabulary_size == 7


def test_errors():
    with pytest.raises(ValueError, match=r"at most 7 with the special tokens. Received: size=8"):
        WordTokenizer.train(["a b c"], 8)
    with pytest.raises(ValueError, match="some text"):
        WordTokenizer.train([" "])
    with pytest.raises(ValueError, match="Received: list"):
        WordTokenizer(["a"])
    with pytest.raises(ValueError, match="at least one word"):
        WordTokenizer(Vocabulary([]))


def test_further_words_get_ids_behind_those_of_the_texts():
    options = {"normalizer": TextNormalizer(lowercase=True), "minimum_count": 2}
    further = ["Dog", "cat", "don't", "", "dog", "zebra"]
    tokenizer = WordTokenizer.train(["cat cat wug."], further_words=further, **options)
    assert tokenizer.vocabulary.tokens[4:] == ("cat", "dog", "zebra")
    assert tokenizer.tokenize(["a Zebra"]).to_list() == [[1, 6]]

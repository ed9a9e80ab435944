import numpy as np
import pytest

from keras_attention.decoding import replace_unknown_words

ALIGNMENT = [
    [0.1, 0.2, 0.3, 0.4],  # the last column is the end symbol's
    [0.4, 0.4, 0.1, 0.1],
    [0.0, 0.0, 0.0, 1.0],
    [0.9, 0.1, 0.0, 0.0],
]
SOURCE = ["Anna", "sieht", "Ben"]


def replace(words, **kwargs):
    return replace_unknown_words(words, SOURCE, ALIGNMENT, **kwargs)


def test_the_source_word_with_the_greatest_weight():
    assert replace(["<unk>", "sees", "x"]) == ["Ben", "sees", "x"]


def test_of_equal_weights_the_first():
    assert replace(["a", "<unk>"]) == ["a", "Anna"]


def test_no_weight_on_any_source_word_leaves_the_unknown_word():
    assert replace(["a", "b", "<unk>"]) == ["a", "b", "<unk>"]


def test_a_dictionary_comes_before_copying():
    words = ["<unk>", "<unk>", "x", "<unk>"]
    assert replace(words, dictionary={"Anna": "Ann"}) == ["Ben", "Ann", "x", "Ann"]


def test_the_unknown_word_has_a_name():
    assert replace(["UNK", "<unk>"], unknown_word="UNK") == ["Ben", "<unk>"]


def test_no_words():
    assert replace([]) == []
    assert replace_unknown_words([], [], np.zeros((0, 0))) == []
    assert replace_unknown_words(["<unk>"], [], np.ones((1, 1))) == ["<unk>"]


def test_errors():
    with pytest.raises(ValueError, match=r"at least \(5, 3\).*shape=\(4, 4\)"):
        replace(["a"] * 5)
    with pytest.raises(ValueError, match=r"at least \(1, 3\).*shape=\(4, 2\)"):
        replace_unknown_words(["a"], SOURCE, np.array(ALIGNMENT)[:, :2])
    with pytest.raises(ValueError, match="lists of words"):
        replace_unknown_words("a b", SOURCE, ALIGNMENT)

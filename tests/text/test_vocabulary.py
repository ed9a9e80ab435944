import pytest

from keras_attention.text import Vocabulary


def test_most_frequent_first_and_ties_in_code_point_order():
    vocabulary = Vocabulary.count([["b", "a"], ["c", "b"], ["a"]])
    assert vocabulary.tokens == ("<pad>", "<unk>", "<s>", "</s>", "a", "b", "c")
    assert Vocabulary.count([["b", "a"], ["c", "b"], ["a"]], minimum_count=2).tokens[4:] == ("a", "b")
    assert Vocabulary.count([["b", "a"], ["c", "b"]], size=5).tokens[4:] == ("b",)


def test_ids_there_and_back():
    vocabulary = Vocabulary(["x", "y"])
    assert [vocabulary.token_to_id(token) for token in ("<pad>", "<unk>", "<s>", "</s>", "x", "y", "z")] == [
        0, 1, 2, 3, 4, 5, 1,
    ]  # fmt: skip
    assert [vocabulary.id_to_token(i) for i in range(len(vocabulary))] == list(vocabulary.tokens)
    assert "x" in vocabulary
    assert "z" not in vocabulary


def test_special_tokens_in_a_text_are_not_counted():
    assert Vocabulary.count([["</s>", "a"]]).tokens[4:] == ("a",)


def test_save_and_load_with_odd_line_ends_inside_words(tmp_path):
    words = ["a", "\u2028", "é", "\x85", "b\r"]
    Vocabulary(words).save(tmp_path / "v.txt")
    assert Vocabulary.load(tmp_path / "v.txt").tokens[4:] == tuple(words)


def test_errors():
    with pytest.raises(ValueError, match=r"so at most 6 with the special tokens. Received: size=7"):
        Vocabulary.count([["a", "b", "a"]], size=7)
    with pytest.raises(ValueError, match="size=4"):
        Vocabulary.count([["a"]], size=4)
    with pytest.raises(ValueError, match="'a' twice"):
        Vocabulary(["a", "a"])
    with pytest.raises(ValueError, match="'</s>' twice"):
        Vocabulary(["</s>"])
    with pytest.raises(ValueError, match="''"):
        Vocabulary([""])
    with pytest.raises(ValueError, match="index=6"):
        Vocabulary(["a", "b"]).id_to_token(6)

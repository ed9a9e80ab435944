"""Vectors from text files and arrays, in the order of a vocabulary."""

import gzip

import numpy
import pytest

from keras_attention.data.word_vectors import read_vector_words, read_word_vectors

GLOVE = "the 1 2\ncat 3 4\n. . . 5 6\nzebra x y\n"
VOCABULARY = ["", "[UNK]", "Cat", "the", "dog", ". . ."]
EXPECTED = {2: [3, 4], 3: [1, 2], 5: [5, 6]}


def check(vectors, found):
    assert vectors.dtype == "float32"
    assert found.tolist() == [row in EXPECTED for row in range(6)]
    for row, vector in EXPECTED.items():
        assert vectors[row].tolist() == vector
    assert not vectors[0].any()


def test_glove_and_word2vec_text_plain_and_gzipped(tmp_path):
    (tmp_path / "glove.txt").write_text(GLOVE)
    (tmp_path / "w2v.txt").write_text("4 2\n" + GLOVE.replace("\n", " \n"))
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress(GLOVE.encode()))
    for name in ("glove.txt", "w2v.txt", "packed.txt"):
        check(*read_word_vectors(tmp_path / name, VOCABULARY))


def test_array_with_its_words(tmp_path):
    numpy.save(tmp_path / "v.npy", numpy.array([[1, 2], [3, 4], [5, 6]], dtype="float16"))
    (tmp_path / "words.txt").write_text("the\ncat\n. . .\n")
    check(*read_word_vectors(tmp_path / "v.npy", VOCABULARY, vocabulary_path=tmp_path / "words.txt"))
    (tmp_path / "short.txt").write_text("the\ncat\n")
    with pytest.raises(ValueError, match=r"each of the 2 words .* shape=\(3, 2\)"):
        read_word_vectors(tmp_path / "v.npy", VOCABULARY, vocabulary_path=tmp_path / "short.txt")


def test_marks_of_spaces_are_no_part_of_a_word(tmp_path):
    (tmp_path / "g.txt").write_text("the 1 2\n. 3 4\n\uffed 5 6\n", encoding="utf-8")
    words = ["", "\uffed.", "\u2581The", "\uffed.\uffed", "\uffed", "\u2581"]
    vectors, found = read_word_vectors(tmp_path / "g.txt", words)
    assert vectors[1:5].tolist() == [[3, 4], [1, 2], [3, 4], [5, 6]]
    assert found.tolist() == [False, True, True, True, True, False]


def test_missing_words_are_random_like_the_found_or_zero(tmp_path):
    random = numpy.random.default_rng(0)
    table = random.normal([5.0, -5.0], [0.1, 2.0], (500, 2))
    (tmp_path / "g.txt").write_text("".join(f"w{i} {a} {b}\n" for i, (a, b) in enumerate(table)))
    words = ["", *(f"w{i}" for i in range(500)), *(f"new{i}" for i in range(500))]
    vectors, found = read_word_vectors(tmp_path / "g.txt", words, seed=1)
    assert found.sum() == 500
    numpy.testing.assert_allclose(vectors[501:].mean(axis=0), [5, -5], atol=0.3)
    numpy.testing.assert_allclose(vectors[501:].std(axis=0), [0.1, 2.0], rtol=0.15)
    numpy.testing.assert_array_equal(vectors, read_word_vectors(tmp_path / "g.txt", words, seed=1)[0])
    zeros, _ = read_word_vectors(tmp_path / "g.txt", words, missing="zeros")
    assert not zeros[501:].any()


def test_errors(tmp_path):
    path = tmp_path / "g.txt"
    path.write_text("the 1 2\ncat 3\n")
    with pytest.raises(ValueError, match=r"g\.txt, line 2: expected a word and 2 numbers"):
        read_word_vectors(path, VOCABULARY)
    path.write_text("the 1 2\ncat 3 four\n")
    with pytest.raises(ValueError, match=r"g\.txt, line 2: expected a word and 2 numbers"):
        read_word_vectors(path, VOCABULARY)
    path.write_text("the 1 2\ncat 3 nan\n")
    with pytest.raises(ValueError, match=r"g\.txt, line 2: expected finite numbers. Received: word='cat'"):
        read_word_vectors(path, VOCABULARY)
    numpy.save(tmp_path / "g.npy", numpy.array([[1, 2], [numpy.inf, 3]]))
    (tmp_path / "words.txt").write_text("the\ncat\n")
    with pytest.raises(ValueError, match=r"g\.npy, row 1: expected finite numbers"):
        read_word_vectors(tmp_path / "g.npy", VOCABULARY, vocabulary_path=tmp_path / "words.txt")
    path.write_text("zebra 1 2\n")
    with pytest.raises(ValueError, match="none of"):
        read_word_vectors(path, VOCABULARY)
    with pytest.raises(ValueError, match="does not exist"):
        read_word_vectors(tmp_path / "no.txt", VOCABULARY)
    with pytest.raises(ValueError, match="vocabulary_path goes with"):
        read_word_vectors(tmp_path / "no.npy", VOCABULARY)


def test_words_in_the_order_of_the_file(tmp_path):
    (tmp_path / "glove.txt").write_text(GLOVE)
    (tmp_path / "w2v.txt").write_text("4 2\n" + GLOVE)
    for name in ("glove.txt", "w2v.txt"):
        assert read_vector_words(tmp_path / name) == ["the", "cat", ". . .", "zebra"]
        assert read_vector_words(tmp_path / name, count=2) == ["the", "cat"]
    (tmp_path / "words.txt").write_text("one\ntwo\n")
    assert read_vector_words("any.npy", vocabulary_path=tmp_path / "words.txt", count=9) == ["one", "two"]
    with pytest.raises(ValueError, match=r"vocabulary_path goes with a \.npy"):
        read_vector_words(tmp_path / "glove.txt", vocabulary_path=tmp_path / "words.txt")

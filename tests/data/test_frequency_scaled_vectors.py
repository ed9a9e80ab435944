import numpy
import pytest

from keras_attention.data.frequency_scaled_vectors import frequency_scaled_vectors

ANSWERS = numpy.array([[1, 2, 1, 0], [1, 3, 0, 0], [1, 4, 5, 0], [2, 0, 0, 0]])


def test_lengths_are_the_inverse_document_frequencies():
    """Words 1 to 5 stand in 3, 2, 1, 1 and 1 of 4 answers; word 6 in none."""
    vectors = frequency_scaled_vectors(ANSWERS, 7, 16)
    idf = numpy.log(4 / (numpy.array([3, 2, 1, 1, 1, 0]) + 0.5))
    numpy.testing.assert_allclose(numpy.linalg.norm(vectors, axis=1), [0, *idf / idf.mean()], rtol=1e-5)


def test_pretrained_vectors_come_first_centred_and_as_long_as_the_random_part():
    pretrained = numpy.array([[9.0, 9], [1, 0], [0, 1], [0, 0], [3, 3], [0, 0], [0, 0]])
    vectors = frequency_scaled_vectors(ANSWERS, 7, 16, pretrained, seed=3)
    halves = numpy.linalg.norm(vectors[:, :2], axis=1), numpy.linalg.norm(vectors[:, 2:], axis=1)
    numpy.testing.assert_allclose(halves[0][[1, 2, 4]], halves[1][[1, 2, 4]], rtol=1e-5)
    assert not halves[0][[3, 5, 6]].any()
    centre = pretrained[[0, 1, 2, 4]].mean(axis=0)
    expected = (pretrained[1] - centre) / numpy.linalg.norm(pretrained[1] - centre)
    numpy.testing.assert_allclose(vectors[1, :2] / halves[0][1], expected, rtol=1e-5)
    assert not vectors[0].any()


def test_the_answer_that_shares_the_rarer_word_is_nearer():
    """Question "1 3": the second answer shares both words, the first only the frequent one."""
    vectors = frequency_scaled_vectors(ANSWERS, 7, 64)
    question, answers = vectors[[1, 3]].sum(axis=0), vectors[ANSWERS].sum(axis=1)
    cosines = answers @ question / numpy.linalg.norm(answers, axis=1) / numpy.linalg.norm(question)
    assert cosines.argmax() == 1


def test_errors():
    with pytest.raises(ValueError, match="vocabulary_size=5"):
        frequency_scaled_vectors(ANSWERS, 5, 16)
    with pytest.raises(ValueError, match=r"shape=\(7, 16\)"):
        frequency_scaled_vectors(ANSWERS, 7, 16, numpy.ones((7, 16)))

"""Draws of wrong answers: distinct, never excluded, uniform."""

import numpy
import pytest

from keras_attention.data.negative_sampling import draw_from_rows, draw_without, pad_groups


def test_every_subset_of_the_allowed_numbers_is_equally_likely():
    # Allowed are 0, 2, 4 (5 numbers, 1 and 3 excluded, 3 twice); subsets of two: {0,2}, {0,4}, {2,4}.
    rows = 30_000
    drawn = draw_without(numpy.random.default_rng(0), numpy.full(rows, 2), numpy.tile([3, 1, 3, -1], (rows, 1)), 5)
    subsets, counts = numpy.unique(numpy.sort(drawn, axis=1), axis=0, return_counts=True)
    assert subsets.tolist() == [[0, 2], [0, 4], [2, 4]]
    numpy.testing.assert_allclose(counts / rows, 1 / 3, atol=0.01)


def test_counts_may_differ_by_row():
    excluded = numpy.array([[0, 1], [2, -1]])
    drawn = draw_without(numpy.random.default_rng(1), [1, 3], excluded, 4)
    assert drawn[0, 0] in (2, 3)
    assert sorted(drawn[1]) == [0, 1, 3]
    with pytest.raises(ValueError, match="3 wanted, 2 left"):
        draw_without(numpy.random.default_rng(1), [1, 3], numpy.array([[0, -1], [1, 2]]), 4)


def test_nothing_excluded_and_nothing_wanted():
    assert draw_without(numpy.random.default_rng(0), [0, 0], numpy.zeros((2, 0), "int64"), 3).shape == (2, 0)
    drawn = draw_without(numpy.random.default_rng(0), [3], numpy.zeros((1, 0), "int64"), 3)
    assert sorted(drawn[0]) == [0, 1, 2]


def test_from_rows_takes_what_there_is():
    rows = pad_groups([[7, 5, 5], [], [9]])
    assert rows.tolist() == [[5, 7], [-1, -1], [9, -1]]
    drawn = draw_from_rows(numpy.random.default_rng(0), 3, rows)
    assert sorted(drawn[0]) == [-1, 5, 7]
    assert drawn[0, 2] == -1
    assert drawn[1:].tolist() == [[-1, -1, -1], [9, -1, -1]]
    firsts = draw_from_rows(numpy.random.default_rng(0), 1, numpy.tile([4, 6], (2000, 1)))
    assert abs((firsts == 4).mean() - 0.5) < 0.05

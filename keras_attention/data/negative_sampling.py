"""Drawing wrong answers, never one that is right for the question, for a whole epoch at once."""

import numpy


def draw_without(random, count, excluded, size):
    """Draw distinct numbers from ``0 .. size - 1`` for every row, none of them among the row's excluded ones.

    Each row's draw is uniform over all subsets (Floyd's algorithm, all rows at a time), among the numbers that remain
    once the excluded ones are taken out; then the numbers are moved up past the excluded ones.

    Args:
        random: ``numpy.random.Generator``.
        count: int64 ``(rows,)``, how many each row wants.
        excluded: int64 ``(rows, width)``, in any order, numbers at or above ``size`` (or below 0) as padding.
        size: end of the range.

    Returns:
        int64 ``(rows, max(count))``; a row's columns from its ``count`` on mean nothing.

    Raises:
        ValueError: a row wants more than there is.
    """
    count = numpy.asarray(count, dtype="int64")
    excluded = numpy.sort(numpy.where((excluded < 0) | (excluded >= size), size, excluded), axis=1)
    # A number excluded twice takes one place.
    excluded[:, 1:][excluded[:, 1:] == excluded[:, :-1]] = size
    excluded = numpy.sort(excluded, axis=1)
    remaining = size - (excluded < size).sum(axis=1)
    if (remaining < count).any():
        row = int(numpy.argmax(count - remaining))
        raise ValueError(
            f"too few distinct wrong answers to draw from. Received: {count[row]} wanted, {remaining[row]} left"
        )
    width = int(count.max(initial=0))
    drawn = numpy.full((len(count), width), -1, dtype="int64")
    for column in range(width):
        active = column < count
        last = numpy.where(active, remaining - count + column, 0)
        number = random.integers(0, last + 1)
        taken = (drawn[:, :column] == number[:, None]).any(axis=1)
        drawn[:, column] = numpy.where(taken, last, number)
    for column in range(excluded.shape[1]):
        drawn += drawn >= excluded[:, column, None]
    return drawn


def draw_from_rows(random, count, rows):
    """Draw up to ``count`` distinct entries of every row.

    Args:
        random: ``numpy.random.Generator``.
        count: how many of each row.
        rows: int64 ``(rows, width)``, distinct entries, -1 as padding.

    Returns:
        int64 ``(rows, count)``, what was drawn first and -1 after it where a row has too few.
    """
    keys = random.random(rows.shape)
    keys[rows < 0] = 2.0
    order = numpy.argsort(keys, axis=1)[:, :count]
    drawn = numpy.take_along_axis(rows, order, axis=1)
    return numpy.pad(drawn, ((0, 0), (0, count - drawn.shape[1])), constant_values=-1)


def pad_groups(lists):
    """Stack ragged lists of numbers, each made distinct and sorted, into int64 ``(rows, width)`` padded with -1."""
    lists = [numpy.unique(row) for row in lists]
    padded = numpy.full((len(lists), max((len(row) for row in lists), default=0)), -1, dtype="int64")
    for target, row in zip(padded, lists):
        target[: len(row)] = row
    return padded

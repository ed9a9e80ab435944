"""Batches of few fixed shapes: which shapes, which row into which, and how much padding that costs."""

import itertools

import numpy as np

_COARSE_LEVELS, _FINE_LEVELS = 20, 64  # different lengths considered per side


class BatchPlan:
    """The fixed part of batching by length: which rows share a batch shape, however they are shuffled.

    Every row goes into the cheapest bucket that holds it, where a bucket is a shape, say 18 source by 20 target
    tokens, and its cost per row is the sum, 38. Every batch of a bucket has exactly the bucket's shape and number of
    rows. Rows that do not fill a batch are moved to the next larger bucket where that is cheaper than filling up; what
    still is missing in a bucket's last batch is filled with copies of a real row (to be given weight 0), so that no
    row is without a real token. Hence the number of batches never changes from epoch to epoch.

    Args:
        lengths: int array ``(rows, sides)``, tokens of each row on each side, all at least 1.
        shapes: int array ``(buckets, sides)``; one shape must hold every row.
        batch_size: rows of a batch, or ``None`` to batch by tokens.
        batch_tokens: tokens of a batch, padding included, on its longer side: a bucket of 18 by 20 tokens takes
            ``batch_tokens // 20`` rows, at least one.

    Attributes:
        shapes: int array ``(buckets, sides)``; buckets that got no row are left out.
        batch_sizes: int array ``(buckets,)``, rows of a batch.
        batch_counts: int array ``(buckets,)``, batches of an epoch.
        bucket_rows: list of int arrays, the rows of each bucket.
        steps: batches of an epoch.
        padding_fraction: share of all the cells of an epoch's batches, over all sides, that hold no real token;
            the rows that fill up count as padding.

    Raises:
        ValueError: not exactly one of ``batch_size`` and ``batch_tokens``, one below 1, no rows, or a row that no
            shape holds.
    """

    def __init__(self, lengths, shapes, batch_size=None, batch_tokens=None):
        lengths, shapes = _checked_lengths(lengths), np.asarray(shapes, np.int64)
        if shapes.ndim != 2 or shapes.shape[1] != lengths.shape[1] or not len(shapes):
            raise ValueError(
                f"`shapes` must be (buckets, {lengths.shape[1]}), one column a side. Received: shapes={shapes.tolist()}"
            )
        if (batch_size is None) == (batch_tokens is None):
            raise ValueError(
                "expected one of `batch_size` and `batch_tokens`. "
                f"Received: batch_size={batch_size}, batch_tokens={batch_tokens}"
            )
        if (batch_size or batch_tokens or 0) < 1:
            raise ValueError(
                "expected at least one row or token a batch. "
                f"Received: batch_size={batch_size}, batch_tokens={batch_tokens}"
            )
        shapes = np.unique(shapes, axis=0)
        shapes = shapes[np.argsort(shapes.sum(axis=1), kind="stable")]
        if batch_size is not None:
            sizes = np.full(len(shapes), batch_size, np.int64)
        else:
            sizes = np.maximum(1, batch_tokens // shapes.max(axis=1))
        buckets = _pass_on_remainders(lengths, shapes, sizes, assign_buckets(lengths, shapes))
        used = np.unique(buckets)
        self.shapes = shapes[used]
        self.batch_sizes = sizes[used]
        self.bucket_rows = [np.flatnonzero(buckets == bucket) for bucket in used]
        counts = np.array([len(rows) for rows in self.bucket_rows])
        self.batch_counts = -(-counts // self.batch_sizes)
        self.steps = int(self.batch_counts.sum())
        cells = (self.batch_counts * self.batch_sizes * self.shapes.sum(axis=1)).sum()
        self.padding_fraction = float(1.0 - lengths.sum() / cells)


def assign_buckets(lengths, shapes):
    """Return the number of the cheapest shape that holds each row.

    Args:
        lengths: int array ``(rows, sides)``.
        shapes: int array ``(buckets, sides)``.

    Returns:
        int64 array ``(rows,)``.

    Raises:
        ValueError: no shape holds some row.
    """
    lengths, shapes = _checked_lengths(lengths), np.asarray(shapes)
    distinct, inverse = np.unique(lengths, axis=0, return_inverse=True)
    cost = _costs(distinct, shapes)
    homeless = ~np.isfinite(cost).any(axis=1)
    if homeless.any():
        raise ValueError(
            f"expected a shape that holds every row. Received: shapes={shapes.tolist()}, "
            f"and a row of lengths {distinct[homeless][0].tolist()}"
        )
    return cost.argmin(axis=1)[inverse.reshape(-1)]


def choose_bucket_shapes(lengths, count):
    """Choose shapes that make the padding small.

    Greedy, then local: on few lengths a side, the first shape holds everything and each further one is the shape that
    saves most, the earlier ones being put anew after each; then, on more lengths, every shape moves by one length a
    side as long as that saves anything. Not proved optimal; the same for the same lengths.

    Args:
        lengths: int array ``(rows, sides)``, one or two sides.
        count: number of shapes; fewer come back where fewer do.

    Returns:
        int64 array ``(buckets, sides)``, cheapest first, the last as long as the longest row on each side.

    Raises:
        ValueError: no rows, or a ``count`` below 1.
    """
    lengths = _checked_lengths(lengths)
    if count < 1:
        raise ValueError(f"expected at least one shape. Received: count={count}")
    points, counts, levels = _round_up(lengths, _COARSE_LEVELS)
    shapes = _choose_greedily(points, counts, levels, count)
    points, counts, levels = _round_up(lengths, _FINE_LEVELS)
    shapes = np.unique(_move_locally(shapes, points, counts, levels), axis=0)
    return shapes[np.argsort(shapes.sum(axis=1), kind="stable")].astype(np.int64)


def _choose_greedily(points, counts, levels, count):
    candidates = np.array(list(itertools.product(*levels)))
    # saving[c, p]: what point p costs now less what candidate c costs, 0 if that is less or c does not hold p
    holds = (points[None] <= candidates[:, None]).all(axis=-1).astype(np.float32)
    prices = candidates.sum(axis=1).astype(np.float32)[:, None]
    weights = counts.astype(np.float32)

    def best_addition(shapes):
        current = _costs(points, shapes).min(axis=1).astype(np.float32)
        saving = np.maximum(current - prices, 0)
        saving *= holds
        return candidates[(saving @ weights).argmax()]

    shapes = points.max(axis=0, keepdims=True)
    while len(shapes) < count:
        shapes = np.concatenate([shapes, best_addition(shapes)[None]])
        for index in range(1, len(shapes)):
            others = np.delete(shapes, index, axis=0)
            shapes = np.insert(others, index, best_addition(others), axis=0)
    return shapes


def _move_locally(shapes, points, counts, levels):
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=len(levels))))
    places = np.stack([np.searchsorted(level, side) for level, side in zip(levels, shapes.T)], axis=1)
    last = np.array([len(level) - 1 for level in levels])
    moved = True
    while moved:
        moved = False
        for index in range(1, len(places)):
            tried = np.clip(places[index] + steps, 0, last)
            shape = np.stack([level[place] for level, place in zip(levels, tried.T)], axis=1)
            others = _costs(points, np.delete(shapes, index, axis=0)).min(axis=1, keepdims=True)
            totals = np.minimum(others, _costs(points, shape)).T @ counts
            best = totals.argmin()
            if totals[best] < totals[len(steps) // 2]:
                places[index], shapes[index], moved = tried[best], shape[best], True
    return shapes


def _round_up(lengths, maximum_levels):
    """Return the distinct points after rounding up to the levels of each side, their counts, and the levels."""
    levels = [_levels(side, maximum_levels) for side in lengths.T]
    rounded = np.stack([level[np.searchsorted(level, side)] for level, side in zip(levels, lengths.T)], axis=1)
    points, counts = np.unique(rounded, axis=0, return_counts=True)
    return points, counts, levels


def _levels(side, maximum):
    """The lengths to consider, the longest among them: those whose absence would cost most padding."""
    values, counts = np.unique(side, return_counts=True)
    while len(values) > maximum:
        # Without a level its rows are rounded up to the next one.
        index = (counts[:-1] * np.diff(values)).argmin()
        counts[index + 1] += counts[index]
        values, counts = np.delete(values, index), np.delete(counts, index)
    return values


def _costs(points, shapes):
    """Cost of each point in each shape, infinite where it does not fit: ``(points, shapes)``."""
    fits = (points[:, None] <= shapes[None]).all(axis=-1)
    return np.where(fits, shapes.sum(axis=1)[None].astype(np.float64), np.inf)


def _pass_on_remainders(lengths, shapes, sizes, buckets):
    """Move the rows that fill no whole batch to a larger bucket, wherever that is cheaper than filling up."""
    buckets = buckets.copy()
    cost = shapes.sum(axis=1)
    for bucket in range(len(shapes) - 1):
        rows = np.flatnonzero(buckets == bucket)
        surplus = len(rows) % sizes[bucket]
        if not surplus:
            continue
        later = _costs(lengths[rows], shapes[bucket + 1 :])
        extra = later.min(axis=1) - cost[bucket]
        chosen = np.argsort(extra, kind="stable")[:surplus]
        if extra[chosen].sum() <= (sizes[bucket] - surplus) * cost[bucket]:
            buckets[rows[chosen]] = bucket + 1 + later[chosen].argmin(axis=1)
    return buckets


def _checked_lengths(lengths):
    lengths = np.asarray(lengths, np.int64)
    if lengths.ndim != 2 or not len(lengths) or lengths.min() < 1:
        raise ValueError(
            "`lengths` must be (rows, sides) with at least one row and lengths of at least 1. "
            f"Received: lengths of shape {lengths.shape}"
        )
    return lengths

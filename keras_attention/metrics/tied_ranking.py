"""Expected ranking figures when tied items stand in a uniformly random order.

One set of formulas serves numpy (float64, the functions of ``metrics/ranking.py``) and ``keras.ops`` (float32, the
Keras metrics): every function takes the namespace ``xp`` that holds ``sort``, ``cumsum`` and so on.

Items are laid out by falling score. Take rank ``k`` (from 1) inside a group of ``n`` tied items, ``r`` of them right,
with ``a`` items before the group, ``b`` of those right. Over a random order of the group

- the item at rank ``k`` is right with probability ``r / n``;
- given that it is, the expected number of right items down to rank ``k`` is
  ``b + 1 + (k - a - 1) (r - 1) / (n - 1)``, since each of the ``k - a - 1`` items of the group before it is one of the
  other ``n - 1``, of which ``r - 1`` are right;
- given that no right item stood before rank ``k``, it is right with probability ``r / (n - (k - a - 1))``.

By linearity these give the exact expectations below; no order is ever drawn.
"""

import numpy

# Scores are clipped to this range, which float32 holds.
LARGEST = 3.0e38


def rank_with_ties(xp, scores, labels):
    """Lay out each list by falling score and describe, rank by rank, the group of ties that the rank falls into.

    Args:
        xp: ``numpy`` or ``keras.ops``.
        scores: ``(batch, candidates)`` floats; padding's content is never looked at.
        labels: ``(batch, candidates)`` of the dtype of ``scores``: gain of the item, 0 wrong, below 0 padding.

    Returns:
        A dict of ``(batch, candidates)`` arrays, the last axis being the rank: ``rank`` (from 1), ``before`` (``a``),
        ``size`` (``n``), ``right`` (``r``), ``right_before`` (``b``), ``gain`` (the group's mean gain); and
        ``labels``, as given with padding set to 0.
    """
    real = labels >= 0
    # Finite keys for real items, infinity for padding: an item scored -inf still stands before padding.
    keys = xp.where(real, -xp.clip(scores, -LARGEST, LARGEST), float("inf"))
    gains = xp.where(real, labels, xp.zeros_like(labels))
    order = xp.argsort(keys, axis=-1)
    keys = xp.take_along_axis(keys, order, axis=-1)
    gains_by_rank = xp.take_along_axis(gains, order, axis=-1)
    ones = xp.ones_like(gains)
    right_by_rank = xp.where(gains_by_rank > 0, ones, xp.zeros_like(ones))

    index = xp.cumsum(xp.ones_like(order), axis=-1) - 1
    first = index == 0
    starts_group = xp.logical_or(first, keys != xp.roll(keys, 1, axis=-1))
    group = xp.cumsum(xp.where(starts_group, xp.ones_like(order), xp.zeros_like(order)), axis=-1) - 1
    # The k-th start in order of rank is where group k begins; after the last comes the list's own length.
    length = xp.max(index, axis=-1, keepdims=True) + 1
    starts = xp.sort(xp.where(starts_group, index, length), axis=-1)
    starts = xp.concatenate([starts, length], axis=-1)
    begin = xp.take_along_axis(starts, group, axis=-1)
    end = xp.take_along_axis(starts, group + 1, axis=-1)

    def total(values, until):
        sums = xp.concatenate([xp.zeros_like(values[:, :1]), xp.cumsum(values, axis=-1)], axis=-1)
        return xp.take_along_axis(sums, until, axis=-1)

    before, until = total(ones, begin), total(ones, end)
    right_before = total(right_by_rank, begin)
    return {
        "rank": xp.cumsum(ones, axis=-1),
        "before": before,
        "size": until - before,
        "right": total(right_by_rank, end) - right_before,
        "right_before": right_before,
        "gain": (total(gains_by_rank, end) - total(gains_by_rank, begin)) / (until - before),
        "labels": gains,
    }


def expected_accuracy_at_1(xp, groups):
    """Share of right items in the top group, ``r / n`` at rank 1."""
    return groups["right"][:, 0] / groups["size"][:, 0]


def expected_reciprocal_rank(xp, groups, k=None):
    """Sum over ranks of P(first right item stands there) / rank; ranks below ``k`` give 0."""
    place = groups["rank"] - groups["before"] - 1
    hazard = xp.minimum(groups["right"] / (groups["size"] - place), xp.ones_like(place))
    survival = xp.cumprod(1 - hazard, axis=-1)
    survival = xp.concatenate([xp.ones_like(survival[:, :1]), survival[:, :-1]], axis=-1)
    terms = survival * hazard / groups["rank"]
    return xp.sum(_cut(xp, terms, groups, k), axis=-1)


def expected_average_precision(xp, groups):
    """Sum over ranks of P(right) times the expected precision there given right, over the number of right items."""
    place = groups["rank"] - groups["before"] - 1
    ones = xp.ones_like(place)
    others = (groups["right"] - 1) / xp.maximum(groups["size"] - 1, ones)
    precision = (groups["right_before"] + 1 + place * others) / groups["rank"]
    terms = groups["right"] / groups["size"] * precision
    right = xp.sum(xp.where(groups["labels"] > 0, ones, xp.zeros_like(ones)), axis=-1)
    return xp.sum(terms, axis=-1) / xp.maximum(right, ones[:, 0])


def expected_ndcg(xp, groups, k=None):
    """Discounted mean gains of the groups over the best that any order could give, discount ``1 / log2(rank + 1)``."""
    discounts = 1 / xp.log2(groups["rank"] + 1)
    ideal = -xp.sort(-groups["labels"], axis=-1)
    best = xp.sum(_cut(xp, ideal * discounts, groups, k), axis=-1)
    reached = xp.sum(_cut(xp, groups["gain"] * discounts, groups, k), axis=-1)
    ones = xp.ones_like(best)
    return reached / xp.where(best > 0, best, ones)


def has_right_answer(xp, groups):
    """Return ``(batch,)`` booleans: does the list hold a right item at all?"""
    return xp.max(groups["labels"], axis=-1) > 0


def check_cutoff(k):
    """Refuse a cutoff that is not ``None`` or a positive whole number."""
    if k is not None and (not isinstance(k, (int, numpy.integer)) or isinstance(k, bool) or k < 1):
        raise ValueError(f"k must be None (no cutoff) or a whole number of at least 1. Received: k={k!r}")
    return k


def _cut(xp, terms, groups, k):
    return terms if k is None else xp.where(groups["rank"] <= k, terms, xp.zeros_like(terms))

"""Accuracy at 1, reciprocal rank, average precision and NDCG of ranked answers, as functions on arrays.

All take ``scores`` ``(questions, candidates)``, higher is better, and ``labels`` of the same shape: 1 right (any
positive number is right; NDCG uses it as the gain), 0 wrong, -1 padding. All return one float64 value from 0 to 1 per
question, so that systems can be compared question by question.

The tie rule. Candidates with equal scores stand in no order. The value is the expectation over all orders of the tied
candidates, each equally likely, in closed form (the derivation stands in ``metrics/tied_ranking.py``). A scorer that
gives every candidate the same score therefore gets exactly what chance gives, wherever the right answer is listed.

A question without a right answer has no value: NaN. ``numpy.nanmean`` leaves it out;
``numpy.nan_to_num(values).mean()`` counts it as a miss. Which one a figure uses belongs beside the figure.

Example:
>>> import numpy
>>> from keras_attention.metrics.ranking import accuracy_at_1, reciprocal_rank
>>> scores = numpy.array([[0.9, 0.1, 0.4], [0.5, 0.5, 0.0]])
>>> labels = numpy.array([[0, 0, 1], [1, 0, -1]])
>>> accuracy_at_1(scores, labels)
array([0. , 0.5])
>>> reciprocal_rank(scores, labels)
array([0.5 , 0.75])
"""

import numpy

from keras_attention.metrics import tied_ranking


def accuracy_at_1(scores, labels):
    """Return, per question, whether the best-scored candidate is right: with ties, the share of right ones among them.

    Args:
        scores: ``(questions, candidates)`` floats, higher is better.
        labels: ``(questions, candidates)``, above 0 right, 0 wrong, -1 padding.

    Returns:
        ``(questions,)`` float64 from 0 to 1; NaN where no candidate is right.

    Raises:
        ValueError: shapes differ, or a real score is NaN.
    """
    groups = _groups(scores, labels)
    return _values(tied_ranking.expected_accuracy_at_1(numpy, groups), groups)


def reciprocal_rank(scores, labels, k=None):
    """Return, per question, one over the rank of the first right candidate; its mean is the MRR (Voorhees 1999).

    Args:
        scores: ``(questions, candidates)`` floats, higher is better.
        labels: ``(questions, candidates)``, above 0 right, 0 wrong, -1 padding.
        k: ranks after ``k`` count as 0. ``None``: no cutoff.

    Returns:
        ``(questions,)`` float64 from 0 to 1; NaN where no candidate is right.

    Raises:
        ValueError: shapes differ, a real score is NaN, or ``k`` is no positive whole number.
    """
    groups = _groups(scores, labels)
    return _values(tied_ranking.expected_reciprocal_rank(numpy, groups, tied_ranking.check_cutoff(k)), groups)


def average_precision(scores, labels):
    """Return, per question, the mean over right candidates of the precision at their rank; its mean is the MAP.

    Args:
        scores: ``(questions, candidates)`` floats, higher is better.
        labels: ``(questions, candidates)``, above 0 right, 0 wrong, -1 padding.

    Returns:
        ``(questions,)`` float64 from 0 to 1; NaN where no candidate is right.

    Raises:
        ValueError: shapes differ, or a real score is NaN.
    """
    groups = _groups(scores, labels)
    return _values(tied_ranking.expected_average_precision(numpy, groups), groups)


def ndcg(scores, labels, k=None):
    """Return, per question, the normalised discounted cumulative gain, ``DCG / best DCG``.

    ``DCG = sum_k gain(k) / log2(k + 1)``, the gain being the label itself (linear, as in trec_eval and scikit-learn;
    for labels 0 and 1 the exponential form is the same). Jarvelin and Kekalainen 2002; with ties as in McSherry and
    Najork 2008, section 2.6.

    Args:
        scores: ``(questions, candidates)`` floats, higher is better.
        labels: ``(questions, candidates)``: gain, 0 wrong, -1 padding.
        k: only the first ``k`` ranks count, in ``DCG`` and in its best value. ``None``: all.

    Returns:
        ``(questions,)`` float64 from 0 to 1; NaN where no candidate is right.

    Raises:
        ValueError: shapes differ, a real score is NaN, or ``k`` is no positive whole number.
    """
    groups = _groups(scores, labels)
    return _values(tied_ranking.expected_ndcg(numpy, groups, tied_ranking.check_cutoff(k)), groups)


def ranking_values(scores, labels, ndcg_k=10):
    """Return all four figures per question, sorting once.

    Args:
        scores: ``(questions, candidates)`` floats, higher is better.
        labels: ``(questions, candidates)``, above 0 right, 0 wrong, -1 padding.
        ndcg_k: cutoff of NDCG.

    Returns:
        A dict ``{"accuracy_at_1", "mrr", "map", f"ndcg_at_{ndcg_k}"}`` of ``(questions,)`` float64; the key of an
        NDCG without cutoff is ``"ndcg"``.

    Raises:
        ValueError: as the single functions.
    """
    groups = _groups(scores, labels)
    ndcg_name = "ndcg" if ndcg_k is None else f"ndcg_at_{ndcg_k}"
    return {
        "accuracy_at_1": _values(tied_ranking.expected_accuracy_at_1(numpy, groups), groups),
        "mrr": _values(tied_ranking.expected_reciprocal_rank(numpy, groups), groups),
        "map": _values(tied_ranking.expected_average_precision(numpy, groups), groups),
        ndcg_name: _values(tied_ranking.expected_ndcg(numpy, groups, tied_ranking.check_cutoff(ndcg_k)), groups),
    }


def pad_lists(lists, padding):
    """Stack lists of unequal length into one array, padded on the right.

    Args:
        lists: a sequence of one-dimensional sequences.
        padding: the value to fill with: -1 for labels, any number for scores.

    Returns:
        ``(len(lists), longest)`` float64, or int64 if everything given is whole.

    Example:
    >>> from keras_attention.metrics.ranking import pad_lists
    >>> pad_lists([[1, 0], [0, 0, 1]], -1)
    array([[ 1,  0, -1],
           [ 0,  0,  1]])
    """
    rows = [numpy.asarray(row) for row in lists]
    whole = all(row.dtype.kind in "iub" or row.size == 0 for row in rows) and float(padding).is_integer()
    padded = numpy.full(
        (len(rows), max((row.size for row in rows), default=0)), padding, dtype="int64" if whole else "float64"
    )
    for target, row in zip(padded, rows):
        target[: row.size] = row
    return padded


def _groups(scores, labels):
    scores = numpy.asarray(scores, dtype="float64")
    labels = numpy.asarray(labels, dtype="float64")
    if scores.ndim != 2 or scores.shape != labels.shape or scores.shape[1] == 0:
        raise ValueError(
            "scores and labels must both be (questions, candidates), with at least one candidate. "
            f"Received: scores.shape={scores.shape}, labels.shape={labels.shape}"
        )
    if numpy.isnan(scores[labels >= 0]).any():
        questions = numpy.flatnonzero((numpy.isnan(scores) & (labels >= 0)).any(axis=1))
        raise ValueError(f"scores of real candidates must not be NaN. Received: NaN at questions {questions[:10]}")
    return tied_ranking.rank_with_ties(numpy, scores, labels)


def _values(values, groups):
    return numpy.where(tied_ranking.has_right_answer(numpy, groups), values, numpy.nan)

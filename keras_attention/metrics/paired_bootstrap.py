"""The paired bootstrap: is one system's lead over another more than the luck of the questions?"""

import dataclasses

import numpy


@dataclasses.dataclass(frozen=True)
class PairedBootstrap:
    """Result of ``paired_bootstrap``.

    Attributes:
        difference: mean of ``first - second`` over the questions.
        lower: lower end of the interval of the difference.
        upper: upper end of the interval.
        confidence: the interval's share of the resampled differences, 0 to 1.
        p_value: two-sided, twice the smaller share of resampled differences on either side of 0 (at most 1).
        questions: number of questions that both systems have a value for.
        resamples: number of resampled sets of questions.
        seed: seed of the resampling.
    """

    difference: float
    lower: float
    upper: float
    confidence: float
    p_value: float
    questions: int
    resamples: int
    seed: int


def paired_bootstrap(first, second, *, resamples=10_000, confidence=0.95, seed=0):
    """Compare two systems on the same questions by resampling the questions.

    Each of ``resamples`` rounds draws as many questions as there are, with replacement, and takes the mean difference
    of the two systems on them; the interval holds the middle ``confidence`` of these means (percentile interval). Both
    systems see the same drawn questions: that is what makes it paired, and much sharper than two separate intervals.

    Args:
        first: ``(questions,)`` values of one system, as from ``metrics/ranking.py``.
        second: ``(questions,)`` values of the other, in the same order of questions.
        resamples: rounds. 10,000 puts the ends of a 95 % interval within about 1 % of its width.
        confidence: share of the interval, between 0 and 1.
        seed: seed of the draws; the same seed gives the same interval.

    Returns:
        A ``PairedBootstrap``.

    Raises:
        ValueError: shapes differ, no question, one system's value is NaN where the other's is not (both NaN: the
            question is left out), or a setting out of range.

    Example:
    >>> from keras_attention.metrics.paired_bootstrap import paired_bootstrap
    >>> result = paired_bootstrap([1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0], resamples=1000, seed=1)
    >>> result.difference, result.lower, result.upper
    (0.5, 0.0, 1.0)

    Reference: Efron and Tibshirani 1993, chapter 13; for paired systems Koehn 2004, Statistical significance tests for
    machine translation evaluation.
    """
    first, second = numpy.asarray(first, dtype="float64"), numpy.asarray(second, dtype="float64")
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            "first and second must be one value per question, for the same questions. "
            f"Received: first.shape={first.shape}, second.shape={second.shape}"
        )
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1. Received: confidence={confidence!r}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1. Received: resamples={resamples!r}")
    missing = numpy.isnan(first)
    if (missing != numpy.isnan(second)).any():
        where = numpy.flatnonzero(missing != numpy.isnan(second))[:10]
        raise ValueError(f"both systems must have values for the same questions. Received: NaN in only one at {where}")
    differences = (first - second)[~missing]
    if not differences.size:
        raise ValueError("at least one question with values is needed. Received: none")

    random = numpy.random.default_rng(seed)
    means = numpy.empty(resamples)
    step = max(1, 2_000_000 // differences.size)  # About 16 MB of indices at a time.
    for begin in range(0, resamples, step):
        rows = min(step, resamples - begin)
        drawn = random.integers(differences.size, size=(rows, differences.size))
        means[begin : begin + rows] = differences[drawn].mean(axis=1)
    tail = (1 - confidence) / 2
    lower, upper = numpy.quantile(means, [tail, 1 - tail])
    p_value = min(1.0, 2 * min((means <= 0).mean(), (means >= 0).mean()))
    return PairedBootstrap(
        difference=float(differences.mean()),
        lower=float(lower),
        upper=float(upper),
        confidence=confidence,
        p_value=float(p_value),
        questions=int(differences.size),
        resamples=resamples,
        seed=seed,
    )

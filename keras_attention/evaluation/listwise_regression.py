"""A linear ranker: weights of a few features, fitted to lists of candidates by maximum likelihood."""

import numpy

_STEPS = 50
_TOLERANCE = 1e-9


def fit_listwise(features, labels, starts, ridge=1.0):
    """Return the weights under which the right candidates of each list are most likely to be chosen.

    A candidate ``c`` of a list is chosen with ``p(c) = exp(w . f_c) / sum_d exp(w . f_d)``. The fit minimises

    ``- sum over lists of mean over right c of log p(c)  +  ridge / 2 |w|^2``

    by Newton's method with halved steps. The loss is convex, so there is one solution, and no seed or rate to choose.

    Args:
        features: float ``(candidates of all lists, K)``, list after list.
        labels: ``(candidates of all lists,)``: above 0 right, 0 wrong. Lists without both kinds teach nothing and are
            passed over.
        starts: int ``(lists,)``, where each list begins; rising from 0, no list empty.
        ridge: number above 0: how much large weights cost.

    Returns:
        float64 ``(K,)``.

    Raises:
        ValueError: shapes or values that do not fit, or no list with a right and a wrong candidate.

    Example:
    >>> import numpy
    >>> weights = fit_listwise(numpy.array([[1.0], [0.0], [0.0], [2.0]]), [1, 0, 0, 1], [0, 2], ridge=0.1)
    >>> bool(weights[0] > 1)
    True

    Reference: Cao, Qin, Liu, Tsai and Li 2007, Learning to rank: from pairwise approach to listwise approach, section 4
    (top one probabilities).
    """
    features, labels, starts = _checked(features, labels, starts, ridge)
    features, labels, starts = _without_idle_lists(features, labels, starts)
    lists = numpy.repeat(numpy.arange(len(starts)), numpy.diff(numpy.append(starts, len(labels))))
    right = (labels > 0).astype("float64")
    right /= numpy.add.reduceat(right, starts)[lists]

    def chances(weights):
        scores = features @ weights
        scores -= numpy.maximum.reduceat(scores, starts)[lists]
        powers = numpy.exp(scores)
        totals = numpy.add.reduceat(powers, starts)
        loss = right @ (numpy.log(totals)[lists] - scores) + ridge / 2 * weights @ weights
        return powers / totals[lists], loss

    weights = numpy.zeros(features.shape[1])
    chance, loss = chances(weights)
    for _ in range(_STEPS):
        slope = features.T @ (chance - right) + ridge * weights
        means = numpy.add.reduceat(features * chance[:, None], starts)
        curvature = (features * chance[:, None]).T @ features - means.T @ means
        step = numpy.linalg.solve(curvature + ridge * numpy.eye(len(weights)), slope)
        gain = slope @ step
        if gain < _TOLERANCE * max(loss, 1e-12):
            break
        size = 1.0
        while size > 1e-6:
            new_chance, new_loss = chances(weights - size * step)
            if new_loss <= loss - 0.25 * size * gain:
                break
            size /= 2
        else:
            break
        weights, chance, loss = weights - size * step, new_chance, new_loss
    return weights


def _checked(features, labels, starts, ridge):
    features, labels = numpy.asarray(features, "float64"), numpy.asarray(labels)
    starts = numpy.asarray(starts, "int64")
    if features.ndim != 2 or labels.shape != features.shape[:1] or not numpy.isfinite(features).all():
        raise ValueError(
            "features must be finite (candidates, K) and labels (candidates,). "
            f"Received: features.shape={features.shape}, labels.shape={labels.shape}"
        )
    ends = numpy.append(starts[1:], len(labels))
    if starts.ndim != 1 or not len(starts) or starts[0] != 0 or (ends <= starts).any():
        raise ValueError(f"starts must rise from 0, below the {len(labels)} candidates. Received: {starts[:10]}")
    if not ridge > 0:
        raise ValueError(f"ridge must be above 0. Received: ridge={ridge!r}")
    return features, labels, starts


def _without_idle_lists(features, labels, starts):
    sizes = numpy.diff(numpy.append(starts, len(labels)))
    right = numpy.add.reduceat((labels > 0).astype("int64"), starts)
    teaches = (right > 0) & (right < sizes)
    if not teaches.any():
        raise ValueError(f"Expected a list with a right and a wrong candidate. Received: {len(starts)} lists without")
    kept = numpy.repeat(teaches, sizes)
    starts = numpy.append(0, numpy.cumsum(sizes[teaches]))[:-1]
    return features[kept], labels[kept], starts

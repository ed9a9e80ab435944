"""Length normalization and coverage penalty of Wu et al. 2016 (GNMT), equation 14."""

from keras import ops

COVERAGE_FLOOR = 1e-9


def length_penalty(length, alpha):
    """lp(Y) = ((5 + |Y|) / 6) ** alpha, with |Y| counted in output tokens, end symbol included.

    Args:
        length: integers of any shape.
        alpha: float of at least 0. With 0 the result is 1: no normalization.

    Returns:
        float32 of `length`'s shape.
    """
    length = ops.cast(length, "float32")
    if alpha == 0.0:
        return ops.ones_like(length)
    return ops.power((5.0 + length) / 6.0, alpha)


def coverage_score(coverage, source_mask, beta):
    """cp(X; Y) = beta * sum_j log(min(sum_i a_ij, 1)) over the real source positions j.

    Args:
        coverage: float32 `(B, K, S)`: per source position the weights summed over the output so far.
        source_mask: bool `(B, S)`, True = real token. Padding takes no part.
        beta: float of at least 0.

    Returns:
        float32 `(B, K)`, never above 0. A position with no weight at all would give minus infinity and with it make
        all such hypotheses equal; sums are floored at 1e-9, so that each costs 20.7 beta.
    """
    logs = ops.log(ops.clip(coverage, COVERAGE_FLOOR, 1.0))
    return beta * ops.sum(ops.where(ops.expand_dims(source_mask, 1), logs, 0.0), axis=-1)

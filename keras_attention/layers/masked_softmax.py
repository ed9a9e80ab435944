"""Softmax over the real positions only; the one place where the attention layers normalise their scores."""

import keras
from keras import ops

# Stands for "no score" in a masked place. Finite, so that (score - peak) is never inf - inf, which is NaN.
_LOWEST = -1e30


def masked_softmax(scores, mask=None):
    """Normalise scores along the last axis over the positions whose mask is True.

    ``weights_j = mask_j exp(e_j - m) / sum_k mask_k exp(e_k - m)``, with ``m`` the largest real score.

    A row with a real position sums to one. A row with none is zero everywhere (the quotient is 0 / 0 by the formula;
    nothing to attend to means attending to nothing), and its gradient is zero, not NaN. Adding a large negative number
    to masked scores would instead spread such a row evenly over the padding, and overflows in float16.

    Args:
        scores: `(..., keys)`, any float dtype. Computed in float32 (a float64 tensor stays float64), since float16
            ends at 65504 and bfloat16 keeps only 8 bits of a weight.
        mask: `None` (all are real), or a boolean tensor that broadcasts against `scores`; True = real token. For scores
            `(batch, queries, keys)` and a mask `(batch, keys)`, pass `mask[:, None, :]`.

    Returns:
        Weights `(..., keys)`, float32: 0 at masked positions, exactly.

    Example:
    >>> import keras
    >>> from keras_attention.layers.masked_softmax import masked_softmax
    >>> scores = keras.ops.convert_to_tensor([[1.0, 1.0, 9.0], [1.0, 2.0, 3.0]])
    >>> mask = keras.ops.convert_to_tensor([[True, True, False], [False, False, False]])
    >>> keras.ops.convert_to_numpy(masked_softmax(scores, mask)).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    if keras.backend.standardize_dtype(scores.dtype) != "float64":
        scores = ops.cast(scores, "float32")
    if mask is not None:
        mask = ops.cast(mask, "bool")
        scores = ops.where(mask, scores, _LOWEST)
    if 0 in scores.shape:  # nothing to attend to, or no row: no maximum is defined
        return ops.zeros_like(scores)
    # By hand rather than with ops.softmax, which warns when there is a single key: a one-word source is all right.
    peak = ops.stop_gradient(ops.max(scores, axis=-1, keepdims=True))
    exponentials = ops.exp(scores - peak)
    if mask is not None:
        exponentials = exponentials * ops.cast(mask, exponentials.dtype)
    total = ops.sum(exponentials, axis=-1, keepdims=True)
    return exponentials / ops.maximum(
        total, 0.5
    )  # with a real position the total is at least exp(0), without one it is 0

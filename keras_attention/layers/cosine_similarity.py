"""Cosine similarity that is safe at zero."""

import keras
from keras import ops

# A vector shorter than this counts as zero.
_SHORTEST = 1e-12


@keras.saving.register_keras_serializable(package="keras_attention")
class CosineSimilarity(keras.layers.Layer):
    """Cosine of the angle between two vectors, 0 where one of them is zero.

    `s(x, y) = x . y / (|x| |y|)`, between -1 and 1. A vector shorter than 1e-12 counts as zero: its similarity to
    anything is 0, and no gradient flows through it (the usual formula gives NaN there). The layer computes in
    float32 under every dtype policy and returns float32.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`. `dtype` defaults to float32 and not to the global policy.

    Call arguments:
        inputs: List of two tensors `[x, y]` of one width, `(..., width)`; leading axes broadcast.
        all_pairs: Boolean. With True `x` is `(rows, width)`, `y` is `(columns, width)`, and every row is compared
            with every column in one matrix product.

    Returns:
        Float32 tensor: the leading axes, or `(rows, columns)`.

    Raises:
        ValueError: if the inputs are not two tensors of one width.

    Example:
    >>> import numpy as np
    >>> from keras_attention.layers import CosineSimilarity
    >>> x = np.array([[3.0, 4.0], [0.0, 0.0]], "float32")
    >>> print(np.array(CosineSimilarity()([x, np.ones((2, 2), "float32")])).round(4))
    [0.9899 0.    ]

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 3, equation 3.
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, all_pairs=False):
        """Return the similarities; see the class."""
        _check_pair(inputs)
        x, y = (ops.cast(v, "float32") for v in inputs)
        if all_pairs:
            return ops.matmul(_unit(x), ops.transpose(_unit(y), (1, 0)))
        # Lengths are divided out after the sum: the vectors themselves are read only once.
        return ops.sum(x * y, axis=-1) * _inverse_length(x)[..., 0] * _inverse_length(y)[..., 0]

    def compute_mask(self, inputs, mask=None):
        """Return None: a similarity carries no token mask."""
        return None

    def compute_output_shape(self, input_shape):
        """Return the broadcast leading axes."""
        x, y = (tuple(shape) for shape in input_shape)
        longer, shorter = (x, y) if len(x) >= len(y) else (y, x)
        shorter = (1,) * (len(longer) - len(shorter)) + shorter
        return tuple(b if a == 1 else a for a, b in zip(longer[:-1], shorter[:-1]))

    def compute_output_spec(self, inputs, all_pairs=False):
        """Return the symbolic similarities."""
        _check_pair(inputs)
        x, y = inputs
        shape = (x.shape[0], y.shape[0]) if all_pairs else self.compute_output_shape([x.shape, y.shape])
        return keras.KerasTensor(shape, dtype="float32")


def _check_pair(inputs):
    if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
        raise ValueError(f"Expected inputs [x, y]. Received: inputs={inputs}")
    widths = {tuple(x.shape)[-1] for x in inputs} - {None}
    if len(widths) > 1:  # one of width 1 would broadcast to a wrong cosine
        shapes = [tuple(x.shape) for x in inputs]
        raise ValueError(f"Expected inputs [x, y] of one width. Received: inputs of shapes {shapes}")


def _inverse_length(x):
    squares = ops.sum(x * x, axis=-1, keepdims=True)
    long_enough = squares > _SHORTEST**2
    # The inner `where` keeps the gradient of the outer one finite.
    return ops.where(long_enough, ops.rsqrt(ops.where(long_enough, squares, 1.0)), 0.0)


def _unit(x):
    return x * _inverse_length(x)

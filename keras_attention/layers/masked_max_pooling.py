"""Maximum over the real positions of a sequence."""

import keras
from keras import ops

from keras_attention.layers.masks import check_mask


@keras.saving.register_keras_serializable(package="keras_attention")
class MaskedMaxPooling(keras.layers.Layer):
    """Maximum over the real positions of a sequence, feature by feature.

    `r_j = max over real positions t of x_tj`. Padding has no influence, whatever stands there. A sequence with no
    real position gives a zero vector with zero gradients. Without a mask every position is real. No token mask
    leaves the layer. A maximum is exact in every precision, so nothing is cast.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`.

    Call arguments:
        inputs: Tensor `(..., length, width)`.
        mask: Optional boolean tensor `(..., length)`, True is a real token.

    Returns:
        Tensor `(..., width)`.

    Example:
    >>> import numpy as np
    >>> from keras_attention.layers import MaskedMaxPooling
    >>> x = np.array([[[1.0, -2.0], [3.0, -4.0], [9.0, 9.0]]], "float32")
    >>> print(np.array(MaskedMaxPooling()(x, mask=np.array([[True, True, False]]))))
    [[ 3. -2.]]

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 3, equation 4 (before the tanh).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        """Return the maxima; see the class."""
        check_mask(mask, inputs)
        if 0 in inputs.shape:  # no position, or no sequence: no maximum is defined, and a sum of nothing is zero
            return ops.sum(inputs, axis=-2)
        if mask is None:
            return ops.max(inputs, axis=-2)
        mask = ops.cast(mask, "bool")
        least = -65504.0 if keras.backend.standardize_dtype(inputs.dtype) == "float16" else -1e30
        largest = ops.max(ops.where(mask[..., None], inputs, ops.cast(least, inputs.dtype)), axis=-2)
        return ops.where(ops.any(mask, axis=-1)[..., None], largest, ops.zeros_like(largest))

    def compute_mask(self, inputs, mask=None):
        """Return None: a vector carries no token mask."""
        return None

    def compute_output_shape(self, input_shape):
        """Return the input's shape without its length."""
        return (*input_shape[:-2], input_shape[-1])

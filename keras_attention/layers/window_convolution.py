"""Linear convolution over windows of token vectors."""

import keras
from keras import ops

from keras_attention.layers.masks import check_mask


@keras.saving.register_keras_serializable(package="keras_attention")
class WindowConvolution(keras.layers.Layer):
    """Linear convolution over windows of `window` tokens, blind to padding.

    `h_t = W [x_{t-l}; ...; x_t; ...; x_{t+r}] + b`, with no activation, and zero vectors wherever a position lies
    outside the sentence. The output is as long as the input. `l = (window - 1) // 2` and `r = window // 2`: an even
    window has one more token on the right, so `window=2` sees a token and the next one.

    `keras.layers.Conv1D` reads what stands at padding, so the last real tokens change with it. Here the input is
    set to zero at padding first. What comes out at padding positions is not meaningful; the mask goes on with it.

    Args:
        filters: Positive integer, the width of the output.
        window: Positive integer, tokens per window.
        use_bias: Boolean, whether to add `b`.
        kernel_initializer: Initialiser of `W`, `(window, width, filters)`.
        bias_initializer: Initialiser of `b`.
        kernel_regularizer: Optional regulariser of `W`.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Tensor `(batch, length, width)`.
        mask: Optional boolean tensor `(batch, length)`, True is a real token.

    Returns:
        Tensor `(batch, length, filters)` in the layer's compute dtype.

    Raises:
        ValueError: if `filters` or `window` is not a positive integer, or the mask does not fit.

    Example:
    >>> import numpy as np
    >>> from keras_attention.layers import WindowConvolution
    >>> layer = WindowConvolution(1, window=2, kernel_initializer="ones")
    >>> x = np.array([[[1.0], [2.0], [100.0]]], "float32")
    >>> print(np.array(layer(x, mask=np.array([[True, True, False]])))[0, :2, 0])
    [3. 2.]

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 3.1, equations 1 and 2.
    """

    def __init__(
        self,
        filters,
        window=3,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("window", window)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")
        self.supports_masking = True
        self.filters = filters
        self.window = window
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Create `W` and `b`."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.window, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer=self.bias_initializer)
        self.built = True

    def call(self, inputs, mask=None):
        """Convolve; see the class."""
        check_mask(mask, inputs)
        if mask is not None:
            # where, not a product: content that is not finite must not get through either.
            inputs = ops.where(ops.cast(mask, "bool")[..., None], inputs, ops.zeros_like(inputs))
        if self.window == 1:
            outputs = ops.matmul(inputs, self.kernel[0])
        else:
            outside = ((0, 0), ((self.window - 1) // 2, self.window // 2), (0, 0))
            outputs = ops.conv(
                ops.pad(inputs, outside), self.kernel, strides=1, padding="valid", data_format="channels_last"
            )
        return outputs if self.bias is None else outputs + self.bias

    def compute_output_shape(self, input_shape):
        """Return the input's shape with `filters` as width."""
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "window": self.window,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }

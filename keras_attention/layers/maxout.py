"""The maxout readout of Cho 2014 and Bahdanau 2015."""

import functools

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_attention")
class Maxout(keras.layers.Layer):
    """A linear layer followed by the maximum over groups of neighbouring outputs.

    ```
    t~ = W x + b                        units * pool_size wide
    t_i = max(t~_{p i}, .., t~_{p i + p - 1})
    ```

    Args:
        units: Integer, width l of the result (500 in both papers).
        pool_size: Integer, outputs per maximum (2 in both papers).
        kernel_initializer: Initialiser of W.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: `(..., width)`, floating point.

    Returns:
        `(..., units)`, in the compute dtype. A mask is passed on.

    Example:
    >>> import numpy as np
    >>> tuple(Maxout(units=3)(np.ones((2, 5, 4), "float32")).shape)
    (2, 5, 3)

    Reference:
        Goodfellow et al. 2013, "Maxout networks"; Bahdanau, Cho and Bengio 2015, appendix A.2.2.
    """

    def __init__(self, units, pool_size=2, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        for name, value in (("units", units), ("pool_size", pool_size)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")
        self.units = units
        self.pool_size = pool_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True
        self.projection = keras.layers.Dense(
            units * pool_size, kernel_initializer=self.kernel_initializer, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape):
        self.projection.build(input_shape)
        self.built = True

    def call(self, inputs):
        return self.maxima(self.projection(inputs))

    def maxima(self, projected):
        """Return the maxima over the groups of `W x + b`, `(..., units * pool_size)`, made elsewhere."""
        # Members of a group are laid one under another first: comparing long rows is several times as fast as finding
        # the largest of each few neighbours, and its gradient as much again.
        members = ops.split(ops.transpose(ops.reshape(projected, (-1, self.pool_size))), self.pool_size)
        largest = functools.reduce(ops.maximum, members)
        return ops.reshape(largest, (*ops.shape(projected)[:-1], self.units))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "pool_size": self.pool_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

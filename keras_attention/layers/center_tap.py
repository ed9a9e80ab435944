"""Initialiser that lets a convolution begin as a copy of the token in the window's middle."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_attention")
class CenterTap(keras.initializers.Initializer):
    """Identity at the middle of the window, small noise at the other places.

    A convolution with random weights mixes the components of the word vectors before anything is learned, and what two
    texts have in common word for word is blurred. With this the features begin as the word vectors themselves, so that
    pooling and cosine begin as a comparison of weighted bags of words, and training adds the neighbours.

    Args:
        stddev: Standard deviation of the noise at the places beside the middle, times `1 / sqrt(width)`.
        seed: Seed of the noise; None for a random one.

    Call arguments:
        shape: `(window, width, filters)`. With more filters than `width` the further ones are noise at all places;
            with fewer, only the first components are copied. For an even window the middle is the left one of two.

    Example:
    >>> import numpy as np
    >>> from keras_attention.layers.center_tap import CenterTap
    >>> kernel = np.array(CenterTap(stddev=0.0)((3, 2, 2)))
    >>> print(kernel[1], np.abs(kernel[[0, 2]]).sum())
    [[1. 0.]
     [0. 1.]] 0.0
    """

    def __init__(self, stddev=0.1, seed=None):
        self.stddev = stddev
        self.seed = seed
        self._noise = keras.initializers.RandomNormal(stddev=1.0, seed=seed)

    def __call__(self, shape, dtype=None):
        window, width, filters = shape
        noise = self._noise(shape, dtype) * (self.stddev / width**0.5)
        middle = ops.cast(ops.arange(window) == (window - 1) // 2, noise.dtype)[:, None, None]
        copied = ops.cast(ops.arange(filters) < width, noise.dtype)
        return noise * (1 - middle * copied) + middle * ops.eye(width, filters, dtype=noise.dtype)

    def get_config(self):
        """Return the constructor's arguments."""
        return {"stddev": self.stddev, "seed": self.seed}

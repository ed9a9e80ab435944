import keras
import numpy as np
from keras import ops

from keras_attention.layers import WindowConvolution
from keras_attention.layers.center_tap import CenterTap


def test_a_convolution_begins_as_a_copy():
    """For odd and even windows, and for more or fewer filters than components."""
    x = np.random.default_rng(0).normal(size=(1, 5, 3)).astype("float32")
    for window in (1, 2, 3, 4):
        for filters in (2, 3, 4):
            layer = WindowConvolution(filters, window, kernel_initializer=CenterTap(stddev=0.0))
            got = ops.convert_to_numpy(layer(x))
            np.testing.assert_allclose(got[..., :3], x[..., :filters], atol=1e-6)
            assert not got[..., 3:].any()


def test_noise_elsewhere():
    kernel = ops.convert_to_numpy(CenterTap(stddev=0.5, seed=1)((3, 64, 80)))
    np.testing.assert_array_equal(kernel[1, :, :64], np.eye(64))
    for noise in (kernel[0], kernel[2], kernel[1, :, 64:]):
        np.testing.assert_allclose(noise.std(), 0.5 / 8, rtol=0.1)


def test_config():
    first = CenterTap(0.2, seed=4)
    again = keras.initializers.deserialize(keras.initializers.serialize(first))
    assert again.get_config() == {"stddev": 0.2, "seed": 4}
    np.testing.assert_array_equal(ops.convert_to_numpy(again((3, 4, 4))), ops.convert_to_numpy(first((3, 4, 4))))

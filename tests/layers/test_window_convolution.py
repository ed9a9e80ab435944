import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import WindowConvolution


def slow_convolution(x, kernel, bias):
    """Window by window, zero vectors outside; an even window has one more token on the right."""
    window = len(kernel)
    left = (window - 1) // 2
    out = np.zeros((len(x), kernel.shape[-1]))
    for t in range(len(x)):
        for k in range(window):
            if 0 <= t + k - left < len(x):
                out[t] += x[t + k - left] @ kernel[k]
    return out + bias


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5])
def test_against_a_slow_loop_on_the_sentence_alone(window):
    """With padding of any content, as if the padding were not there."""
    random = np.random.default_rng(window)
    x = random.normal(size=(2, 6, 3)).astype("float32")
    lengths = [6, 4]
    mask = np.arange(6) < np.array(lengths)[:, None]
    x[~mask] = 1e4
    layer = WindowConvolution(4, window, bias_initializer="ones")
    got = ops.convert_to_numpy(layer(x, mask=mask))
    for b, n in enumerate(lengths):
        expected = slow_convolution(x[b, :n], ops.convert_to_numpy(layer.kernel), 1.0)
        np.testing.assert_allclose(got[b, :n], expected, atol=1e-5)


def test_same_as_keras_conv1d_without_padding():
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    layer, reference = WindowConvolution(4, 3), keras.layers.Conv1D(4, 3, padding="same")
    layer(x), reference(x)
    reference.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), ops.convert_to_numpy(reference(x)), atol=1e-5)


def test_what_is_not_finite_at_padding_does_not_get_through():
    x = np.array([[[1.0], [2.0], [np.nan]]], "float32")
    layer = WindowConvolution(1, 3, kernel_initializer="ones")
    got = ops.convert_to_numpy(layer(x, mask=np.array([[True, True, False]])))
    np.testing.assert_array_equal(got[0, :2, 0], [3, 3])


@pytest.mark.parametrize("arguments", [{"filters": 0}, {"filters": 2, "window": 0}, {"filters": 2.5}])
def test_errors(arguments):
    with pytest.raises(ValueError, match=r"must be a positive integer\. Received"):
        WindowConvolution(**arguments)

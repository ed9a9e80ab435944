import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import Maxout


def test_takes_the_greater_of_neighbours():
    layer = Maxout(2)
    layer.build((1, 4))
    layer.projection.kernel.assign(np.eye(4))
    result = layer(np.array([[1.0, 5.0, -3.0, -4.0]], "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(result), [[5.0, -3.0]])


@pytest.mark.parametrize("pool_size", [1, 2, 3])
def test_equals_the_slow_loop(pool_size):
    projected = np.random.default_rng(0).normal(size=(2, 3, 4 * pool_size)).astype("float32")
    expected = [[[max(row[i : i + pool_size]) for i in range(0, len(row), pool_size)] for row in x] for x in projected]
    maxima = Maxout(4, pool_size).maxima(ops.convert_to_tensor(projected))
    np.testing.assert_array_equal(ops.convert_to_numpy(maxima), expected)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the gradient is taken by TensorFlow's tape")
def test_the_gradient_goes_to_the_greatest():
    import tensorflow as tf

    projected = tf.constant([[1.0, 5.0, -3.0, -4.0]])
    with tf.GradientTape() as tape:
        tape.watch(projected)
        maxima = Maxout(2).maxima(projected)
    gradient = tape.gradient(maxima, projected, tf.constant([[2.0, 3.0]]))
    np.testing.assert_array_equal(gradient, [[0.0, 2.0, 3.0, 0.0]])


def test_bad_arguments():
    with pytest.raises(ValueError, match="units=0"):
        Maxout(0)
    with pytest.raises(ValueError, match="pool_size=0"):
        Maxout(3, 0)

import warnings

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers.masked_softmax import masked_softmax


def slow_masked_softmax(scores, mask):
    """Row by row, over the real entries only."""
    weights = np.zeros(scores.shape)
    for index in np.ndindex(scores.shape[:-1]):
        real = np.flatnonzero(mask[index])
        if real.size:
            exponentials = np.exp(scores[index][real].astype("float64"))
            weights[index][real] = exponentials / exponentials.sum()
    return weights


def gradient(function, x):
    """Gradient of a scalar function by automatic differentiation on TensorFlow; the other backends skip."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def test_against_a_slow_loop():
    random = np.random.default_rng(0)
    scores = random.normal(size=(3, 4, 5)).astype("float32") * 3
    mask = random.random((3, 4, 5)) < 0.5
    mask[1, 2] = False
    weights = ops.convert_to_numpy(masked_softmax(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask)))
    np.testing.assert_allclose(weights, slow_masked_softmax(scores, mask), atol=1e-6)
    assert (weights[~mask] == 0).all()


def test_without_a_mask_it_is_the_softmax():
    scores = np.log(np.array([[1.0, 2.0, 5.0]], "float32"))
    weights = ops.convert_to_numpy(masked_softmax(ops.convert_to_tensor(scores)))
    np.testing.assert_allclose(weights, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-6)


def test_mask_broadcasts():
    scores = np.zeros((2, 3, 4), "float32")
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0]], bool)
    weights = ops.convert_to_numpy(masked_softmax(ops.convert_to_tensor(scores), ops.convert_to_tensor(mask[:, None])))
    assert weights[0].tolist() == [[0.5, 0.5, 0, 0]] * 3
    assert not weights[1].any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtype(dtype):
    weights = masked_softmax(ops.cast([[1.0, 2.0]], dtype), ops.convert_to_tensor([[False, False]]))
    assert keras.backend.standardize_dtype(weights.dtype) == ("float64" if dtype == "float64" else "float32")
    assert ops.convert_to_numpy(weights).tolist() == [[0, 0]]


def test_large_scores_and_garbage_in_the_padding():
    scores = ops.convert_to_tensor(np.array([[3e4, -3e4, np.inf, np.nan], [-3e4, -3e4, 3e38, -3e38]], "float32"))
    mask = ops.convert_to_tensor([[True, True, False, False]] * 2)
    assert ops.convert_to_numpy(masked_softmax(scores, mask)).tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0, 0]]


def test_one_key_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ops.convert_to_numpy(masked_softmax(ops.convert_to_tensor([[7.0]]))).tolist() == [[1]]


def test_gradient_is_finite_and_right():
    scores = np.array([[0.3, -1.0, 2.0, 5.0], [1.0, 2.0, 3.0, 4.0], [1e4, 0.0, 0.0, 0.0]], "float64")
    mask = np.array([[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]], bool)
    coefficients = np.array([1.0, 10.0, 100.0, 1000.0])
    got = gradient(lambda x: ops.sum(masked_softmax(x, ops.convert_to_tensor(mask)) * coefficients), scores)
    assert np.isfinite(got).all()
    assert not got[1].any()
    assert not got[~mask].any()
    for i in range(4):
        step = np.eye(4)[i] * 1e-5
        up, down = ((slow_masked_softmax(scores[:1] + s, mask[:1]) * coefficients).sum() for s in (step, -step))
        np.testing.assert_allclose(got[0, i], (up - down) / 2e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 0), (0, 3, 4), (2, 0, 4)])
def test_nothing_to_attend_to(shape):
    for mask in (None, np.ones((*shape[:1], 1, *shape[2:]), bool)):
        assert tuple(masked_softmax(ops.ones(shape), mask).shape) == shape

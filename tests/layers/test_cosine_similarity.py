import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import CosineSimilarity


def test_by_hand():
    x = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 1.0]], "float32")
    y = np.array([[3.0, 4.0], [0.0, 2.0], [-2.0, -2.0]], "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(CosineSimilarity()([x, y])), [1, 0, -1], atol=1e-6)


def test_all_pairs_and_broadcast_are_pairs():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(3, 5)).astype("float32"), random.normal(size=(4, 5)).astype("float32")
    expected = [[a @ b / np.sqrt(a @ a) / np.sqrt(b @ b) for b in y] for a in x]
    layer = CosineSimilarity()
    np.testing.assert_allclose(ops.convert_to_numpy(layer([x, y], all_pairs=True)), expected, atol=1e-6)
    broadcast = layer([x[:, None], np.broadcast_to(y, (3, 4, 5))])
    np.testing.assert_allclose(ops.convert_to_numpy(broadcast), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e-8, 1e8])
def test_tiny_and_large_vectors(scale):
    """Zero counts as zero, with zero gradients; from 1e-12 up a length changes nothing."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    x, y = tf.constant([[3.0, 4.0]]) * scale, tf.constant([[4.0, 3.0]])
    for all_pairs in (False, True):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            similarity = CosineSimilarity()([x, y], all_pairs=all_pairs)
        gradients = tape.gradient(similarity, [x, y])
        np.testing.assert_allclose(np.ravel(similarity), [0.96 if scale > 1e-12 else 0.0], rtol=1e-6)
        assert all(np.isfinite(g).all() for g in gradients)
        if scale < 1e-12:
            assert not any(np.any(g) for g in gradients)


def test_float32_under_every_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        x = ops.cast([[1.0, 1.0]], "bfloat16")
        got = CosineSimilarity()([x, ops.cast([[1.0, 0.0]], "bfloat16")])
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(got.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(got), [np.sqrt(0.5)], rtol=1e-6)


def test_two_widths_are_refused():
    """A width of 1 would broadcast, to a cosine of 2."""
    for all_pairs in (False, True):
        for width in (1, 3):
            with pytest.raises(ValueError, match=rf"one width. Received: .*\[\(2, 4\), \(2, {width}\)\]"):
                CosineSimilarity()([ops.ones((2, 4)), ops.ones((2, width))], all_pairs=all_pairs)
            with pytest.raises(ValueError, match="one width"):
                CosineSimilarity()([keras.Input((4,)), keras.Input((width,))], all_pairs=all_pairs)

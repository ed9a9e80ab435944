"""The chunked loss against `TokenCrossEntropy` on all logits, and against automatic differentiation."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import TokenCrossEntropy, chunked_cross_entropy

RANDOM = np.random.default_rng(0)
FEATURES, KERNEL, BIAS = (RANDOM.normal(size=shape).astype("float32") for shape in ((7, 4), (4, 6), (6,)))
TARGETS = RANDOM.integers(0, 6, 7).astype("int32")
WEIGHTS = np.array([1, 1, 0, 1, 0.5, 1, 0], "float32")


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("chunk_size", [1, 3, 7, 100])
@pytest.mark.parametrize("training", [False, True])
def test_is_the_loss_on_all_logits(label_smoothing, chunk_size, training):
    whole = TokenCrossEntropy(label_smoothing=label_smoothing, reduction="sum")
    for bias in (None, BIAS):
        logits = FEATURES @ KERNEL + (0 if bias is None else bias)
        expected = float(whole(TARGETS[None], logits[None], WEIGHTS[None]))
        options = {"label_smoothing": label_smoothing, "chunk_size": chunk_size, "training": training}
        found = float(chunked_cross_entropy(FEATURES, KERNEL, bias, TARGETS, WEIGHTS, **options))
        assert found == pytest.approx(expected, rel=1e-5)


def tf_only():
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("automatic differentiation is TensorFlow's here")
    return tf


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gradients_are_the_automatic_ones(label_smoothing):
    tf = tf_only()
    inputs = [tf.constant(x) for x in (FEATURES, KERNEL, BIAS)]

    def gradients(loss_of):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = 3.0 * loss_of(*inputs)
        return tape.gradient(loss, inputs)

    def whole(features, kernel, bias):
        logits = (features @ kernel + bias)[None]
        loss = TokenCrossEntropy(label_smoothing=label_smoothing, reduction="sum")
        return loss(TARGETS[None], logits, WEIGHTS[None])

    def chunked(features, kernel, bias):
        options = {"label_smoothing": label_smoothing, "chunk_size": 3}
        return chunked_cross_entropy(features, kernel, bias, TARGETS, WEIGHTS, **options)

    expected = gradients(whole)
    for way in (gradients, tf.function(gradients), tf.function(gradients, jit_compile=True)):
        for a, b in zip(expected, way(chunked), strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), atol=1e-5)


def test_no_more_logits_than_a_chunk_at_a_time(monkeypatch):
    tf = tf_only()
    shapes, kernel = [], tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits

    def recorded(features, labels):
        shapes.append(tuple(features.shape))
        return kernel(features=features, labels=labels)

    monkeypatch.setattr(tf.raw_ops, "SparseSoftmaxCrossEntropyWithLogits", recorded)
    inputs = [tf.constant(x) for x in (FEATURES, KERNEL)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = chunked_cross_entropy(*inputs, None, TARGETS, WEIGHTS, chunk_size=2)
    assert [g.shape for g in tape.gradient(loss, inputs)] == [(7, 4), (4, 6)]
    assert shapes == [(2, 6)] * 4


def test_wrong_chunk_size():
    with pytest.raises(ValueError, match="chunk_size=0"):
        chunked_cross_entropy(FEATURES, KERNEL, None, TARGETS, WEIGHTS, chunk_size=0)


def test_float16_features_give_a_float32_loss():
    low = [ops.cast(x, "float16") for x in (FEATURES, KERNEL)]
    found = chunked_cross_entropy(*low, None, TARGETS, WEIGHTS, chunk_size=3)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    expected = chunked_cross_entropy(FEATURES, KERNEL, None, TARGETS, WEIGHTS, chunk_size=3)
    assert float(found) == pytest.approx(float(expected), rel=1e-2)

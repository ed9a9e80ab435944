import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import TokenCrossEntropy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(2, 3, 7)).astype("float32")
LABELS = np.array([[5, 2, 0], [3, 0, 0]])


def slow_loss(smoothing):
    losses = []
    for row, labels in zip(LOGITS, LABELS):
        for logits, label in zip(row, labels):
            if label:
                log_p = logits - np.log(np.exp(logits).sum())
                losses.append(-(1 - smoothing) * log_p[label] - smoothing * log_p.mean())
    return np.mean(losses)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_equals_the_slow_loop(smoothing):
    loss = TokenCrossEntropy(label_smoothing=smoothing)
    np.testing.assert_allclose(float(loss(LABELS, LOGITS)), slow_loss(smoothing), rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_torch(smoothing):
    torch = pytest.importorskip("torch")
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS).flatten(0, 1), torch.tensor(LABELS).flatten(), ignore_index=0, label_smoothing=smoothing
    )
    np.testing.assert_allclose(float(TokenCrossEntropy(smoothing)(LABELS, LOGITS)), float(expected), rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the gradient is taken by TensorFlow's tape")
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradient_is_the_difference_of_distributions(smoothing):
    import tensorflow as tf

    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = TokenCrossEntropy(smoothing)(LABELS, logits)
    probability = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    target = (1 - smoothing) * np.eye(7)[LABELS] + smoothing / 7
    real = LABELS != 0
    expected = (probability - target) * real[..., None] / real.sum()
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="graphs are counted on TensorFlow")
def test_nothing_is_scattered_into_the_logits():
    import tensorflow as tf

    @tf.function
    def gradient(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = TokenCrossEntropy(0.1)(LABELS, logits)
        return tape.gradient(loss, logits)

    operations = {op.type for op in gradient.get_concrete_function(tf.constant(LOGITS)).graph.get_operations()}
    assert "SoftmaxCrossEntropyWithLogits" in operations
    assert not {name for name in operations if "Scatter" in name or "SegmentSum" in name}


def test_padding_adds_nothing():
    loss = TokenCrossEntropy(0.1)
    padded = np.concatenate([LOGITS, RNG.normal(size=(2, 4, 7)) * 50], axis=1).astype("float32")
    labels = np.concatenate([LABELS, np.zeros((2, 4), int)], axis=1)
    np.testing.assert_allclose(float(loss(labels, padded)), float(loss(LABELS, LOGITS)), rtol=1e-6)


def test_weights_rule_over_the_ids():
    weights = np.array([[1.0, 0, 0], [0, 0, 0]])
    loss = TokenCrossEntropy()
    expected = -(LOGITS[0, 0, 5] - np.log(np.exp(LOGITS[0, 0]).sum()))
    np.testing.assert_allclose(float(loss(LABELS, LOGITS, weights)), expected, rtol=1e-5)


def test_is_float32_on_half_precision_logits():
    loss = TokenCrossEntropy()(LABELS, ops.cast(LOGITS, "float16"))
    assert ops.convert_to_numpy(loss).dtype == np.float32


def test_bad_smoothing():
    with pytest.raises(ValueError, match="label_smoothing=1"):
        TokenCrossEntropy(1.0)

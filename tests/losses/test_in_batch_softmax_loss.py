import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import InBatchSoftmaxLoss


def slow_loss(labels, similarities, temperature):
    values = []
    for y, s in zip(labels, similarities.astype("float64")):
        right, wrong = np.exp(s[y == 1] / temperature), np.exp(s[y == 0] / temperature)
        values.append(np.mean([-np.log(r / (r + wrong.sum())) for r in right]) if len(right) and len(wrong) else None)
    return values


def lists(seed=0):
    random = np.random.default_rng(seed)
    labels = random.choice([-1, 0, 0, 1], size=(20, 7))
    labels[0], labels[1], labels[2] = 1, 0, -1
    return labels, random.uniform(-1, 1, size=(20, 7)).astype("float32")


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_against_a_slow_loop(temperature):
    labels, similarities = lists()
    values = slow_loss(labels, similarities, temperature)
    exist = [v for v in values if v is not None]
    loss = InBatchSoftmaxLoss(temperature)
    np.testing.assert_allclose(float(loss(labels, similarities)), np.mean(exist), rtol=1e-5)
    each = InBatchSoftmaxLoss(temperature, reduction="none")(labels, similarities)
    np.testing.assert_allclose(ops.convert_to_numpy(each), [v or 0.0 for v in values], rtol=1e-4, atol=1e-6)


def test_same_as_categorical_crossentropy_on_a_batch():
    similarities = np.random.default_rng(0).uniform(-1, 1, (6, 6)).astype("float32")
    expected = keras.losses.CategoricalCrossentropy(from_logits=True)(np.eye(6), similarities * 20)
    np.testing.assert_allclose(float(InBatchSoftmaxLoss()(np.eye(6), similarities)), float(expected), rtol=1e-5)
    other = keras.losses.CategoricalCrossentropy(from_logits=True)(np.eye(6), similarities.T * 20)
    both = InBatchSoftmaxLoss(symmetric=True)(np.eye(6), similarities)
    np.testing.assert_allclose(float(both), (float(expected) + float(other)) / 2, rtol=1e-5)


def test_same_as_info_nce_of_pytorch_metric_learning():
    torch = pytest.importorskip("torch")
    pytest.importorskip("pytorch_metric_learning")
    from pytorch_metric_learning import distances, losses

    random = np.random.default_rng(1)
    questions, answers = random.normal(size=(5, 4)), random.normal(size=(5, 4))
    reference = losses.NTXentLoss(temperature=0.2, distance=distances.CosineSimilarity())
    expected = reference(
        torch.tensor(questions), torch.arange(5), ref_emb=torch.tensor(answers), ref_labels=torch.arange(5)
    )
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (questions, answers)]
    got = InBatchSoftmaxLoss(0.2)(np.eye(5), unit[0] @ unit[1].T)
    np.testing.assert_allclose(float(got), float(expected), rtol=1e-5)


def test_gradients_by_hand():
    """Two equal similarities at T = 1: half the mass is wrong, so -1/2 and +1/2; nothing at padding or empty lists."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    similarities = tf.constant([[0.3, 0.3, 0.9], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
    with tf.GradientTape() as tape:
        tape.watch(similarities)
        loss = InBatchSoftmaxLoss(1.0)([[1, 0, -1], [-1, -1, -1], [1, 1, 1]], similarities)
    expected = [[-0.5, 0.5, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(tape.gradient(loss, similarities), expected, atol=1e-6)


def test_errors():
    for arguments, received in (
        ({"temperature": 0}, "temperature=0"),
        ({"reduction": "mean"}, "reduction='mean'"),
        ({"symmetric": True, "reduction": "none"}, "symmetric=True"),
    ):
        with pytest.raises(ValueError, match=received):
            InBatchSoftmaxLoss(**arguments)
    with pytest.raises(ValueError, match="sample_weight"):
        InBatchSoftmaxLoss(symmetric=True)(np.eye(2), np.eye(2), sample_weight=[1, 1])

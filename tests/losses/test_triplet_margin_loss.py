import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import TripletMarginLoss, triplet_margin_loss


def slow_loss(labels, similarities, margin, mining, active=False):
    """Question by question, right answer by right answer."""
    values = []
    for y, s in zip(labels, similarities):
        right, wrong = s[y == 1], s[y == 0]
        pairs = []
        for r in right if len(wrong) else []:
            picked = {"all": wrong, "hardest": wrong[[wrong.argmax()]]}.get(mining)
            if mining == "semi_hard":
                picked = wrong[(wrong < r) & (wrong > r - margin)]
                picked = picked if len(picked) else wrong[[wrong.argmax()]]
            pairs += [max(0.0, margin - r + w) for w in picked]
        pairs = [p for p in pairs if p > 0] if active else pairs
        values.append(np.mean(pairs) if pairs else None)
    return values


def lists(seed=0, batch=20, candidates=7):
    random = np.random.default_rng(seed)
    labels = random.choice([-1, 0, 0, 1], size=(batch, candidates))
    labels[0], labels[1], labels[2] = 1, 0, -1
    return labels, random.uniform(-1, 1, size=(batch, candidates)).astype("float32")


@pytest.mark.parametrize("average", ["pairs", "active_pairs"])
@pytest.mark.parametrize("mining", ["all", "hardest", "semi_hard"])
def test_against_a_slow_loop(mining, average):
    labels, similarities = lists()
    values = slow_loss(labels, similarities, 0.4, mining, average == "active_pairs")
    exist = [v for v in values if v is not None]
    assert len(exist) < len(values)
    got = {
        reduction: ops.convert_to_numpy(TripletMarginLoss(0.4, mining, average, reduction)(labels, similarities))
        for reduction in ("sum_over_batch_size", "sum", "none")
    }
    np.testing.assert_allclose(got["none"], [v or 0.0 for v in values], atol=1e-6)
    np.testing.assert_allclose(got["sum"], np.sum(exist), rtol=1e-5)
    np.testing.assert_allclose(got["sum_over_batch_size"], np.mean(exist), rtol=1e-5)


def test_several_right_answers_by_hand():
    """Right .5 and .1 against the hardest wrong one, .3, margin .1: violations 0 and .3, mean .15."""
    loss = TripletMarginLoss(0.1)
    np.testing.assert_allclose(loss([[1, 1, 0, 0]], [[0.5, 0.1, 0.3, -0.9]]), 0.15, atol=1e-6)
    np.testing.assert_allclose(
        TripletMarginLoss(0.1, average="active_pairs")([[1, 1, 0, 0]], [[0.5, 0.1, 0.3, -0.9]]), 0.3, atol=1e-6
    )


def test_nothing_to_learn_from():
    labels = np.array([[1, 1], [0, 0], [-1, -1]])
    for reduction in ("sum_over_batch_size", "sum"):
        assert float(TripletMarginLoss(reduction=reduction)(labels, np.zeros((3, 2)))) == 0.0


@pytest.mark.parametrize("mining", ["all", "hardest", "semi_hard"])
def test_gradients_by_hand(mining):
    """One question, right 0.2, wrong 0.3, padding with NaN content: -1 and +1, and 0 at padding."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    similarities = tf.constant([[0.2, 0.3, 0.9], [0.1, 0.2, 0.3]])
    with tf.GradientTape() as tape:
        tape.watch(similarities)
        loss = TripletMarginLoss(0.5, mining)([[1, 0, -1], [-1, -1, -1]], similarities)
    np.testing.assert_allclose(tape.gradient(loss, similarities), [[-1, 1, 0], [0, 0, 0]], atol=1e-6)


def test_sample_weight():
    labels, similarities = np.array([[1, 0], [1, 0]]), np.array([[0.0, 0.0], [0.0, 0.5]])
    loss = TripletMarginLoss(0.2)
    np.testing.assert_allclose(loss(labels, similarities, sample_weight=[1.0, 0.0]), 0.1, atol=1e-6)


def test_through_fit_learns_the_order():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.SGD(0.5), TripletMarginLoss(0.3))
    x, y = np.eye(4, dtype="float32"), np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]])
    model.fit(x, y, epochs=30, verbose=0)
    similarities = model.predict(x, verbose=0)[:3]
    assert (similarities.argmax(1) == [0, 1, 2]).all()
    assert float(TripletMarginLoss(0.3)(y[:3], similarities)) < 0.05


def test_errors():
    for arguments, received in (
        ({"margin": 0}, "margin=0"),
        ({"mining": "easy"}, "mining='easy'"),
        ({"average": "some"}, "average='some'"),
        ({"reduction": "mean"}, "reduction='mean'"),
    ):
        with pytest.raises(ValueError, match=received):
            TripletMarginLoss(**arguments)
    with pytest.raises(ValueError, match="distance='manhattan'"):
        triplet_margin_loss(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)), distance="manhattan")


def embeddings(seed=0, rows=16, width=5):
    return np.random.default_rng(seed).normal(size=(3, rows, width)).astype("float32")


@pytest.mark.parametrize("swap", [False, True])
def test_same_as_torch(swap):
    torch = pytest.importorskip("torch")
    anchor, positive, negative = embeddings()
    reference = torch.nn.TripletMarginLoss(margin=1.3, swap=swap, reduction="none", eps=0.0)
    expected = reference(*(torch.tensor(x) for x in (anchor, positive, negative))).numpy()
    got = triplet_margin_loss(anchor, positive, negative, 1.3, swap=swap)
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, atol=1e-5)
    assert (expected > 0).any()


def test_same_as_torch_on_cosine_distance():
    torch = pytest.importorskip("torch")
    anchor, positive, negative = embeddings(1)
    reference = torch.nn.TripletMarginWithDistanceLoss(
        distance_function=lambda x, y: 1 - torch.nn.functional.cosine_similarity(x, y), margin=0.4, reduction="none"
    )
    expected = reference(*(torch.tensor(x) for x in (anchor, positive, negative))).numpy()
    got = triplet_margin_loss(anchor, positive, negative, 0.4, "cosine")
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, atol=1e-5)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("swap", [False, True])
def test_same_as_pytorch_metric_learning(swap, smooth, distance):
    torch = pytest.importorskip("torch")
    pytest.importorskip("pytorch_metric_learning")
    from pytorch_metric_learning import distances, losses, reducers

    anchor, positive, negative = embeddings(2)
    measure = (
        distances.LpDistance(normalize_embeddings=False) if distance == "euclidean" else distances.CosineSimilarity()
    )
    reference = losses.TripletMarginLoss(
        margin=0.7,
        swap=swap,
        smooth_loss=smooth,
        distance=measure,
        reducer=reducers.DoNothingReducer(),
    )
    n = len(anchor)
    index = torch.arange(n)
    everything = torch.tensor(np.concatenate([anchor, positive, negative]))
    result = reference(everything, indices_tuple=(index, index + n, index + 2 * n))
    expected = result["loss"]["losses"].numpy()
    got = triplet_margin_loss(anchor, positive, negative, 0.7, distance, swap, smooth)
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, atol=1e-5)


@pytest.mark.parametrize("average", ["pairs", "active_pairs"])
def test_list_loss_is_pytorch_metric_learnings_on_the_same_triplets(average):
    """One right answer a question: all its triplets, mean or mean over active ones, as their reducers have them."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pytorch_metric_learning")
    from pytorch_metric_learning import distances, losses, reducers

    random = np.random.default_rng(3)
    question, answers = random.normal(size=(1, 6)), random.normal(size=(5, 6))
    reducer = reducers.MeanReducer() if average == "pairs" else reducers.AvgNonZeroReducer()
    reference = losses.TripletMarginLoss(margin=0.6, distance=distances.CosineSimilarity(), reducer=reducer)
    everything = torch.tensor(np.concatenate([question, answers]))
    indices = tuple(torch.tensor(x) for x in ([0] * 4, [1] * 4, [2, 3, 4, 5]))
    expected = float(reference(everything, indices_tuple=indices))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (question, answers)]
    got = TripletMarginLoss(0.6, "all", average)([[1, 0, 0, 0, 0]], unit[0] @ unit[1].T)
    np.testing.assert_allclose(float(got), expected, rtol=1e-5)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_finite_gradients_of_equal_and_zero_vectors(distance):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    for anchor, positive, negative in (([0.0, 0.0],) * 3, ([1.0, 2.0],) * 3, ([0.0, 0.0], [1.0, 2.0], [1.0, 2.0])):
        tensors = [tf.constant([x]) for x in (anchor, positive, negative)]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            loss = triplet_margin_loss(*tensors, distance=distance, swap=True)
        assert np.isfinite(loss).all()
        assert all(np.isfinite(g).all() for g in tape.gradient(loss, tensors))

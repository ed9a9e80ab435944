"""The Keras metrics against the functions on arrays."""

import keras
import numpy
import pytest
from keras import ops

from keras_attention.metrics.accuracy_at_1 import AccuracyAt1
from keras_attention.metrics.mean_average_precision import MeanAveragePrecision
from keras_attention.metrics.mean_reciprocal_rank import MeanReciprocalRank
from keras_attention.metrics.ndcg import NDCG
from keras_attention.metrics.ranking import accuracy_at_1, average_precision, ndcg, reciprocal_rank

PAIRS = [
    (AccuracyAt1, {}, accuracy_at_1),
    (MeanReciprocalRank, {}, reciprocal_rank),
    (MeanReciprocalRank, {"k": 3}, lambda s, y: reciprocal_rank(s, y, 3)),
    (MeanAveragePrecision, {}, average_precision),
    (NDCG, {"k": 5}, lambda s, y: ndcg(s, y, 5)),
    (NDCG, {"k": None}, ndcg),
]


def random_lists(seed, questions=40, candidates=30):
    """Return scores with many ties and labels with padding and some questions without a right answer."""
    random = numpy.random.default_rng(seed)
    scores = random.integers(0, 12, (questions, candidates)).astype("float32")
    labels = (random.random((questions, candidates)) < 0.1).astype("int32")
    labels[numpy.arange(candidates) >= random.integers(1, candidates + 1, (questions, 1))] = -1
    labels[:3] = numpy.minimum(labels[:3], 0)
    return scores, labels


@pytest.mark.parametrize(("metric_class", "arguments", "function"), PAIRS)
def test_equal_to_the_function_over_two_batches(metric_class, arguments, function):
    scores, labels = random_lists(1)
    metric = metric_class(**arguments)
    metric.update_state(labels[:25], scores[:25])
    metric.update_state(labels[25:], scores[25:])
    assert float(metric.result()) == pytest.approx(numpy.nanmean(function(scores, labels)), rel=1e-5)
    metric.reset_state()
    assert float(metric.result()) == 0.0


@pytest.mark.parametrize(("metric_class", "arguments", "function"), PAIRS)
def test_weights_are_per_question(metric_class, arguments, function):
    scores, labels = random_lists(2)
    weights = numpy.random.default_rng(3).random(40)
    values = function(scores, labels)
    kept = ~numpy.isnan(values)
    metric = metric_class(**arguments)
    metric.update_state(labels, scores, sample_weight=weights[:, None])
    assert float(metric.result()) == pytest.approx(numpy.average(values[kept], weights=weights[kept]), rel=1e-5)


@pytest.mark.parametrize(("metric_class", "arguments", "function"), PAIRS)
def test_config_round_trip(metric_class, arguments, function):
    scores, labels = random_lists(4)
    metric = keras.metrics.deserialize(keras.metrics.serialize(metric_class(**arguments)))
    metric.update_state(labels, scores)
    assert float(metric.result()) == pytest.approx(numpy.nanmean(function(scores, labels)), rel=1e-5)
    assert metric.name == metric_class(**arguments).name


def test_inside_fit_with_lists_of_changing_length():
    inputs = keras.Input((None, 1))
    outputs = ops.squeeze(keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs), -1)
    model = keras.Model(inputs, outputs)
    model.compile(loss="mse", metrics=[AccuracyAt1(), NDCG(3)])
    for candidates in (4, 7):
        scores, labels = random_lists(5, 8, candidates)
        labels = numpy.maximum(labels, 0)
        labels[:, 0] = 1
        logs = model.evaluate(scores[..., None], labels, verbose=0, return_dict=True)
        assert logs["accuracy_at_1"] == pytest.approx(accuracy_at_1(scores, labels).mean(), rel=1e-5)
        assert logs["ndcg_at_3"] == pytest.approx(ndcg(scores, labels, 3).mean(), rel=1e-5)


def test_half_precision_scores_and_nan():
    metric = MeanReciprocalRank()
    metric.update_state([[0, 1, 0]], ops.cast([[0.5, float("nan"), 0.25]], "float16"))
    assert float(metric.result()) == pytest.approx(1 / 3)


def test_errors():
    with pytest.raises(ValueError, match=r"y_true.shape=\(2,\)"):
        AccuracyAt1().update_state([0, 1], [0.5, 0.2])
    with pytest.raises(ValueError, match="k=-1"):
        NDCG(k=-1)
    for shape in ((1, 2), (2, 1), (2, 3)):
        with pytest.raises(ValueError, match=r"both be \(batch, candidates\)"):
            AccuracyAt1().update_state(numpy.ones(shape), numpy.ones((2, 2)))

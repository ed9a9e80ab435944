"""Ranking figures against every order of the ties, against scikit-learn and against what chance gives."""

import itertools
import math

import numpy
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from keras_attention.metrics.ranking import (
    accuracy_at_1,
    average_precision,
    ndcg,
    pad_lists,
    ranking_values,
    reciprocal_rank,
)


def figures_of_order(labels, k):
    """Return accuracy, reciprocal rank at k, average precision and NDCG at k of labels already in order of rank."""
    right = [rank for rank, label in enumerate(labels, start=1) if label > 0]
    precision = [(place + 1) / rank for place, rank in enumerate(right)]
    gain = sum(label / math.log2(rank + 1) for rank, label in enumerate(labels[:k], start=1))
    best = sum(label / math.log2(rank + 1) for rank, label in enumerate(sorted(labels, reverse=True)[:k], start=1))
    return (
        float(labels[0] > 0),
        1 / right[0] if right[0] <= k else 0.0,
        sum(precision) / len(right),
        gain / best,
    )


def mean_over_tie_orders(scores, labels, k):
    """Average the figures over all orders of the items in which scores do not rise: the tie rule, word for word."""
    items = list(zip(scores, labels))
    kept = []
    for order in itertools.permutations(items):
        if all(a[0] >= b[0] for a, b in itertools.pairwise(order)):
            kept.append(figures_of_order([label for _, label in order], k))
    return numpy.mean(kept, axis=0)


def package_figures(scores, labels, k):
    scores, labels = numpy.asarray([scores]), numpy.asarray([labels])
    return numpy.concatenate(
        [
            accuracy_at_1(scores, labels),
            reciprocal_rank(scores, labels, k),
            average_precision(scores, labels),
            ndcg(scores, labels, k),
        ]
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("k", [1, 3, 7])
def test_ties_equal_the_mean_over_all_permutations(seed, k):
    random = numpy.random.default_rng(seed)
    size = int(random.integers(1, 7))
    scores = random.integers(0, 3, size).astype("float64")
    labels = random.integers(0, 2 if seed % 2 else 4, size)
    labels[random.integers(size)] = 1
    numpy.testing.assert_allclose(
        package_figures(scores, labels, k), mean_over_tie_orders(scores, list(labels), k), atol=1e-12
    )


@pytest.mark.parametrize("place", range(4))
def test_a_constant_scorer_gets_chance_wherever_the_right_answer_is_listed(place):
    labels = [0, 0, 0, 0]
    labels[place] = 1
    # One right answer among four: rank uniform on 1 to 4.
    chance = (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    discounts = sum(1 / math.log2(rank + 1) for rank in range(1, 5)) / 4
    numpy.testing.assert_allclose(package_figures([0.3] * 4, labels, 4), [1 / 4, chance, chance, discounts])


def test_a_large_pool_of_ties_gives_the_harmonic_number():
    labels = numpy.zeros((1, 500))
    labels[0, 123] = 1
    harmonic = sum(1 / rank for rank in range(1, 501)) / 500
    values = ranking_values(numpy.zeros((1, 500)), labels)
    assert values["accuracy_at_1"][0] == pytest.approx(1 / 500)
    assert values["mrr"][0] == pytest.approx(harmonic)
    assert values["map"][0] == pytest.approx(harmonic)


def test_without_ties_equal_to_scikit_learn():
    random = numpy.random.default_rng(3)
    scores = random.permutation(50 * 20).reshape(50, 20) / 1000.0
    labels = (random.random((50, 20)) < 0.2).astype(int)
    labels[:, 7] = 1
    for k in (1, 5, 10, 20):
        expected = [ndcg_score([row], [s], k=k) for row, s in zip(labels, scores)]
        numpy.testing.assert_allclose(ndcg(scores, labels, k), expected)
    expected = [average_precision_score(row, s) for row, s in zip(labels, scores)]
    numpy.testing.assert_allclose(average_precision(scores, labels), expected)
    best = labels[numpy.arange(50), scores.argmax(axis=1)]
    numpy.testing.assert_array_equal(accuracy_at_1(scores, labels), best)
    ranks = [min(rank for rank, i in enumerate(numpy.argsort(-s), 1) if row[i]) for row, s in zip(labels, scores)]
    numpy.testing.assert_allclose(reciprocal_rank(scores, labels), 1 / numpy.array(ranks))


def test_with_ties_ndcg_is_scikit_learns():
    random = numpy.random.default_rng(4)
    scores = random.integers(0, 4, (30, 12))
    labels = random.integers(0, 4, (30, 12))
    labels[:, 0] = 2
    expected = [ndcg_score([row], [s], k=5) for row, s in zip(labels, scores)]
    numpy.testing.assert_allclose(ndcg(scores, labels, 5), expected)


def test_without_ties_equal_to_ranx():
    ranx = pytest.importorskip("ranx")
    random = numpy.random.default_rng(5)
    scores = random.permutation(20 * 15).reshape(20, 15) / 300.0
    labels = (random.random((20, 15)) < 0.25).astype(int)
    labels[:, 2] = 1
    qrels = ranx.Qrels({f"q{q}": {f"d{d}": int(v) for d, v in enumerate(row) if v} for q, row in enumerate(labels)})
    run = ranx.Run({f"q{q}": {f"d{d}": float(v) for d, v in enumerate(row)} for q, row in enumerate(scores)})
    reference = ranx.evaluate(qrels, run, ["precision@1", "mrr", "map", "ndcg@10"])
    ours = ranking_values(scores, labels)
    for name, key in zip(("accuracy_at_1", "mrr", "map", "ndcg_at_10"), reference):
        assert ours[name].mean() == pytest.approx(reference[key]), name


def test_padding_and_its_content_change_nothing():
    scores = numpy.array([[0.2, 0.9, -numpy.inf]])
    labels = numpy.array([[1, 0, 1]])
    plain = ranking_values(scores, labels)
    for junk in (9.0, numpy.nan, -numpy.inf, numpy.inf):
        padded = ranking_values(numpy.append(scores, [[junk, junk]], 1), numpy.append(labels, [[-1, -1]], 1))
        for name, values in plain.items():
            numpy.testing.assert_array_equal(padded[name], values)
    numpy.testing.assert_allclose(plain["map"], (1 / 2 + 2 / 3) / 2)


def test_a_question_without_a_right_answer_has_no_value():
    for values in ranking_values([[1.0, 2.0], [1.0, 2.0]], [[0, 0], [0, 1]]).values():
        assert numpy.isnan(values[0])
        assert values[1] == 1.0


def test_errors_say_what_was_wrong():
    with pytest.raises(ValueError, match=r"scores.shape=\(1, 2\), labels.shape=\(1, 3\)"):
        accuracy_at_1([[1.0, 2.0]], [[0, 1, 0]])
    with pytest.raises(ValueError, match=r"NaN at questions \[1\]"):
        average_precision([[1.0, 2.0], [1.0, numpy.nan]], [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="k=0"):
        ndcg([[1.0, 2.0]], [[0, 1]], k=0)


def test_lists_are_padded_on_the_right():
    padded = pad_lists([[0.5], [1.0, 2.0]], -1)
    numpy.testing.assert_array_equal(padded, [[0.5, -1.0], [1.0, 2.0]])
    assert pad_lists([[1], [0, 1]], -1).dtype == "int64"

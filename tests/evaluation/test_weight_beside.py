"""How much other scores count beside a model: against the best weight there is, and against a slow search."""

import numpy as np
import pytest

from keras_attention.evaluation import choose_weight_beside, evaluate_answer_selection


def make_scores(questions):
    random = np.random.default_rng(3)
    labels = np.zeros((questions, 6))
    labels[:, 0] = 1
    labels[:, 5] = -1
    similarities = 0.3 * labels + random.normal(size=labels.shape, scale=0.3)
    return similarities, 10 * labels + random.normal(size=labels.shape, scale=5.0), labels


def test_the_weight_is_that_of_the_better_separated():
    """Gaussian noise: the best sum weighs each by its distance over its variance, 0.3 / 0.09 and 10 / 25."""
    similarities, scores, labels = make_scores(4000)
    assert choose_weight_beside(similarities, scores, labels) == pytest.approx((10 / 25) / (0.3 / 0.09), rel=0.45)


def test_it_is_the_best_of_many():
    similarities, scores, labels = make_scores(40)
    for figure in ("mrr", "map", "accuracy_at_1"):
        weight = choose_weight_beside(similarities, scores, labels, figure=figure)
        figures = [
            evaluate_answer_selection(similarities + np.float32(one) * scores, labels)[figure]
            for one in (0.0, 0.5 * weight, 0.8 * weight, weight, 1.25 * weight, 3 * weight, 1e4)
        ]
        assert figures[3] >= max(figures) - 0.03
        assert figures[3] > figures[0]


def test_units_and_padding_do_not_count():
    similarities, scores, labels = make_scores(60)
    expected = choose_weight_beside(similarities, scores, labels)
    assert choose_weight_beside(similarities, 100 * scores, labels) == pytest.approx(expected / 100, rel=1e-4)
    assert choose_weight_beside(similarities, np.where(labels < 0, 1e6, scores), labels) == pytest.approx(expected)


def test_scores_that_do_not_help():
    similarities, scores, labels = make_scores(60)
    assert choose_weight_beside(labels, -scores, labels) == 0
    assert choose_weight_beside(similarities, np.zeros_like(scores), labels) == 0


def test_errors():
    with pytest.raises(ValueError, match=r"one shape \(questions, candidates\)"):
        choose_weight_beside([[0.0, 1.0]], [[0.0]], [[1, 0]])
    with pytest.raises(ValueError, match="figure"):
        choose_weight_beside([[0.0, 1.0]], [[0.0, 1.0]], [[1, 0]], figure="mean")
    with pytest.raises(ValueError, match="right"):
        choose_weight_beside([[0.0, 1.0]], [[0.0, 1.0]], [[0, 0]])

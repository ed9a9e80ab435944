"""How much other scores count beside a model: against the best weight there is, and against a slow search."""

import numpy as np
import pytest

from keras_attention.evaluation import choose_weight_beside, evaluate_answer_selection
from keras_attention.evaluation.weight_beside import RELATIVE_WEIGHTS


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


@pytest.mark.parametrize("figure", ["mrr", "map", "accuracy_at_1"])
def test_it_is_the_smallest_of_the_best(figure):
    similarities, scores, labels = make_scores(40)
    found = choose_weight_beside(similarities, scores, labels, figure=figure)
    real = labels >= 0
    unit = similarities[real].std() / scores[real].std()
    weights = [relative * unit for relative in RELATIVE_WEIGHTS]
    figures = [evaluate_answer_selection(similarities + w * scores, labels)[figure] for w in weights]
    best = next(w for w, value in zip(weights, figures) if value == max(figures))
    assert found == pytest.approx(best, rel=1e-5)
    assert 0 < found < weights[-1]


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

"""A linear ranker by maximum likelihood, and the weight of one score beside another."""

import numpy as np
import pytest

from keras_attention.evaluation import fit_listwise


def make_lists(random, sizes, features=4):
    """Return features, labels and starts; two right candidates in every list of four and more."""
    values = random.normal(size=(sum(sizes), features))
    labels = np.concatenate([np.arange(size) < (2 if size > 3 else 1) for size in sizes]).astype(int)
    return values, labels, np.cumsum([0, *sizes[:-1]])


def slow_loss(weights, features, labels, starts, ridge):
    loss = ridge / 2 * sum(w * w for w in weights)
    for begin, end in zip(starts, [*starts[1:], len(labels)]):
        scores = [float(features[row] @ weights) for row in range(begin, end)]
        total = np.log(sum(np.exp(score) for score in scores))
        right = [score for score, label in zip(scores, labels[begin:end]) if label > 0]
        loss -= sum(score - total for score in right) / len(right)
    return loss


def test_the_slope_of_a_slow_loss_is_zero_at_the_solution():
    data = make_lists(np.random.default_rng(0), [3, 5, 2, 7, 4])
    weights = fit_listwise(*data, ridge=0.3)
    best = slow_loss(weights, *data, 0.3)
    for k in range(4):
        step = np.eye(4)[k] * 1e-4
        slope = (slow_loss(weights + step, *data, 0.3) - slow_loss(weights - step, *data, 0.3)) / 2e-4
        assert abs(slope) < 1e-4
        assert slow_loss(weights + 100 * step, *data, 0.3) > best


def test_lists_of_two_are_logistic_regression_on_the_difference():
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, labels, starts = make_lists(np.random.default_rng(1), [2] * 40)
    difference = features[starts] - features[starts + 1]
    both = np.concatenate([difference, -difference])
    expected = linear_model.LogisticRegression(C=2.0, fit_intercept=False, tol=1e-10, max_iter=1000)
    expected.fit(both, np.repeat([1, 0], 40))
    # C times the loss of two copies of each pair, beside half of |w|^2: a ridge of 1 / (2 C).
    np.testing.assert_allclose(fit_listwise(features, labels, starts, ridge=0.25), expected.coef_[0], rtol=1e-4)


def test_lists_that_teach_nothing_change_nothing():
    random = np.random.default_rng(2)
    features, labels, starts = make_lists(random, [3, 4])
    more = np.concatenate([features, random.normal(size=(5, 4))])
    longer = np.concatenate([labels, [0, 0, 1, 1, 1]])
    np.testing.assert_allclose(
        fit_listwise(more, longer, [*starts, 7, 9]), fit_listwise(features, labels, starts), rtol=1e-9
    )


def test_separable_lists_end_at_the_ridge():
    weights = fit_listwise(np.array([[1000.0], [0.0]]), [1, 0], [0], ridge=1e-6)
    assert np.isfinite(weights).all()
    assert weights[0] > 0


def test_errors():
    features, labels, starts = make_lists(np.random.default_rng(4), [2, 3])
    with pytest.raises(ValueError, match=r"labels.shape=\(4,\)"):
        fit_listwise(features, labels[:4], starts)
    with pytest.raises(ValueError, match="starts must rise from 0"):
        fit_listwise(features, labels, [0, 0])
    with pytest.raises(ValueError, match="starts must rise from 0"):
        fit_listwise(features, labels, [0, 5])
    with pytest.raises(ValueError, match="ridge=0"):
        fit_listwise(features, labels, starts, ridge=0)
    with pytest.raises(ValueError, match="2 lists without"):
        fit_listwise(features, np.ones(5), starts)
    with pytest.raises(ValueError, match="finite"):
        fit_listwise(np.full((5, 4), np.nan), labels, starts)

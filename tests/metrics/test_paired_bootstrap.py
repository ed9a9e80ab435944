"""The paired bootstrap on cases whose answer is known."""

import numpy
import pytest

from keras_attention.metrics.paired_bootstrap import paired_bootstrap


def test_same_seed_same_interval():
    random = numpy.random.default_rng(0)
    first, second = random.random(50), random.random(50)
    assert paired_bootstrap(first, second, seed=4) == paired_bootstrap(first, second, seed=4)
    assert paired_bootstrap(first, second, seed=4) != paired_bootstrap(first, second, seed=5)


def test_interval_is_the_normal_one_for_many_questions():
    random = numpy.random.default_rng(1)
    first = random.normal(0.3, 1.0, 2000)
    second = random.normal(0.2, 1.0, 2000)
    result = paired_bootstrap(first, second)
    error = (first - second).std() / numpy.sqrt(2000)
    assert result.difference == pytest.approx((first - second).mean())
    assert result.lower == pytest.approx(result.difference - 1.96 * error, abs=0.05 * error)
    assert result.upper == pytest.approx(result.difference + 1.96 * error, abs=0.05 * error)


def test_pairing_cancels_what_the_systems_share():
    difficulty = numpy.random.default_rng(2).random(300)
    result = paired_bootstrap(difficulty + 0.01, difficulty)
    assert result.lower == pytest.approx(0.01)
    assert result.upper == pytest.approx(0.01)
    assert result.p_value == 0.0


def test_equal_systems_are_not_told_apart():
    result = paired_bootstrap([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], resamples=100)
    assert (result.difference, result.lower, result.upper, result.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_questions_without_values_are_left_out_of_both():
    nan = numpy.nan
    assert paired_bootstrap([nan, 1.0, 0.0], [nan, 0.0, 0.0], resamples=50).questions == 2
    with pytest.raises(ValueError, match=r"only one at \[1\]"):
        paired_bootstrap([nan, 1.0], [nan, nan])


def test_errors():
    with pytest.raises(ValueError, match=r"second.shape=\(3,\)"):
        paired_bootstrap([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"confidence=95"):
        paired_bootstrap([1.0], [1.0], confidence=95)
    with pytest.raises(ValueError, match="at least one question"):
        paired_bootstrap([], [])

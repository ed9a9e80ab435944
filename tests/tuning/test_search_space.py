"""Ranges as plain data: what is taken, what is refused, and what a trial's configuration becomes."""

import inspect

import keras_tuner
import pytest

from keras_attention import models
from keras_attention.tuning import SearchSpace

BASE = {"text": {"size": 9}, "model": {"name": "a", "units": 8, "cell": "gru"}, "training": {"rate": 0.01}}
SPACE = {
    "model": {"units": {"choices": [4, 8, 16]}, "cell": {"choices": ["gru", "lstm"]}},
    "training": {"rate": {"minimum": 1e-3, "maximum": 1e-1, "scale": "log"}},
}


def declared(space, base=BASE):
    hp = keras_tuner.HyperParameters()
    space.declare(hp, base)
    return hp


@pytest.mark.parametrize("name", models.__all__)
def test_every_model_carries_a_space_of_its_own_arguments(name):
    cls = getattr(models, name)
    assert set(cls.SEARCH_SPACE) == {"model", "training"}
    assert set(cls.SEARCH_SPACE["model"]) <= set(inspect.signature(cls).parameters)
    ranges = SearchSpace({name: cls.SEARCH_SPACE}).ranges(name)
    assert len(ranges) == sum(len(options) for options in cls.SEARCH_SPACE.values()) >= 6
    assert "training.learning_rate" in ranges
    hp = declared(SearchSpace({name: cls.SEARCH_SPACE}), {"model": {"name": name}})
    assert set(hp.values) == set(ranges)


def test_the_configuration_is_the_default_and_its_own_values_come_back():
    space = SearchSpace({"a": SPACE})
    hp = declared(space)
    assert hp.values == {"model.units": 8, "model.cell": "gru", "training.rate": 0.01}
    assert space.apply(hp.values, BASE) == BASE


@pytest.mark.parametrize(
    "one, own, default",
    [
        ({"choices": [4, 8, 16]}, 11, 8),
        ({"choices": [4, 8, 16]}, None, 4),
        ({"choices": [0, 0.5]}, 0.4, 0.5),
        ({"choices": ["x", "y"]}, "z", "x"),
        ({"choices": [False, True]}, True, True),
        ({"minimum": 1, "maximum": 4}, 9, 4),
        ({"minimum": 1, "maximum": 4}, None, 1),
        ({"minimum": 0.1, "maximum": 0.4}, 0.3, 0.3),
        ({"minimum": 0.1, "maximum": 0.4}, 0.0, 0.1),
    ],
)
def test_the_default_is_the_nearest_that_the_space_has(one, own, default):
    hp = declared(SearchSpace({"a": {"model": {"x": one}}}), {"model": {"name": "a", "x": own}})
    assert hp.values == {"model.x": default}
    assert type(hp.values["model.x"]) is type(default)


def test_overrides():
    space = SearchSpace({"a": SPACE}, {"data": {"batch": {"choices": [1, 2]}}}).override(
        {"model": {"units": {}, "cell": "lstm", "dropout": {"minimum": 0.0, "maximum": 0.5, "step": 0.1}}}
    )
    assert set(space.ranges("a")) == {"data.batch", "training.rate", "model.dropout"}
    trial = space.apply({"data.batch": 2, "training.rate": 0.0123456789, "model.dropout": 0.30000000000000004}, BASE)
    assert trial["model"] == {"name": "a", "units": 8, "cell": "lstm", "dropout": 0.3}
    assert (trial["data"], trial["training"]) == ({"batch": 2}, {"rate": 0.0123457})
    assert BASE["model"]["cell"] == "gru"


def test_several_models_have_their_own_ranges():
    space = SearchSpace({"a": SPACE, "b": {"model": {"units": {"choices": [1, 2]}, "depth": {"choices": [3, 4]}}}})
    hp = declared(space)
    assert hp.values["model.name"] == "a"
    assert "model.depth" not in hp
    assert space.apply({"model.name": "b", "model.units": 2, "model.depth": 4}, BASE)["model"] == {
        "name": "b",
        "units": 2,
        "depth": 4,
    }
    seen = set()
    for seed in range(20):
        drawn = keras_tuner.HyperParameters()
        for one in hp.space:
            drawn.merge([one])
            if drawn.is_active(one):
                drawn.values[one.name] = one.random_sample(seed)
        seen.add(drawn.values["model.name"])
        assert ("model.depth" in drawn.values) == (drawn.values["model.name"] == "b")
    assert seen == {"a", "b"}


@pytest.mark.parametrize(
    "one, complaint",
    [
        ({"choice": [1]}, "'choice'"),
        ({"choices": []}, "a list of choices"),
        ({"choices": [1, "a"]}, "all strings"),
        ({"choices": [1, True]}, "all strings"),
        ({"choices": [[1], [2]]}, "all strings"),
        ({"choices": [1], "minimum": 1}, "alone"),
        ({"minimum": 1}, "`minimum` and `maximum`"),
        ({"minimum": 2, "maximum": 2}, "below the maximum"),
        ({"minimum": "1", "maximum": 2}, "numbers"),
        ({"minimum": 0, "maximum": 2, "scale": "log"}, "positive minimum"),
        ({"minimum": 1, "maximum": 2, "scale": "log", "step": 1}, "step above 1"),
        ({"minimum": 1, "maximum": 2, "scale": "square"}, "linear or log"),
        ({"minimum": 1, "maximum": 2, "step": 0}, "positive step"),
    ],
)
def test_bad_ranges(one, complaint):
    with pytest.raises(ValueError, match=complaint):
        SearchSpace({"a": {"model": {"units": one}}})


def test_bad_spaces():
    with pytest.raises(ValueError, match="section"):
        SearchSpace({"a": {"model": 3}})
    with pytest.raises(ValueError, match="at least one model"):
        SearchSpace({})

"""`get_config` holds every argument, and `from_config` brings the same object back."""

import inspect
import json

import keras
import numpy as np
import pytest
from conformance.row import assert_same, call, copy_weights, numbers, plain_config
from conformance.rows import ROWS


def own_arguments(cls):
    """Names and defaults of the constructor's arguments, `self`, `**kwargs` and a constructor of Keras' own apart."""
    if not cls.__init__.__module__.startswith("keras_attention"):
        return {}
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {p.name: p.default for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


CLASSES = sorted({row.cls for row in ROWS if own_arguments(row.cls)}, key=lambda cls: cls.__name__)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_round_trip(row):
    instance = row.make()
    outputs = numbers(call(instance, row.sample()))
    config = plain_config(instance)
    again = row.cls.from_config(json.loads(json.dumps(config)))
    call(again, row.sample())
    copy_weights(instance, again)
    assert json.dumps(plain_config(again), sort_keys=True) == json.dumps(config, sort_keys=True)
    assert_same(numbers(call(again, row.sample())), outputs, atol=1e-6)
    assert any(np.abs(output).max() > 0 for output in outputs), "the sample shows nothing"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_serialised_by_keras(row):
    """Found again by its registered name, with no custom_objects."""
    instance = row.make()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(instance))
    assert type(again) is row.cls
    assert plain_config(again) == plain_config(instance)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_has_every_argument(row):
    instance = row.make()
    arguments = set(own_arguments(row.cls)) - set(row.not_in_config) - {"dtype"}
    missing = arguments - set(instance.get_config())
    assert not missing, f"get_config lacks {sorted(missing)}"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_rows_leave_no_argument_at_its_default(cls):
    """A round trip of defaults proves nothing of `get_config`."""
    rows = [row for row in ROWS if row.cls is cls]
    arguments = own_arguments(cls)
    exempt = {"dtype"}.union(*(row.not_in_config for row in rows), *(row.keep_default for row in rows))
    at_default = {name for name, default in arguments.items() if default is not inspect.Parameter.empty} - exempt
    for row in rows:
        config = row.make().get_config()
        required = {name: config[name] for name, value in arguments.items() if value is inspect.Parameter.empty}
        defaults = cls.from_config(required).get_config()
        at_default -= {name for name in at_default if config[name] != defaults[name]}
    assert not at_default, f"no row of {cls.__name__} changes {sorted(at_default)}"

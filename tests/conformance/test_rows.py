"""Every public class has a row."""

import inspect

import keras
import pytest
from conformance.rows import EXEMPT, ROWS

import keras_attention.layers
import keras_attention.losses
import keras_attention.metrics
import keras_attention.models
import keras_attention.models.answer_selection
import keras_attention.models.translation

PACKAGES = [
    keras_attention.layers,
    keras_attention.losses,
    keras_attention.metrics,
    keras_attention.models,
    keras_attention.models.answer_selection,
    keras_attention.models.translation,
]
KERAS_KINDS = (keras.layers.Layer, keras.losses.Loss, keras.metrics.Metric)


def public_classes():
    return {
        cls
        for package in PACKAGES
        for name, cls in vars(package).items()
        if inspect.isclass(cls) and issubclass(cls, KERAS_KINDS) and not name.startswith("_")
    }


def test_every_public_class_has_a_row():
    without = {cls.__name__ for cls in public_classes()} - {row.cls.__name__ for row in ROWS} - set(EXEMPT)
    assert not without, f"Add a row to tests/conformance/rows.py for {sorted(without)}"


def test_every_row_is_a_public_class():
    private = {row.cls.__name__ for row in ROWS} - {cls.__name__ for cls in public_classes()}
    assert not private, f"Export in the package's __init__.py: {sorted(private)}"


def test_names_of_rows_are_their_own():
    names = [str(row) for row in ROWS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_all_names_what_there_is(package):
    names = getattr(package, "__all__", [])
    assert sorted(set(names)) == sorted(names)
    assert not [name for name in names if not hasattr(package, name)]
    classes = {name for name, cls in vars(package).items() if inspect.isclass(cls)}
    assert classes <= set(names)

"""A `.keras` file brings the same outputs back."""

import keras
import numpy as np
import pytest
from conformance.row import Row, assert_same, call, numbers, plain_config, sequence
from conformance.rows import LAYERS, LOSSES, METRICS, MODELS


def functional(instance, sample):
    """A Functional model around a layer: every array of the call is an input. Returns it with the list of arrays."""
    arrays, symbols = [], []

    def symbol(x):
        if not isinstance(x, np.ndarray):
            return x
        arrays.append(x)
        symbols.append(keras.Input(x.shape[1:], dtype=str(x.dtype)))
        return symbols[-1]

    args, kwargs = keras.tree.map_structure(symbol, sample)
    return keras.Model(symbols, keras.tree.flatten(instance(*args, **kwargs))), arrays


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_layer_inside_a_functional_model(row: Row, tmp_path):
    layer = row.make()
    model, arrays = functional(layer, row.sample())
    expected = numbers(call(layer, row.sample()))
    assert_same(numbers(keras.tree.flatten(model(arrays))), expected, atol=1e-6)
    assert len(model.weights) == len(layer.weights)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(numbers(keras.tree.flatten(again(arrays))), expected, atol=1e-6)


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_symbolic_shapes_and_dtypes_are_the_real_ones(row: Row):
    for policy in ("float32", "mixed_bfloat16"):
        layer = row.make(dtype=policy)
        model, arrays = functional(layer, row.sample())
        for symbolic, real in zip(model.outputs, keras.tree.flatten(model(arrays))):
            assert tuple(symbolic.shape[1:]) == tuple(real.shape[1:])
            assert symbolic.dtype == keras.backend.standardize_dtype(real.dtype)


@pytest.mark.parametrize("row", MODELS, ids=str)
def test_model(row: Row, tmp_path):
    model = row.make()
    expected = numbers(call(model, row.sample()))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is row.cls
    assert plain_config(again) == plain_config(model)
    assert_same(numbers(call(again, row.sample())), expected, atol=1e-6)


@pytest.mark.parametrize("row", MODELS, ids=str)
def test_model_weights_file(row: Row, tmp_path):
    model, other = row.make(), row.make()
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(numbers(call(other, row.sample())), numbers(call(model, row.sample())), atol=1e-6)


@pytest.mark.parametrize("row", [*LOSSES, *METRICS], ids=str)
def test_loss_or_metric_inside_a_compiled_model(row: Row, tmp_path):
    (y_true, y_pred), _ = row.sample()
    inputs = keras.Input(y_pred.shape[1:])
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    if row.kind == "loss":
        model.compile(loss=row.make())
    else:
        model.compile(loss="mse", metrics=[row.make()])
    model.evaluate(y_pred, y_true, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected, got = (m.evaluate(y_pred, y_true, verbose=0, return_dict=True) for m in (model, again))
    assert got == pytest.approx(expected, rel=1e-6)
    value = got["loss" if row.kind == "loss" else "another_name"]
    assert value == pytest.approx(float(call(row.make(), row.sample())[0]), rel=1e-5)


def test_the_samples_keep_what_is_real():
    """The table's own tool: another content changes padding and nothing else."""
    first, mask = sequence(1, [3, 1], 2, padding=2, content=0)
    second, _ = sequence(1, [3, 1], 2, padding=2, content=7)
    assert (first[mask] == second[mask]).all()
    assert (first[~mask] != second[~mask]).all()
    assert mask.sum() == 4

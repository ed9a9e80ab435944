import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.training.checkpoint import TrainingCheckpoint


def compiled(units=3):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


DATA = np.random.default_rng(0).normal(size=(32, 4)).astype("float32"), np.ones((32, 1), "float32")


def fit(model, epochs):
    model.fit(*DATA, epochs=epochs, batch_size=8, shuffle=False, verbose=0)
    return [ops.convert_to_numpy(v.value) for v in model.variables]


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path):
    """Weights, Adam's moments and the dropout's random state: two epochs and two are four."""
    keras.utils.set_random_seed(1)
    whole = compiled()
    start = [v.value for v in whole.variables]
    start = [ops.convert_to_numpy(x) for x in start]
    expected = fit(whole, 4)
    first = compiled()
    for variable, value in zip(first.variables, start):
        variable.assign(value)
    fit(first, 2)
    checkpoint = TrainingCheckpoint(tmp_path / "last.npz")
    checkpoint.save(first, {"epoch": 2})
    second = compiled()
    assert checkpoint.restore(second) == {"epoch": 2}
    for a, b in zip(fit(second, 2), expected):
        np.testing.assert_array_equal(a, b)


def test_peek_and_exists(tmp_path):
    checkpoint = TrainingCheckpoint(tmp_path / "last.npz")
    assert not checkpoint.exists()
    checkpoint.save(compiled(), {"epoch": 7, "best": None})
    assert checkpoint.exists()
    assert checkpoint.peek() == {"epoch": 7, "best": None}


def test_a_kill_while_writing_leaves_the_one_before(tmp_path, monkeypatch):
    checkpoint = TrainingCheckpoint(tmp_path / "last.npz")
    checkpoint.save(compiled(), {"epoch": 1})

    def half_a_file(stream, **arrays):
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half_a_file)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(compiled(), {"epoch": 2})
    assert checkpoint.peek() == {"epoch": 1}


def test_another_model(tmp_path):
    checkpoint = TrainingCheckpoint(tmp_path / "last.npz")
    checkpoint.save(compiled(3), {})
    with pytest.raises(ValueError, match="shape"):
        checkpoint.restore(compiled(5))

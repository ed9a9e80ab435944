"""Several processes train on JAX what one trains; one that dies costs an epoch; TensorFlow takes the weights."""

import csv
import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attention.training.processes import join_processes, refuse_clocks

SCRIPT = Path(__file__).with_name("on_two_processes.py")
needs_jax = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("jax", "tensorflow")), reason="needs JAX and TensorFlow"
)


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def start(case, workdir, count=1, *more):
    """Start the processes of a run. One device each, whatever the machine has."""
    workdir.mkdir(exist_ok=True)
    port = str(free_port())
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    return [
        subprocess.Popen(
            [sys.executable, SCRIPT, case, workdir, str(count), str(index), port, *map(str, more)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(workdir / f"stderr.{index}").open("w"),
        )
        for index in range(count)
    ]


def run(case, workdir, count=1):
    for index, process in enumerate(start(case, workdir, count)):
        assert process.wait() == 0, (workdir / f"stderr.{index}").read_text()


def weights(workdir):
    """Everything in the checkpoint: weights, averages, moments, steps."""
    with np.load(workdir / "last.npz") as arrays:
        return [arrays[name] for name in sorted(arrays.files) if name != "record"]


def assert_same_training(workdir, other):
    for a, b in zip(weights(workdir), weights(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)
    histories = [list(csv.DictReader((folder / "history.csv").open())) for folder in (workdir, other)]
    assert [row["epoch"] for row in histories[0]] == [row["epoch"] for row in histories[1]] == ["0", "1", "2"]
    np.testing.assert_allclose(*([float(row["loss"]) for row in rows] for rows in histories), rtol=1e-4)


@needs_jax
@pytest.mark.extended
@pytest.mark.parametrize("case", ["sampled", "in_batch"])
def test_two_processes_equal_one(case, tmp_path):
    run(case, tmp_path / "one")
    run(case, tmp_path / "two", count=2)
    assert_same_training(tmp_path / "one", tmp_path / "two")


@needs_jax
@pytest.mark.extended
def test_a_worker_that_dies_costs_its_epoch_and_nothing_is_counted_twice(tmp_path):
    run("translation", tmp_path / "one")
    processes = start("translation", tmp_path / "two", 2, 1)
    assert processes[1].wait() == 9
    processes[0].kill()  # what a scheduler does with the others, which cannot go on
    processes[0].wait()
    with (tmp_path / "two" / "history.csv").open() as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["0"]
    run("translation", tmp_path / "two", count=2)
    assert_same_training(tmp_path / "one", tmp_path / "two")

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        from keras_attention.translator import Translator

        translator = Translator.load(tmp_path / "two" / "translator")
        translator.model.load_weights(tmp_path / "two" / "best.weights.h5")
        path = translator.export(tmp_path / "exported")
        serve = tf.saved_model.load(str(path)).signatures["serving_default"]
        said = serve(text=tf.constant(["a b c"]))["translation"].numpy()[0].decode()
        assert said == translator.translate(["a b c"])[0]


def test_what_is_refused(monkeypatch):
    if keras.backend.backend() != "jax":
        with pytest.raises(ValueError, match="KERAS_BACKEND=jax"):
            join_processes("localhost:1", 2, 0)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="process_index=2"):
        join_processes("localhost:1", 2, 2)
    monkeypatch.setattr("keras_attention.training.processes.process_count", lambda: 2)
    refuse_clocks(minutes=0.0)
    with pytest.raises(ValueError, match=r"minutes=3\.0"):
        refuse_clocks(minutes=3.0)

"""Several hosts: data-parallel training on JAX, one process per host.

Every process runs the same program with the same seed and makes the same batches; each keeps its own rows of every
batch. Keras' `DataParallel` puts the rows together into one batch over all hosts, so that losses, counts of tokens and
in-batch wrong answers are those of the whole batch. The first process writes the files.

    KERAS_BACKEND=jax; in every process, before a model is made:

    join_processes("host0:1234", process_count=2, process_index=...)
    fit_translation(model, data, training, workdir, evaluate, monitor="minus_loss")

If a process dies the others cannot go on: start them all again, with the same work directory, on a file system that all
of them see. They take up the last finished epoch, and nothing is counted twice.
"""

import contextlib
import tempfile
from pathlib import Path

import keras


def join_processes(coordinator, process_count, process_index):
    """Connect this process with the others, and make every model from here on a data-parallel one.

    Args:
        coordinator: Address of the first process, `host:port`.
        process_count: Number of processes.
        process_index: Number of this one, from 0.

    Raises:
        ValueError: If the backend is not JAX: on TensorFlow `fit` of Keras 3 trains on the devices of one host only.
    """
    if keras.backend.backend() != "jax":
        raise ValueError(
            "Training on several hosts runs on JAX: set KERAS_BACKEND=jax before keras is imported. The weights load "
            f"under TensorFlow and are exported there. Received: backend={keras.backend.backend()!r}"
        )
    if not 0 <= process_index < process_count:
        raise ValueError(
            f"Expected a process_index from 0 to process_count - 1. "
            f"Received: process_index={process_index}, process_count={process_count}"
        )
    keras.distribution.initialize(coordinator, process_count, process_index)
    # The pipelines cut the batches themselves: all processes see the same ones.
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def process_count():
    """Return the number of processes that train together; 1 without `join_processes`."""
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return jax.process_count()


def is_first_process():
    """Whether this process is the one that writes files."""
    if keras.backend.backend() != "jax":
        return True
    import jax

    return jax.process_index() == 0


def wait_for_all(what):
    """Wait until all processes are here. `what` names the place, the same in all of them."""
    if process_count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(what)


@contextlib.contextmanager
def folder_to_write(folder):
    """Yield `folder` in the first process, and in each other one a folder that is thrown away.

    While Keras saves an optimiser it computes the rate of its schedule, which is work of all processes: so all save.
    """
    if is_first_process():
        yield Path(folder)
    else:
        with tempfile.TemporaryDirectory() as discarded:
            yield Path(discarded)


def refuse_clocks(**minutes):
    """Refuse limits of time where several processes would have to read the same clock."""
    if process_count() > 1:
        for name, value in minutes.items():
            if value:
                raise ValueError(
                    "Several processes do not end at the same step by the clock. "
                    f"Received: {name}={value} with {process_count()} processes"
                )


def translation_of_process(dataset):
    """Keep this process's rows of batches of sentence pairs, under a `DataParallel` distribution.

    Batches are filled up with copies of their last row, of weight 0, until the number of devices divides them.

    Args:
        dataset: `tf.data.Dataset` of `(inputs, labels, weights)`, as `translation_dataset` makes it.

    Returns:
        The dataset itself where nothing is distributed, else one of the rows of this process.
    """
    if _device_count() == 1:
        return dataset
    return dataset.map(
        lambda inputs, labels, weights: (*_own_rows((inputs, labels), "repeat"), _own_rows(weights, 0.0))
    )


def answer_selection_of_process(dataset):
    """Keep this process's rows of batches of questions, under a `DataParallel` distribution.

    In-batch wrong answers stay those of the whole batch: JAX gathers the answers of all processes.

    Args:
        dataset: `tf.data.Dataset` of `(inputs, labels)`, as `with_labels` makes it.

    Returns:
        The dataset itself where nothing is distributed, else one of the rows of this process.
    """
    devices = _device_count()
    if devices == 1:
        return dataset

    def keep(inputs, labels):
        import tensorflow as tf

        if inputs["answer_ids"].shape.rank == 2:  # the answers are filled up too, with columns that do not count
            missing = -tf.shape(labels)[1] % devices
            labels = tf.pad(labels, [[0, 0], [0, missing]], constant_values=-1.0)
        labels = _own_rows(labels, -1.0)
        sides = {name: _own_rows(inputs[name], "repeat") for name in ("question_ids", "answer_ids")}
        return {**sides, "labels": labels}, labels

    return dataset.map(keep)


def _device_count():
    distribution = keras.distribution.distribution() if keras.backend.backend() == "jax" else None
    return 1 if distribution is None else distribution.device_mesh.devices.size


def _own_rows(nest, fill):
    import jax
    import tensorflow as tf

    devices, processes, index = _device_count(), jax.process_count(), jax.process_index()

    def keep(x):
        missing = -tf.shape(x)[0] % devices
        last = tf.repeat(x[-1:], missing, axis=0)
        x = tf.concat([x, last if fill == "repeat" else tf.fill(tf.shape(last), tf.cast(fill, x.dtype))], axis=0)
        rows = tf.shape(x)[0] // processes
        return x[index * rows : (index + 1) * rows]

    return tf.nest.map_structure(keep, nest)

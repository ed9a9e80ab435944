"""Everything a run needs to go on where it was, in one file that is either whole or not there."""

import json
import os
from pathlib import Path

import numpy as np


class TrainingCheckpoint:
    """Save and restore a compiled model with optimiser, random states and a small record, atomically.

    The model's weights, the states of its seed generators, the optimiser's moments and its step count are all
    `model.variables` and `model.optimizer.variables`; the record holds what is not a variable (the epoch, the best
    score, the patience). The file is written beside its place and then moved there, so that a kill at any moment
    leaves the checkpoint before or the checkpoint after.

    Args:
        path: The file, `.npz`.

    Example:
    >>> import keras, tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> checkpoint = TrainingCheckpoint(tempfile.mkdtemp() + "/last.npz")
    >>> checkpoint.save(model, {"epoch": 3})
    >>> checkpoint.restore(model)
    {'epoch': 3}
    """

    def __init__(self, path):
        self.path = Path(path)

    def exists(self):
        """Whether there is a checkpoint to restore."""
        return self.path.exists()

    def peek(self):
        """Return the record alone."""
        with np.load(self.path) as arrays:
            return json.loads(str(arrays["record"]))

    def save(self, model, record):
        """Write the model's and the optimiser's variables and the record (anything JSON holds)."""
        arrays = {f"{i:05d}": np.asarray(value) for i, value in enumerate(_values(model))}
        temporary = self.path.with_name(self.path.name + ".partial")
        with temporary.open("wb") as stream:
            np.savez(stream, record=np.asarray(json.dumps(record)), **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, self.path)

    def restore(self, model):
        """Put everything back into a model built and compiled alike, and return the record.

        Raises:
            ValueError: If the checkpoint was written by a model or optimiser with other variables.
        """
        variables = _variables(model)
        with np.load(self.path) as arrays:
            count = len(arrays.files) - 1
            if count != len(variables):
                raise ValueError(
                    f"Expected a checkpoint of {len(variables)} variables in {self.path}. Received: {count} variables"
                )
            for i, variable in enumerate(variables):
                value = arrays[f"{i:05d}"]
                if tuple(value.shape) != tuple(variable.shape):
                    raise ValueError(
                        f"Expected shape {tuple(variable.shape)} for {variable.path} in {self.path}. "
                        f"Received: shape={value.shape}"
                    )
                variable.assign(value)
            return json.loads(str(arrays["record"]))


def _variables(model):
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _values(model):
    # The Keras variable, not its value: a scalar that stands on several devices knows no array.
    return [variable.numpy() for variable in _variables(model)]

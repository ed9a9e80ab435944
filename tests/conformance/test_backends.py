"""The same numbers on every backend, to float32 rounding, from the same weights. TensorFlow has the reference.

`make test-backends` runs this on JAX and on PyTorch.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conformance.backend_numbers import COMPUTED, compute

pytestmark = pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow is the reference")

SCRIPT = Path(__file__).with_name("backend_numbers.py")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What TensorFlow computes, in a process of its own: Keras has one backend in a process."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("the reference needs TensorFlow")
    path = tmp_path_factory.mktemp("reference") / "numbers.npz"
    folders = [str(SCRIPT.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run([sys.executable, SCRIPT, path], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", COMPUTED)
def test_same_numbers_as_tensorflow(name, reference):
    got = compute(name)
    expected = [reference[f"{name}/{i}"] for i in range(sum(key.rpartition("/")[0] == name for key in reference))]
    assert len(got) == len(expected) > 0
    for a, b in zip(got, expected):
        assert a.shape == b.shape
        if np.issubdtype(b.dtype, np.floating):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(b).max(initial=0)))
        else:
            np.testing.assert_array_equal(a, b)

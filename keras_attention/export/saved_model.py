"""A SavedModel written whole or not at all: checked, reloaded and compared before it stands under its version."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np

from keras_attention.export.stock_operations import LIBRARIES, check_operations
from keras_attention.export.warm_up import write_warm_up

# Not a number, so that a server that watches the folder does not take it for a version.
PARTIAL_PREFIX = "partial-"


def write_saved_model(
    directory,
    version,
    tracked,
    endpoints,
    compare,
    warm_up,
    libraries=LIBRARIES,
    allow_newer_operations=False,
    extra=None,
):
    """Write `<directory>/<version>/`, and put it in its place only when it has passed the checks.

    It is written beside its place, under a name that no server takes for a version; its operations are checked
    (`check_operations`); it is reloaded and compared; then it is renamed, which happens at once or not at all. A
    process killed before that leaves a folder `partial-...`, which may be deleted. Recurrent layers are traced without
    cuDNN, also where a GPU is visible.

    Args:
        directory: The model's folder; the version is a folder inside it, as TF Serving wants.
        version: Integer; one more than the greatest there if None, beginning with 1.
        tracked: Models and tokenizers that the endpoints use, whose weights and tables go along.
        endpoints: Dict from a signature's name to `(function, input_signature)`.
        compare: Callable that takes the path of what was written and raises if it answers otherwise than the model.
        warm_up: Warm-up requests, a list of `(signature_name, inputs)`.
        libraries: Libraries whose operations may stand in the graph, see `check_operations`.
        allow_newer_operations: Allow operations that servers before 2.20 do not have.
        extra: Optional callable that takes the path of `assets.extra` and writes further files there.

    Returns:
        The path of the version's folder.

    Raises:
        ValueError: If the version exists, or is not a positive integer, or the graph holds an operation that the stock
            server does not have. Nothing is left behind then.
        Exception: What `compare` raises. Nothing is left behind then.
    """
    directory = Path(directory)
    version = _next_version(directory) if version is None else version
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"`version` must be a positive integer. Received: version={version!r}")
    final = directory / str(version)
    if final.exists():
        raise ValueError(f"Expected a version that is not there yet. Received: version={version}, and {final} exists")
    directory.mkdir(parents=True, exist_ok=True)
    archive = keras.export.ExportArchive()
    for resource in tracked:
        # A model's variables go along as those that the endpoints use. Tracked as well, each would be written twice: as
        # Keras' variable and as TensorFlow's.
        if not isinstance(resource, keras.Model):
            archive.track(resource)
    partial = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=directory))
    try:
        with _without_cudnn(tracked):
            for name, (function, signature) in endpoints.items():
                archive.add_endpoint(name, function, input_signature=signature)
            archive.write_out(str(partial), verbose=False)
        check_operations(partial, libraries, allow_newer_operations)
        write_warm_up(partial, directory.resolve().name, warm_up)
        if extra is not None:
            extra(partial / "assets.extra")
        compare(partial)
        partial.chmod(0o755)
        os.replace(partial, final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final


def compare_signatures(signatures, calls, tolerance=1e-3):
    """Check that the signatures of a SavedModel answer as they should.

    Args:
        signatures: Those of the reloaded SavedModel.
        calls: List of `(signature_name, inputs, expected)`, `inputs` and `expected` dicts of tensors.
        tolerance: Greatest difference of floats, of their size and absolutely; all else must be equal.

    Raises:
        RuntimeError: If a value differs.
    """
    for name, inputs, expected in calls:
        given = signatures[name](**inputs)
        for key, value in expected.items():
            value, received = np.asarray(value), np.asarray(given[key])
            if np.issubdtype(value.dtype, np.floating):
                same = value.shape == received.shape and np.allclose(received, value, tolerance, tolerance)
            else:
                same = np.array_equal(value, received)
            if not same:
                raise RuntimeError(
                    "The reloaded SavedModel does not answer as the model does. "
                    f"Received: {key} of {name}: {received!r} instead of {value!r}"
                )


@contextlib.contextmanager
def _without_cudnn(resources):
    """Keep recurrent layers from cuDNN while they are traced: a server without a GPU has no kernel for it."""
    models = [resource for resource in resources if isinstance(resource, keras.layers.Layer)]
    layers = [layer for model in models for layer in model._flatten_layers() if hasattr(layer, "use_cudnn")]
    before = [layer.use_cudnn for layer in layers]
    try:
        for layer in layers:
            layer.use_cudnn = False
        yield
    finally:
        for layer, value in zip(layers, before):
            layer.use_cudnn = value


def _next_version(directory):
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdigit()]
    return max(versions, default=0) + 1

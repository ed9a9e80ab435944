"""A SavedModel written whole or not at all: reloaded and compared before it stands under its version."""

import os
import shutil
import tempfile
from pathlib import Path

import keras


def write_saved_model(directory, version, tracked, endpoints, compare):
    """Write `<directory>/<version>/`, and put it in its place only when `compare` has passed it.

    Args:
        directory: The model's folder; the version is a folder inside it, as TF Serving wants.
        version: Integer; one more than the greatest there if None, beginning with 1.
        tracked: Models and tokenizers that the endpoints use, whose weights and tables go along.
        endpoints: Dict from a signature's name to `(function, input_signature)`.
        compare: Callable that takes the path of what was written and raises if it answers otherwise than the model.

    Returns:
        The path of the version's folder.

    Raises:
        ValueError: If the version exists, or is not a positive integer.
        Exception: What `compare` raises. Nothing is left behind then.
    """
    directory = Path(directory)
    version = _next_version(directory) if version is None else version
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"`version` must be a positive integer. Received: version={version!r}")
    final = directory / str(version)
    if final.exists():
        raise ValueError(f"Expected a version that is not there yet. Received: version={version}, and {final} exists")
    directory.mkdir(parents=True, exist_ok=True)
    archive = keras.export.ExportArchive()
    for resource in tracked:
        archive.track(resource)
    for name, (function, signature) in endpoints.items():
        archive.add_endpoint(name, function, input_signature=signature)
    # Not a number, so that a server that watches the folder does not take it for a version.
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=directory))
    try:
        archive.write_out(str(partial), verbose=False)
        compare(partial)
        partial.chmod(0o755)
        os.replace(partial, final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final


def _next_version(directory):
    versions = [int(path.name) for path in directory.glob("*") if path.name.isdigit()]
    return max(versions, default=0) + 1

"""The C program beside this file: building it with the wheel's headers and libraries, and running it."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

SOURCE = Path(__file__).with_name("run_saved_model.c")


def build(folder, packages=None):
    """Compile the program and return its path.

    Args:
        folder: Where to write it.
        packages: The folder `site-packages` whose TensorFlow it is built and run with; the running one's by default.
    """
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    program = Path(folder) / "run_saved_model"
    library = Path(packages or Path(tf.__file__).parents[1]) / "tensorflow"
    libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]
    command = ["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{library / 'include'}"]
    command += [str(SOURCE), "-o", str(program), f"-L{library}", *(f"-l:{name}" for name in libraries)]
    subprocess.run([*command, f"-Wl,-rpath,{library}"], check=True, capture_output=True, text=True)
    return program


def text_libraries(packages=None):
    """Return the paths of TF Text's libraries of operations."""
    found = sorted((Path(packages or Path(tf.__file__).parents[1]) / "tensorflow_text" / "python" / "ops").glob("*.so"))
    assert found
    return found


def run(program, path, libraries, signature_name, inputs, folder):
    """Run a signature in a process of its own.

    Args:
        program: What `build` returned.
        path: The SavedModel's folder.
        libraries: Libraries of operations to load.
        signature_name: Name of the signature.
        inputs: Dict from an input's name to a list of strings, or to an integer array of two axes.
        folder: A folder for the inputs' files.

    Returns:
        Dict from an output's name to an array; or the error's text if the program fails.
    """
    meta_graph = saved_model_pb2.SavedModel.FromString((Path(path) / "saved_model.pb").read_bytes()).meta_graphs[0]
    signature = meta_graph.signature_def[signature_name]
    command = [str(program), str(path), *(x for library in libraries for x in ("-l", str(library)))]
    for name, value in inputs.items():
        file = Path(folder) / f"{name}.txt"
        if isinstance(value, np.ndarray):
            file.write_text(" ".join(map(str, [*value.shape, *value.ravel()])))
        else:
            file.write_bytes("".join(text + "\n" for text in value).encode("utf-8"))
        command += [
            "-n" if isinstance(value, np.ndarray) else "-i",
            signature.inputs[name].name.split(":")[0],
            str(file),
        ]
    outputs = sorted(signature.outputs)
    for name in outputs:
        command += ["-o", *signature.outputs[name].name.split(":")]
    # Nothing of Python's: an environment that holds only what the loader needs.
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=600)
    if done.returncode:
        return done.stderr.decode("utf-8", "replace")
    lines = iter(done.stdout.decode("utf-8").split("\n"))
    found = {}
    for name in outputs:
        shape = [int(size) for size in next(lines).removeprefix("shape").split()]
        values = [next(lines) for _ in range(int(np.prod(shape)))]
        dtype = {1: "float32", 3: "int32"}.get(signature.outputs[name].dtype, object)
        found[name] = np.array(values, dtype=object).astype(dtype).reshape(shape)
    return found

"""Write `stock_operations.json`: the operations, with their attributes, that the stock TF Serving server links.

Run with the Python of an environment that holds the versions of the oldest server to be served by; it needs nothing of
this package:

    python3.11 -m venv old && old/bin/pip install tensorflow==2.12.1 tensorflow-text==2.12.1
    old/bin/python keras_attention/export/draw_stock_operations.py keras_attention/export/stock_operations.json

Servers 2.12 to 2.19 embed TF Text 2.12.1. Operations are not taken out of TensorFlow again, so those of 2.12 are in all
of them. The lists are those of the C libraries: TensorFlow's module for Python registers operations of its tests too.
"""

import ctypes
import importlib.util
import json
import multiprocessing
import sys
from importlib import metadata
from pathlib import Path


class _Buffer(ctypes.Structure):
    """TF_Buffer of `tensorflow/c/tf_buffer.h`."""

    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("deallocator", ctypes.c_void_p)]


def registered_operations():
    """Return two serialised `OpList`: TensorFlow's, and the same after TF Text's libraries have been loaded."""
    folder = Path(importlib.util.find_spec("tensorflow").submodule_search_locations[0])
    text = Path(importlib.util.find_spec("tensorflow_text").submodule_search_locations[0])
    ctypes.CDLL(str(folder / "libtensorflow_framework.so.2"), ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"), ctypes.RTLD_GLOBAL)
    library.TF_GetAllOpList.restype = ctypes.POINTER(_Buffer)
    library.TF_NewStatus.restype = library.TF_LoadLibrary.restype = ctypes.c_void_p
    library.TF_LoadLibrary.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.TF_GetCode.argtypes = [ctypes.c_void_p]

    def listed():
        buffer = library.TF_GetAllOpList().contents
        return ctypes.string_at(buffer.data, buffer.length)

    core, status = listed(), library.TF_NewStatus()
    for file in sorted((text / "python" / "ops").glob("*.so")):
        library.TF_LoadLibrary(str(file).encode(), status)
        if library.TF_GetCode(status):
            raise OSError(f"{file} cannot be loaded")
    return core, listed()


def main(path):
    """Write the file: TensorFlow's operations, and those that TF Text adds."""
    # In a process of their own: what Python loads to read them adds to the lists.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        serialized = pool.apply(registered_operations)
    from tensorflow.core.framework import op_def_pb2

    core, both = (
        {op.name: sorted(attribute.name for attribute in op.attr) for op in op_def_pb2.OpList.FromString(one).op}
        for one in serialized
    )
    sections = {"tensorflow": core, "tensorflow_text": {name: both[name] for name in both if name not in core}}
    versions = {name: metadata.version(name) for name in ("tensorflow", "tensorflow-text")}
    # One operation a line, so that a comparison of two versions of the file can be read.
    lines = [
        f"{json.dumps(section)}: {{\n"
        + ",\n".join(f"{json.dumps(name)}: {json.dumps(operations[name])}" for name in sorted(operations))
        + "\n}"
        for section, operations in sections.items()
    ]
    Path(path).write_text(f'{{\n"versions": {json.dumps(versions)},\n' + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

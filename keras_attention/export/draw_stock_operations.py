"""Write `stock_operations.json`: the operations, with their attributes, that the stock TF Serving server links.

Run with the Python of an environment that holds the versions of the oldest server to be served by; it needs nothing of
this package:

    python3.11 -m venv old && old/bin/pip install tensorflow==2.12.1 tensorflow-text==2.12.1
    old/bin/python keras_attention/export/draw_stock_operations.py keras_attention/export/stock_operations.json

Servers 2.12 to 2.19 embed TF Text 2.12.1. Operations are not taken out of TensorFlow again, so those of 2.12 are in all
of them.
"""

import json
import sys
from importlib import metadata
from pathlib import Path


def registered_operations():
    """Return the operations that are registered in this process so far, a dict from name to attributes."""
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session

    with_buffer = pywrap_tf_session.TF_GetAllOpList()
    operations = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(with_buffer))
    return {op.name: sorted(attribute.name for attribute in op.attr) for op in operations.op}


def main(path):
    """Write the file: TensorFlow's operations, and those that importing TF Text adds."""
    import tensorflow  # noqa: F401

    core = registered_operations()
    import tensorflow_text  # noqa: F401

    text = {name: attributes for name, attributes in registered_operations().items() if name not in core}
    versions = {name: metadata.version(name) for name in ("tensorflow", "tensorflow-text")}
    sections = {"tensorflow": core, "tensorflow_text": text}
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

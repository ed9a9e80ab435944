"""What the stock TF Serving server links, and the check of a SavedModel against it."""

import functools
import json
from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2

_FILE = Path(__file__).with_name("stock_operations.json")
LIBRARIES = ("tensorflow", "tensorflow_text")
# Newer than 2.12.1 and without a meaning for the result: an older server ignores them, with a line in its log.
_HARMLESS_ATTRIBUTES = {("VarHandleOp", "debug_name")}


@functools.cache
def stock_operations(libraries=LIBRARIES):
    """Return the operations of TensorFlow 2.12.1 and TF Text 2.12.1, which servers from 2.12 to 2.19 have.

    Args:
        libraries: Of which of the two.

    Returns:
        Dict from an operation's name to the names of its attributes, a frozen set.
    """
    sections = json.loads(_FILE.read_text(encoding="utf-8"))
    return {name: frozenset(names) for library in libraries for name, names in sections[library].items()}


def check_operations(path, libraries=LIBRARIES, allow_newer=False):
    """Check that the stock server can run a SavedModel: every node of its graph, functions included.

    Never allowed: functions of Python, which live in the process that exported; kernels of cuDNN, which a server
    without a GPU lacks; functions that must be compiled by XLA, which the stock server refuses without a flag.

    Args:
        path: The SavedModel's folder.
        libraries: Libraries whose operations may stand in it, of `"tensorflow"` and `"tensorflow_text"`.
        allow_newer: Allow operations and attributes that are not among those of version 2.12.1, for a newer server.

    Raises:
        ValueError: If the graph holds something else. The message names every such operation and where it stands.

    Example:
    ```python
    check_operations("saved_models/english_french/1")
    ```
    """
    known = None if allow_newer else stock_operations(tuple(libraries))
    saved_model = saved_model_pb2.SavedModel.FromString((Path(path) / "saved_model.pb").read_bytes())
    found = {}
    for meta_graph in saved_model.meta_graphs:
        library = meta_graph.graph_def.library
        own = {function.signature.name for function in library.function}
        for where, attributes, nodes in _bodies(meta_graph.graph_def):
            if attributes is not None and attributes["_XlaMustCompile"].b:
                found.setdefault("_XlaMustCompile, so XLA has to compile it,", where)
            for node in nodes:
                for complaint in _complaints(node, own, known):
                    found.setdefault(complaint, where)
    if found:
        listed = "; ".join(f"{complaint} in {where}" for complaint, where in found.items())
        expected = "Expected operations that the stock TF Serving server has" + (
            " (no Python functions, no cuDNN, nothing that must be compiled)"
            if allow_newer
            else f" ({' and '.join(libraries)} 2.12.1; a newer server may have more: allow_newer_operations=True)"
        )
        raise ValueError(f"{expected}. Received: {listed}")


def _bodies(graph_def):
    yield "the graph", None, graph_def.node
    for function in graph_def.library.function:
        yield f"function {function.signature.name}", function.attr, function.node_def


def _complaints(node, own, known):
    """Yield what is wrong with a node, in words."""
    if "_XlaMustCompile" in node.attr and node.attr["_XlaMustCompile"].b:
        yield f"_XlaMustCompile on operation {node.op}"
    if node.op in own:  # a call of one of the graph's functions
        return
    if "PyFunc" in node.op:
        yield f"operation {node.op}, a function of Python,"
    elif "cudnn" in node.op.lower():
        yield f"operation {node.op}, a kernel of cuDNN,"
    elif known is not None and node.op not in known:
        yield f"operation {node.op}"
    elif known is not None:
        # What begins with "_" is a note to the runtime and belongs to no operation.
        for name in sorted(set(node.attr) - known[node.op]):
            if not name.startswith("_") and (node.op, name) not in _HARMLESS_ATTRIBUTES:
                yield f"attribute {name} of operation {node.op}"

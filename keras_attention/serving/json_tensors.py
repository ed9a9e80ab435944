"""Tensors between JSON and numpy, in the two forms of TF Serving's REST API.

Row form: `{"instances": [{"text": "one"}, {"text": "two"}]}` gives `{"predictions": [{...}, {...}]}`. Column form:
`{"inputs": {"text": ["one", "two"]}}` gives `{"outputs": {...}}`. With a single input its name may be left out, and a
single output stands without its name. Bytes are `{"b64": "..."}`; outputs whose names end in `_bytes` are written so.
"""

import base64
import binascii
import json

import numpy as np
import tensorflow as tf

from keras_attention.serving.serving_error import ServingError

_MAXIMUM_RANK = 32
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_FLOATS = ("float16", "bfloat16", "float32", "float64")


def parse_request(body):
    """Parse the body of a `:predict` request.

    Args:
        body: Bytes.

    Returns:
        `(document, signature_name)`: the JSON object, and its `signature_name`, empty if it has none.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    try:
        document = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise _invalid("expected a JSON object")
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise _invalid(f"'signature_name' must be a string. Received: {_short(name)}")
    if ("instances" in document) == ("inputs" in document):
        raise _invalid("expected one of the keys 'instances' and 'inputs'")
    return document, name


def inputs_from_json(document, signature):
    """Turn the `instances` or `inputs` of a request into arrays.

    Args:
        document: The JSON object.
        signature: The `SignatureDef` that says names and types.

    Returns:
        Dict from an input's name to a numpy array, strings as `bytes` objects.

    Raises:
        ServingError: INVALID_ARGUMENT, and UNIMPLEMENTED for a type that JSON cannot say.
    """
    dtypes = {name: tf.dtypes.as_dtype(info.dtype).name for name, info in signature.inputs.items()}
    try:
        if "inputs" in document:
            return _from_columns(document["inputs"], dtypes)
        return _from_rows(document["instances"], dtypes)
    except RecursionError as error:
        raise _invalid("lists inside lists, too deep") from error


def outputs_to_json(outputs, rows):
    """Turn arrays into the object of an answer.

    Args:
        outputs: Dict from an output's name to a numpy array.
        rows: Whether the request was in row form.

    Returns:
        A dict for `json.dumps`.

    Raises:
        ServingError: INVALID_ARGUMENT if the outputs have no common first dimension, which row form needs.
    """
    values = {name: _plain(np.asarray(array), name.endswith("_bytes")) for name, array in outputs.items()}
    single = next(iter(values.values())) if len(values) == 1 else None
    if not rows:
        return {"outputs": values if single is None else single}
    sizes = {name: array.shape[0] if array.ndim else None for name, array in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) != 1:
        raise _invalid(
            f"row form wants outputs with one first dimension; use column form ('inputs'). Received: {sizes}"
        )
    if single is not None:
        return {"predictions": single}
    return {"predictions": [dict(zip(values, row)) for row in zip(*values.values())]}


def _from_columns(columns, dtypes):
    if isinstance(columns, dict) and not _is_base64(columns):
        missing = sorted(set(dtypes) - set(columns))
        if missing:
            raise _invalid(f"missing in 'inputs': {missing}")
        # What the signature does not name is left out, as the stock server leaves it out.
        return {name: _array(columns[name], dtype, name) for name, dtype in dtypes.items()}
    return {(name := _only_name(dtypes, "inputs")): _array(columns, dtypes[name], name)}


def _from_rows(rows, dtypes):
    if not isinstance(rows, list) or not rows:
        raise _invalid("'instances' must be a list with at least one item")
    named = isinstance(rows[0], dict) and not _is_base64(rows[0])
    if not named:
        name = _only_name(dtypes, "instances")
        rows = [{name: row} for row in rows]
    for i, row in enumerate(rows):
        if not isinstance(row, dict) or _is_base64(row) or set(row) != set(dtypes):
            raise _invalid(f"item {i} of 'instances' must have the keys {sorted(dtypes)}. Received: {_short(row)}")
        if not named and isinstance(row[name], dict) and not _is_base64(row[name]):
            raise _invalid(f"item {i} of 'instances' is an object and the first one is none")
    # One list per input: that all rows have one shape is then the same question as for a column.
    return {name: _array([row[name] for row in rows], dtype, name) for name, dtype in dtypes.items()}


def _only_name(dtypes, key):
    if len(dtypes) != 1:
        raise _invalid(f"{key!r} must name the inputs {sorted(dtypes)}, since there are several")
    return next(iter(dtypes))


def _array(value, dtype, name):
    """Turn nested lists into an array; every list of one depth has one length."""
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    if len(shape) > _MAXIMUM_RANK:
        raise _invalid(f"input {name}: lists inside lists, {len(shape)} deep")
    leaves = []
    _collect(value, shape, 0, leaves, dtype, name)
    array = np.empty(len(leaves), object)
    array[:] = leaves
    if dtype == "string":
        return array.reshape(shape)
    try:
        return array.astype(tf.dtypes.as_dtype(dtype).as_numpy_dtype).reshape(shape)
    except (OverflowError, ValueError) as error:
        raise _invalid(f"input {name}: {error}") from error


def _collect(value, shape, depth, leaves, dtype, name):
    if depth == len(shape):
        if isinstance(value, list):
            raise _invalid(f"input {name}: a list where values stand, at depth {depth}")
        leaves.append(_leaf(value, dtype, name))
        return
    if not isinstance(value, list) or len(value) != shape[depth]:
        raise _invalid(f"input {name}: expected lists of {shape[depth]} at depth {depth}. Received: {_short(value)}")
    for item in value:
        _collect(item, shape, depth + 1, leaves, dtype, name)


def _leaf(value, dtype, name):
    """Check one value against the type; JSON's true is no number and 1.0 no integer."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if dtype == "string":
        if isinstance(value, str):
            try:
                return value.encode("utf-8")
            except UnicodeEncodeError as error:
                raise _invalid(f"input {name}: half of a surrogate pair is no character") from error
        if _is_base64(value):
            try:
                return base64.b64decode(value["b64"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise _invalid(f"input {name}: not base64: {error}") from error
    elif dtype == "bool":
        if isinstance(value, bool):
            return value
    elif dtype in _FLOATS:
        if number:
            try:
                return float(value)
            except OverflowError as error:
                raise _invalid(f"input {name}: {error}") from error
    elif dtype in _INTEGERS:
        limits = np.iinfo(dtype)
        if number and isinstance(value, int) and limits.min <= value <= limits.max:
            return value
    else:
        raise ServingError("UNIMPLEMENTED", f"input {name}: {dtype} cannot be said in JSON")
    raise _invalid(f"input {name}: expected {dtype}. Received: {_short(value)}")


def _is_base64(value):
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _plain(array, as_bytes):
    if array.dtype.kind in "OSU":
        values = [v if isinstance(v, bytes) else str(v).encode() for v in array.reshape(-1).tolist()]
        if as_bytes:
            values = [{"b64": base64.b64encode(v).decode("ascii")} for v in values]
        else:
            values = [v.decode("utf-8", "replace") for v in values]
        boxed = np.empty(len(values), object)
        boxed[:] = values
        return boxed.reshape(array.shape).tolist()
    if array.dtype == np.float32:  # through the shortest decimal: 0.2, not 0.20000000298
        array = array.astype(str).astype(np.float64)
    elif array.dtype.name in ("float16", "bfloat16"):
        array = array.astype(np.float64)
    return array.tolist()


def _short(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _invalid(message):
    return ServingError("INVALID_ARGUMENT", message)

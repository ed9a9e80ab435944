"""Tensors between numpy and TensorFlow's protocol buffers, in the fields in which TF Serving fills them."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from keras_attention.serving.serving_error import ServingError

# A proto may name a shape of any size and hold one value that is meant to fill it.
MAXIMUM_ELEMENTS = 1 << 24
_VALUES = {
    tf.string: "string_val",
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
}


def array_from_proto(name, proto):
    """Read a `TensorProto`.

    Args:
        name: Name of the input, for the message.
        proto: The `TensorProto`; strings become an array of `bytes` objects.

    Raises:
        ServingError: INVALID_ARGUMENT if values and shape do not fit or the type is none; RESOURCE_EXHAUSTED if the
            shape has more than 2 ** 24 elements.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise ServingError("INVALID_ARGUMENT", f"input {name}: expected a known shape. Received: shape={sizes}")
    elements = 1
    for size in sizes:
        elements *= size
    if elements > MAXIMUM_ELEMENTS:
        raise ServingError(
            "RESOURCE_EXHAUSTED", f"input {name}: expected at most {MAXIMUM_ELEMENTS} elements. Received: shape={sizes}"
        )
    try:
        dtype = tf.dtypes.as_dtype(proto.dtype)
        if dtype == tf.string and elements and not proto.string_val:
            raise ValueError("a shape without values")
        array = tf.make_ndarray(proto)
    except (TypeError, ValueError) as error:
        raise ServingError("INVALID_ARGUMENT", f"input {name}: {error}") from error
    if dtype == tf.string and array.dtype != object:  # an empty one
        array = np.empty(sizes, object)
    return array


def array_to_proto(array, dtype):
    """Write a `TensorProto` with one value per element in the field of its type.

    `tf.make_tensor_proto` packs numbers into `tensor_content`; the stock server does not, and many clients read
    `float_val` and its sisters.

    Args:
        array: Numpy array, strings as `bytes`.
        dtype: A TensorFlow dtype.
    """
    field = _VALUES.get(tf.dtypes.as_dtype(dtype))
    array = np.asarray(array)
    if field is None:
        return tf.make_tensor_proto(array, dtype=dtype)
    proto = tensor_pb2.TensorProto(dtype=tf.dtypes.as_dtype(dtype).as_datatype_enum)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    getattr(proto, field).extend(array.reshape(-1).tolist())
    return proto

"""A TFLite file: ids in and out, fixed sizes, TFLite's own operations only."""

import os
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf


def write_tflite(path, function, signature, examples, tolerance=1e-3):
    """Convert a function, run the result with TFLite's interpreter, compare, and only then write the file.

    Sizes are fixed, since the converter refuses unknown ones (`StridedSlice` with a new axis and `TensorListReserve`
    want known shapes). Weights become constants of the file.

    Args:
        path: The file; replaced if it is there.
        function: Callable from tensors of the signature's names to a dict of tensors.
        signature: List of `tf.TensorSpec` with known shapes and names.
        examples: List of dicts from the inputs' names to tensors, to compare with.
        tolerance: Greatest difference of floats, of their size and absolutely; all else must be equal.

    Returns:
        The path. Inputs have the names of the signature inside theirs; outputs stand in the order of the names that
        `function` gives them, sorted.

    Raises:
        RuntimeError: If the interpreter answers otherwise than the function. Nothing is written then.
    """
    concrete = tf.function(function, input_signature=signature, autograph=False).get_concrete_function()
    # Given no object that holds the variables, the converter freezes them; kept as variables they are without a value
    # inside the loops.
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    for inputs in examples:
        expected = function(**{name: tf.constant(value) for name, value in inputs.items()})
        for value, (name, reference) in zip(run_tflite(content, inputs), sorted(expected.items()), strict=True):
            reference = np.asarray(reference)
            if np.issubdtype(reference.dtype, np.floating):
                same = value.shape == reference.shape and np.allclose(value, reference, tolerance, tolerance)
            else:
                same = np.array_equal(value, reference)
            if not same:
                raise RuntimeError(
                    f"The TFLite file does not answer as the model does. Received: {name}={value!r} instead of "
                    f"{reference!r}"
                )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{path.name}")
    partial.write_bytes(content)
    os.replace(partial, path)
    return path


def run_tflite(content, inputs):
    """Run a TFLite model once with TFLite's own operations.

    Args:
        content: The file's bytes.
        inputs: Dict from names of inputs to arrays.

    Returns:
        List of arrays, the outputs in their order.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the interpreter's move to a package of its own
        interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        name = next(name for name in inputs if name in detail["name"])
        interpreter.set_tensor(detail["index"], np.asarray(inputs[name], detail["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]

"""Inside a graph, compiled or not, everything gives what it gives eagerly."""

import keras
import pytest
from conformance.row import as_tensors, assert_same, call, numbers
from conformance.rows import ROWS

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_graph_equals_eager(row):
    import tensorflow as tf

    instance = row.make()
    expected = numbers(call(instance, row.sample()))
    args, kwargs = as_tensors(row.sample())
    flags = {key: value for key, value in kwargs.items() if isinstance(value, bool)}
    tensors = {key: value for key, value in kwargs.items() if key not in flags}

    @tf.function(jit_compile=not row.slow_graph)
    def graph(args, tensors):
        return call(instance, (args, {**tensors, **flags}))

    assert_same(numbers(graph(args, tensors)), expected, atol=1e-5)


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind != "metric" and row.unknown_lengths], ids=str)
def test_lengths_may_change_from_call_to_call(row):
    """One graph of unknown lengths serves all of them: nothing of the first call's shape is kept."""
    import tensorflow as tf

    instance = row.make()
    call(instance, row.sample())
    traces = []

    def any_length(x):
        """Keep the batch, and the width of vectors; lengths become unknown."""
        width = [x.shape[-1]] if x.dtype.is_floating and len(x.shape) == 3 and row.kind != "loss" else []
        state = len(x.shape) == 2 and x.dtype.is_floating and row.kind == "layer"
        lengths = list(x.shape[1:]) if state else [None] * (len(x.shape) - 1 - len(width))
        return tf.TensorSpec([x.shape[0], *lengths, *([] if state else width)], x.dtype)

    def split(sample):
        args, kwargs = as_tensors(sample)
        flags = {key: value for key, value in kwargs.items() if isinstance(value, bool)}
        return args, {key: value for key, value in kwargs.items() if key not in flags}, flags

    args, tensors, flags = split(row.sample())

    @tf.function(input_signature=keras.tree.map_structure(any_length, (args, tensors)))
    def graph(args, tensors):
        traces.append(1)
        return call(instance, (args, {**tensors, **flags}))

    for padding in (0, 3):
        args, tensors, _ = split(row.sample(padding=padding))
        expected = numbers(call(instance, row.sample(padding=padding)))
        assert_same(numbers(graph(args, tensors)), expected, atol=1e-5)
    assert len(traces) == 1

"""The drivers inside tf.function with unknown sizes, and inside a SavedModel."""

import keras
import numpy as np
import pytest

from keras_attention.decoding import beam_search, greedy_decode, sample, score_targets

if keras.backend.backend() != "tensorflow":
    pytest.skip("graphs are TensorFlow's", allow_module_level=True)

import tensorflow as tf

START, END = 2, 3
UNKNOWN_SIZES = {
    "logits": tf.TensorSpec((None, None, 6)),
    "weights": tf.TensorSpec((None, None, None)),
    "mask": tf.TensorSpec((None, None), tf.bool),
    "maximum_length": tf.TensorSpec((None,), tf.int32),
}
DRIVERS = {
    "greedy": (greedy_decode, {}),
    "beam": (beam_search, {"beam_width": 3, "n_best": 2, "length_normalization": 0.6, "coverage_penalty": 0.2}),
    "sample": (sample, {"seed": 1, "sample_count": 2}),
    "top_p": (sample, {"seed": 1, "sample_count": 2, "top_p": 0.8}),
}


def decode_function(name, model):
    """A function of tensors alone, that counts its traces."""
    driver, options = DRIVERS[name]
    traces = []

    def decode(logits, weights, mask, maximum_length):
        traces.append(1)
        return driver(
            model.step,
            {"prefix": tf.fill((tf.shape(logits)[0], 1), -1)},
            {"logits": logits, "weights": weights},
            start_id=START,
            end_id=END,
            maximum_length=maximum_length,
            source_mask=mask,
            return_alignment=True,
            **options,
        )

    return decode, traces


def arguments(model, limits):
    return {
        "logits": tf.constant(model.logits),
        "weights": tf.constant(model.weights),
        "mask": tf.constant(model.mask),
        "maximum_length": tf.constant(limits, tf.int32),
    }


@pytest.mark.parametrize("name", DRIVERS)
def test_one_trace_serves_every_size_and_equals_eager(table_model, as_numpy, name):
    traced, traces = None, None
    for seed, (batch, source, limit) in enumerate([(5, 3, 4), (1, 7, 3), (9, 2, 4), (0, 4, 2)]):
        model = table_model(seed=seed, batch=batch, source=source, vocabulary=6)
        decode, _ = decode_function(name, model)
        if traced is None:
            counted, traces = decode_function(name, model)
            traced = tf.function(counted).get_concrete_function(**UNKNOWN_SIZES)
        inputs = arguments(model, np.arange(batch) % limit + 1)
        eager, graph = as_numpy(decode(**inputs)), as_numpy(traced(**inputs))
        assert graph["token_ids"].shape[0] == batch
        assert graph["alignment"].shape[-1] == source
        for key in eager:
            if eager[key].dtype.kind == "f":
                np.testing.assert_allclose(graph[key], eager[key], rtol=1e-5, atol=1e-6, err_msg=key)
            else:
                np.testing.assert_array_equal(graph[key], eager[key], err_msg=key)
    assert len(traces) == 1


@pytest.mark.parametrize("name", DRIVERS)
def test_a_saved_model_needs_core_ops_only(table_model, as_numpy, tmp_path, name):
    model = table_model(seed=3, batch=4, vocabulary=6)
    decode, _ = decode_function(name, model)
    module = tf.Module()
    module.decode = tf.function(decode)
    tf.saved_model.save(module, tmp_path, signatures=module.decode.get_concrete_function(**UNKNOWN_SIZES))
    loaded = tf.saved_model.load(tmp_path).signatures["serving_default"]
    inputs = arguments(model, [4, 1, 3, 2])
    expected, found = as_numpy(decode(**inputs)), as_numpy(loaded(**inputs))
    np.testing.assert_array_equal(found["token_ids"], expected["token_ids"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)

    graph = loaded.graph.as_graph_def()
    ops = {node.op for node in graph.node} | {n.op for f in graph.library.function for n in f.node_def}
    assert not [op for op in ops if op.startswith("Xla") or "PyFunc" in op or "Eager" in op]
    attributes = {key for f in graph.library.function for key in f.attr}
    assert "_XlaMustCompile" not in attributes


@pytest.mark.parametrize("name", ["greedy", "beam"])
def test_sizes_known_in_part(table_model, as_numpy, name):
    """A static batch beside unknown lengths, and the reverse: the loop's shapes must stay as they were."""
    model = table_model(seed=4, batch=4, vocabulary=6)
    decode, _ = decode_function(name, model)
    inputs = arguments(model, [4, 1, 3, 2])
    expected = as_numpy(decode(**inputs))
    for static in (("logits",), ("weights", "mask"), ("maximum_length",), ("logits", "mask", "maximum_length")):
        signature = {
            key: tf.TensorSpec(inputs[key].shape, spec.dtype) if key in static else spec
            for key, spec in UNKNOWN_SIZES.items()
        }
        found = as_numpy(tf.function(decode).get_concrete_function(**signature)(**inputs))
        np.testing.assert_array_equal(found["token_ids"], expected["token_ids"])


def test_a_step_that_loses_static_sizes(table_model, as_numpy):
    """A reshape with -1 inside the step would break the loop's shape invariants."""
    model = table_model(seed=5, batch=3, vocabulary=6)

    def step(token_ids, state, memory):
        logits, state, weights = model.step(token_ids, state, memory)
        size = tf.size(state["prefix"])
        return logits, {"prefix": tf.reshape(state["prefix"], (size // tf.shape(token_ids)[1], -1))}, weights

    def run(step):
        return beam_search(step, model.state, model.memory, start_id=START, end_id=END, maximum_length=4, beam_width=3)

    found = as_numpy(tf.function(lambda: run(step))())
    np.testing.assert_array_equal(found["token_ids"], as_numpy(run(model.step))["token_ids"])


def test_new_samples_at_every_call_of_one_trace(table_model):
    model = table_model(seed=6, batch=4, vocabulary=6)
    generator = keras.random.SeedGenerator(3)

    @tf.function
    def draw():
        return sample(
            model.step,
            model.state,
            model.memory,
            start_id=START,
            end_id=END,
            maximum_length=4,
            seed=generator,
            sample_count=4,
        )["token_ids"]

    first, second = draw().numpy().tolist(), draw().numpy().tolist()
    assert first != second
    assert draw.experimental_get_tracing_count() == 1


def test_scoring_in_a_graph(table_model, as_numpy):
    model = table_model(seed=7, batch=4, vocabulary=6)
    targets = np.array([[4, 5, END], [END, 0, 0], [1, END, 0], [5, 5, 5]], "int32")

    def score(targets, logits, weights):
        return score_targets(
            model.step,
            {"prefix": tf.fill((tf.shape(targets)[0], 1), -1)},
            {"logits": logits, "weights": weights},
            targets,
            start_id=START,
        )

    traced = tf.function(score).get_concrete_function(
        tf.TensorSpec((None, None), tf.int32), UNKNOWN_SIZES["logits"], UNKNOWN_SIZES["weights"]
    )
    for count in (4, 2, 0):
        inputs = tf.constant(targets[:count]), tf.constant(model.logits[:count]), tf.constant(model.weights[:count])
        eager, graph = as_numpy(score(*inputs)), as_numpy(traced(*inputs))
        np.testing.assert_allclose(
            graph["token_log_probabilities"], eager["token_log_probabilities"], rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("name", ["greedy", "beam"])
def test_xla_with_static_sizes(table_model, as_numpy, name):
    """Compiled with every size known; `output_length` gives the width that a tensor of limits does not."""
    model = table_model(seed=8, batch=4, vocabulary=6)
    driver, options = DRIVERS[name]

    def decode(limits):
        return driver(
            model.step,
            model.state,
            model.memory,
            start_id=START,
            end_id=END,
            maximum_length=limits,
            output_length=4,
            source_mask=model.mask,
            return_alignment=True,
            **options,
        )

    limits = tf.constant([4, 1, 3, 2])
    found, expected = as_numpy(tf.function(decode, jit_compile=True)(limits)), as_numpy(decode(limits))
    np.testing.assert_array_equal(found["token_ids"], expected["token_ids"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)

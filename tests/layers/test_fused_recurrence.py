"""FusedGRU, FusedLSTM and FusedBidirectional against Keras' own layers."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import FusedBidirectional, FusedGRU, FusedLSTM

PAIRS = [
    (FusedGRU, keras.layers.GRU, {"reset_after": True}),
    (FusedGRU, keras.layers.GRU, {"reset_after": False}),
    (FusedLSTM, keras.layers.LSTM, {}),
]


def make(fused, plain, options, **more):
    layers = [
        cls(5, return_sequences=True, return_state=True, dtype="float64", **options, **more) for cls in (fused, plain)
    ]
    for layer in layers:
        layer.build((3, 6, 4))
    rng = np.random.default_rng(0)
    layers[1].set_weights([w + rng.normal(size=w.shape) * 0.1 for w in layers[1].get_weights()])  # biases too
    layers[0].set_weights(layers[1].get_weights())
    return layers


@pytest.mark.parametrize("fused, plain, options", PAIRS)
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_outputs_and_gradients_are_keras(fused, plain, options, go_backwards, masked):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the fused loops are TensorFlow's")
    layers = make(fused, plain, options, go_backwards=go_backwards)
    rng = np.random.default_rng(1)
    sequences = tf.constant(rng.normal(size=(3, 6, 4)))
    # Keras gives zeros, not the initial state, at leading masked steps: none of them starts from another state here.
    scale = 0.0 if go_backwards and masked else 1.0
    states = [tf.constant(rng.normal(size=(3, 5)) * scale) for _ in range(2 if fused is FusedLSTM else 1)]
    mask = tf.constant(np.arange(6) < np.array([[6], [2], [4]])) if masked else None

    def run(layer):
        with tf.GradientTape() as tape:
            watched = [sequences, *(states if scale else [])]
            tape.watch(watched)
            outputs = layer(sequences, initial_state=states, mask=mask)
            loss = sum(tf.reduce_sum(tf.sin((i + 1.0) * x)) for i, x in enumerate(outputs))
        variables = [v.value for v in layer.trainable_variables]
        return [*outputs, *tape.gradient(loss, [*watched, *variables])]

    expected = run(layers[1])
    for way in (run, tf.function(run), tf.function(run, jit_compile=True)):
        for a, b in zip(expected, way(layers[0]), strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), atol=1e-10)


@pytest.mark.parametrize("fused, plain, options", PAIRS)
def test_what_the_fused_loop_cannot_do_is_left_to_keras(fused, plain, options):
    sequences = np.random.default_rng(2).normal(size=(3, 6, 4))
    for more in ({"activation": "relu"}, {"unroll": True}, {"use_bias": False}):
        layers = make(fused, plain, options, **more)
        for a, b in zip(layers[0](sequences), layers[1](sequences)):
            np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=1e-10)


def bidirectional(wrapper, layer, options, **more):
    made = wrapper(layer(5, return_sequences=True, dtype="float64", **options), dtype="float64", **more)
    made.build((3, 6, 4))
    return made


@pytest.mark.parametrize("fused, plain, options", PAIRS)
@pytest.mark.parametrize("wrapper", [FusedBidirectional, keras.layers.Bidirectional])
@pytest.mark.parametrize("masked", [False, True])
def test_both_directions_are_keras(fused, plain, options, wrapper, masked):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the fused loops are TensorFlow's")
    layers = [bidirectional(wrapper, fused, options), bidirectional(keras.layers.Bidirectional, plain, options)]
    rng = np.random.default_rng(3)
    layers[1].set_weights([w + rng.normal(size=w.shape) * 0.1 for w in layers[1].get_weights()])  # biases too
    layers[0].set_weights(layers[1].get_weights())
    sequences = tf.constant(rng.normal(size=(3, 6, 4)))
    mask = tf.constant(np.arange(6) < np.array([[6], [2], [0]])) if masked else None

    def run(layer):
        with tf.GradientTape() as tape:
            tape.watch(sequences)
            outputs = layer(sequences, mask=mask)
            loss = tf.reduce_sum(tf.sin(outputs * (1.0 + tf.range(10, dtype="float64"))))
        return [outputs, *tape.gradient(loss, [sequences, *(v.value for v in layer.trainable_variables)])]

    expected = run(layers[1])
    for way in (run, tf.function(run), tf.function(run, jit_compile=True)):
        for a, b in zip(expected, way(layers[0]), strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), atol=1e-10)


@pytest.mark.parametrize("fused, plain, options", PAIRS)
def test_what_one_loop_cannot_do_is_left_to_keras(fused, plain, options):
    sequences = np.random.default_rng(4).normal(size=(3, 6, 4))
    ways = [({}, {"merge_mode": "sum"}), ({"use_bias": False}, {}), ({"activation": "relu"}, {})]
    for layer_options, more in ways:
        layers = [
            bidirectional(FusedBidirectional, fused, {**options, **layer_options}, **more),
            bidirectional(keras.layers.Bidirectional, plain, {**options, **layer_options}, **more),
        ]
        layers[0].set_weights(layers[1].get_weights())
        outputs = [ops.convert_to_numpy(layer(sequences)) for layer in layers]
        np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-6)

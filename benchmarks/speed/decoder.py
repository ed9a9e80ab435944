"""The attention decoder alone, forward and backward, beside PyTorch, plain Keras and our own plain loop."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from benchmarks.speed.measure import Row, best_of, interleave
from benchmarks.speed.sizes import TINY, TranslationSizes, decoder_floor
from keras_attention.layers import AttentionGRU


def rows(settings):
    """Time one forward and backward pass with all gradients."""
    sizes = settings.size(TranslationSizes(), TINY)
    arrays = make_arrays(sizes)
    layer = make_layer(sizes)
    runs = {"ours, graph": gradients(layer, arrays), "ours, XLA": gradients(layer, arrays, jit_compile=True)}
    runs["AttentionGRU with the reset before the product, graph"] = gradients(
        make_layer(sizes, reset_after=False), arrays
    )
    runs["our plain loop (tf.while_loop, automatic)"] = gradients(make_layer(sizes, fused=False), arrays)
    runs["keras.layers.RNN with a cell, XLA"] = gradients(KerasDecoder(sizes), arrays, jit_compile=True)
    runs.update(torch_runs(layer, arrays, sizes, settings.compile_peers))
    times = interleave(runs, settings.rounds)
    ours, others = best_of(times)
    note = f"Embedding {sizes.embedding}, values {2 * sizes.encoder_units}, all gradients; same weights, same numbers."
    return [Row(f"decoder alone, {sizes}", ours, others, decoder_floor(sizes), "1.4 PyTorch eager", [note])]


def make_arrays(sizes):
    """Return embeddings, annotations and first state."""
    random = np.random.default_rng(0)
    shapes = (
        (sizes.batch, sizes.target, sizes.embedding),
        (sizes.batch, sizes.source, 2 * sizes.encoder_units),
        (sizes.batch, sizes.units),
    )
    return [random.normal(size=shape).astype("float32") * 0.5 for shape in shapes]


def make_layer(sizes, seed=1, **options):
    """Return a built `AttentionGRU`."""
    keras.utils.set_random_seed(seed)
    layer = AttentionGRU(sizes.units, sizes.attention_units, **{"reset_after": True, **options})
    layer.build([(None, None, sizes.embedding), (None, None, 2 * sizes.encoder_units)])
    return layer


def gradients(layer, arrays, jit_compile=False):
    """Return a callable: loss and gradients by inputs and weights, read back."""
    embeddings, annotations, state = (tf.constant(x) for x in arrays)
    variables = [v.value for v in layer.trainable_variables]

    @tf.function(jit_compile=jit_compile)
    def step():
        with tf.GradientTape() as tape:
            tape.watch([embeddings, annotations, state])
            states, contexts = layer([embeddings, annotations], initial_state=state)
            loss = tf.reduce_mean(tf.square(states)) + tf.reduce_mean(tf.square(contexts))
        return loss, tape.gradient(loss, [embeddings, annotations, state, *variables])

    return lambda: step()[0].numpy()


class KerasDecoder(keras.layers.Layer):
    """What one writes with Keras alone: a cell in `keras.layers.RNN`, the memory handed over as a closure."""

    def __init__(self, sizes):
        super().__init__()
        self.units = sizes.units
        self.cell_layer = _AttentionCell(sizes.units, sizes.attention_units, 2 * sizes.encoder_units)
        self.keys = keras.layers.Dense(sizes.attention_units, use_bias=False)
        self.rnn = keras.layers.RNN(self.cell_layer, return_sequences=True, unroll=True)
        self.keys.build((None, None, 2 * sizes.encoder_units))
        self.cell_layer.build((None, sizes.embedding))

    def call(self, inputs, initial_state=None):
        embeddings, annotations = inputs
        self.cell_layer.value, self.cell_layer.keys = annotations, self.keys(annotations)
        # Unrolled, since Keras' symbolic loop does not let tensors of outside into its gradient under XLA.
        return ops.split(self.rnn(embeddings, initial_state=[initial_state]), [self.units], axis=-1)


class _AttentionCell(keras.layers.Layer):
    def __init__(self, units, attention_units, value_width):
        super().__init__()
        self.units, self.state_size, self.output_size = units, units, units + value_width
        self.attention_units, self.value_width = attention_units, value_width

    def build(self, input_shape):
        n = self.units
        self.kernel = self.add_weight(shape=(input_shape[-1] + self.value_width, 3 * n))
        self.recurrent_kernel = self.add_weight(shape=(n, 3 * n))
        self.bias = self.add_weight(shape=(3 * n,), initializer="zeros")
        self.recurrent_bias = self.add_weight(shape=(n,), initializer="zeros")
        self.query_kernel = self.add_weight(shape=(n, self.attention_units))
        self.score_vector = self.add_weight(shape=(self.attention_units, 1))
        self.built = True

    def call(self, inputs, states, training=None):
        n, state = self.units, states[0]
        hidden = ops.tanh(ops.expand_dims(ops.matmul(state, self.query_kernel), 1) + self.keys)
        weights = ops.softmax(ops.squeeze(ops.matmul(hidden, self.score_vector), -1))
        context = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), self.value), 1)
        given = ops.matmul(ops.concatenate([inputs, context], -1), self.kernel) + self.bias
        recurrent = ops.matmul(state, self.recurrent_kernel)
        update, reset = ops.split(ops.sigmoid(given[:, : 2 * n] + recurrent[:, : 2 * n]), 2, axis=-1)
        candidate = ops.tanh(given[:, 2 * n :] + reset * (recurrent[:, 2 * n :] + self.recurrent_bias))
        state = state + update * (candidate - state)
        return ops.concatenate([state, context], -1), [state]


def torch_runs(layer, arrays, sizes, compiled):
    """Return the same in PyTorch, eager and compiled."""
    try:
        import torch
    except ImportError:
        return {}
    from benchmarks.speed.torch_rnn_search import TorchAttentionGRU, copy_decoder

    peer = TorchAttentionGRU(sizes.embedding, 2 * sizes.encoder_units, sizes.units, sizes.attention_units)
    copy_decoder(layer, peer)
    inputs = [torch.from_numpy(x).requires_grad_() for x in arrays]
    wanted = [*inputs, *peer.parameters()]

    def loss_of(*inputs):
        states, contexts = peer(*inputs)
        return states.square().mean() + contexts.square().mean()

    def run(forward):
        def step():
            loss = forward(*inputs)
            torch.autograd.grad(loss, wanted)
            return loss.item()

        return step

    runs = {"PyTorch eager": run(loss_of)}
    if compiled:
        runs["PyTorch compiled"] = run(torch.compile(loss_of))
    return runs

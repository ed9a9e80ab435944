"""The bidirectional GRU encoder, forward and backward, beside the ways Keras has and PyTorch."""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed.measure import Row, best_of, interleave
from benchmarks.speed.sizes import TINY, TranslationSizes, encoder_floor
from keras_attention.layers import FusedBidirectional, FusedGRU


def rows(settings):
    """Time one forward and backward pass with all gradients."""
    sizes = settings.size(TranslationSizes(encoder_units=512), TINY)
    sequences = np.random.default_rng(0).normal(size=(sizes.batch, sizes.source, sizes.embedding)).astype("float32")
    encoder = make_encoder(sizes, FusedGRU)
    runs = {"ours, graph": gradients(encoder, sequences), "ours, XLA": gradients(encoder, sequences, True)}
    for name, unroll, jit_compile in (
        ("keras.layers.GRU, graph", False, False),
        ("keras.layers.GRU, XLA", False, True),
        ("keras.layers.GRU, unrolled, XLA", True, True),
    ):
        other = make_encoder(sizes, keras.layers.GRU, keras.layers.Bidirectional, unroll=unroll)
        other.set_weights(encoder.get_weights())
        runs[name] = gradients(other, sequences, jit_compile)
    runs.update(torch_run(encoder, sequences, sizes))
    times = interleave(runs, settings.rounds)
    ours, others = best_of(times)
    what = (
        f"encoder, 2 x {sizes.encoder_units} units, input {sizes.embedding}, batch {sizes.batch}, {sizes.source} steps"
    )
    return [Row(what, ours, others, encoder_floor(sizes), "1, the best of Keras")]


def make_encoder(sizes, layer_class, wrapper=FusedBidirectional, **options):
    """Return a built bidirectional layer."""
    keras.utils.set_random_seed(1)
    encoder = wrapper(layer_class(sizes.encoder_units, return_sequences=True, reset_after=True, **options))
    encoder.build((None, sizes.source, sizes.embedding))
    return encoder


def gradients(encoder, sequences, jit_compile=False):
    """Return a callable: loss and gradients by input and weights."""
    sequences = tf.constant(sequences)
    variables = [v.value for v in encoder.trainable_variables]

    @tf.function(jit_compile=jit_compile)
    def step():
        with tf.GradientTape() as tape:
            tape.watch(sequences)
            loss = tf.reduce_mean(tf.square(encoder(sequences)))
        return loss, tape.gradient(loss, [sequences, *variables])

    return lambda: step()[0].numpy()


def torch_run(encoder, sequences, sizes):
    """Return the same with `nn.GRU`."""
    try:
        import torch
    except ImportError:
        return {}

    peer = torch.nn.GRU(sizes.embedding, sizes.encoder_units, batch_first=True, bidirectional=True)
    n = sizes.encoder_units
    order = np.concatenate([np.arange(n, 2 * n), np.arange(n), np.arange(2 * n, 3 * n)])
    with torch.no_grad():
        for layer, suffix in ((encoder.forward_layer, ""), (encoder.backward_layer, "_reverse")):
            kernel, recurrent, bias = layer.get_weights()
            for name, value in (
                ("weight_ih", kernel.T[order]),
                ("weight_hh", recurrent.T[order]),
                ("bias_ih", bias[0][order]),
                ("bias_hh", bias[1][order]),
            ):
                getattr(peer, f"{name}_l0{suffix}").copy_(torch.from_numpy(value))
    inputs = torch.from_numpy(sequences).requires_grad_()
    wanted = [inputs, *peer.parameters()]

    def step():
        loss = peer(inputs)[0].square().mean()
        torch.autograd.grad(loss, wanted)
        return loss.item()

    return {"PyTorch nn.GRU": step}

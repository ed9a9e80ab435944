"""One training step of RNNSearch through `model.fit`, beside PyTorch eager and compiled."""

import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed.measure import Row, best_of, interleave
from benchmarks.speed.sizes import TINY, TranslationSizes, step_floor
from keras_attention.losses import TokenCrossEntropy
from keras_attention.models import RNNSearch
from keras_attention.training.adam import adam_class

STEPS = 5  # of one fit; the first of them, which begins the epoch, is left out


def rows(settings):
    """Time forward, backward, clipping and Adam."""
    sizes = settings.size(TranslationSizes(), TINY)
    batch = make_batch(sizes)
    runs = {"ours, fit, graph": fit_steps(make_model(sizes), batch, jit_compile=False)}
    runs["ours, fit, XLA"] = fit_steps(make_model(sizes), batch, jit_compile=True)
    runs.update(torch_steps(sizes, batch, settings.compile_peers))
    times = interleave(runs, settings.rounds)
    ours, others = best_of(times)
    tokens = (sizes.batch * sizes.target, "target tokens")
    note = (
        f"Embedding {sizes.embedding}, encoder 2 x {sizes.encoder_units}, vocabulary {sizes.vocabulary}; same weights, "
        "first losses equal (a test holds them); reset gate after the product on both sides."
    )
    return [Row(f"training step, {sizes}", ours, others, step_floor(sizes), "1.2 eager, 1 compiled", [note], tokens)]


def make_batch(sizes):
    """Return random ids without padding: `(inputs, labels, weights)`."""
    random = np.random.default_rng(0)
    source, target, labels = (
        random.integers(4, sizes.vocabulary, (sizes.batch, length)).astype("int32")
        for length in (sizes.source, sizes.target, sizes.target)
    )
    return {"source_ids": source, "target_ids": target}, labels, np.ones(labels.shape, "float32")


def make_model(sizes, seed=1, **options):
    """Return an `RNNSearch` of these sizes."""
    keras.utils.set_random_seed(seed)
    return RNNSearch(
        sizes.vocabulary,
        sizes.vocabulary,
        embedding_dim=sizes.embedding,
        encoder_units=sizes.encoder_units,
        decoder_units=sizes.units,
        attention_units=sizes.attention_units,
        maxout_units=sizes.maxout_units,
        **{"reset_after": True, **options},
    )


def fit_steps(model, batch, jit_compile, steps=STEPS, loss=None):
    """Return a callable that fits a few steps and returns the seconds of each but the first."""
    model.compile(
        optimizer=adam_class()(1e-3, global_clipnorm=1.0),
        loss=loss or TokenCrossEntropy(),
        jit_compile=jit_compile,
    )
    dataset = tf.data.Dataset.from_tensors(batch).cache().repeat().prefetch(2)
    clock = _StepClock()

    def run():
        clock.times.clear()
        model.fit(dataset, steps_per_epoch=steps, epochs=1, verbose=0, callbacks=[clock])
        return np.diff(clock.times).tolist()

    return run


class _StepClock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.times = []

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def torch_steps(sizes, batch, compiled):
    """Return the same step in PyTorch, eager and compiled, as callables that return seconds of a step each."""
    try:
        import torch
    except ImportError:
        return {}
    from benchmarks.speed.torch_rnn_search import copy_weights
    from benchmarks.speed.torch_training import make_training_step

    (inputs, labels, _) = batch
    tensors = [torch.from_numpy(inputs[name]).long() for name in ("source_ids", "target_ids")]
    labels = torch.from_numpy(labels).long()
    runs = {}
    for name in ("PyTorch eager", "PyTorch compiled")[: 1 + compiled]:
        peer = make_peer(sizes)
        copy_weights(make_model(sizes), peer)
        runs[name] = timed_steps(make_training_step(peer, tensors, labels, name.endswith("compiled")))
    return runs


def make_peer(sizes):
    """Return the PyTorch model of these sizes."""
    from benchmarks.speed.torch_rnn_search import TorchRNNSearch

    return TorchRNNSearch(
        sizes.vocabulary,
        sizes.vocabulary,
        sizes.embedding,
        sizes.encoder_units,
        sizes.units,
        sizes.attention_units,
        sizes.maxout_units,
    )


def timed_steps(step, steps=STEPS - 1):
    """Return a callable that makes some steps and returns the seconds of each."""

    def run():
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        return seconds

    return run

"""Time per token against corpus size, sentence length, vocabulary and batch; a table and a picture."""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed.measure import Row, Timing
from benchmarks.speed.sizes import TINY, TranslationSizes
from benchmarks.speed.training_step import fit_steps, make_batch, make_model
from keras_attention.data import translation_dataset
from keras_attention.text import WordTokenizer
from keras_attention.training.adam import adam_class
from keras_attention.training.chunked_loss_trainer import ChunkedLossTrainer

SERIES = {
    "corpus": ("sentence pairs", (10_000, 30_000, 100_000, 300_000, 1_000_000)),
    "length": ("tokens of source and target", (10, 25, 50, 100, 200, 400)),
    "vocabulary": ("words", (4_000, 8_000, 16_000, 32_000, 64_000)),
    "vocabulary, chunked loss": ("words", (4_000, 8_000, 16_000, 32_000, 64_000)),
    "batch": ("sentence pairs a batch", (8, 32, 64, 128, 256, 512)),
}
TINY_SERIES = {"corpus": (50, 100), "length": (4, 8), "vocabulary": (50, 90), "batch": (2, 4)}
WHY = {
    "corpus": "One batch of the pipeline; the order of an epoch is one shuffle of numbers.",
    "length": "Every target position looks at every source position: the alignment's share grows with the length.",
    "vocabulary": "The softmax over all words grows with their number, and rules from some ten thousand on.",
    "vocabulary, chunked loss": "The same products, but never all logits at a time.",
    "batch": "Weights are read once a step, whatever the batch; past that, products run at their full rate.",
}


def rows(settings):
    """One row for each point: seconds per token."""
    points = {}
    for series, (_, values) in SERIES.items():
        if settings.tiny:
            values = TINY_SERIES[series.split(",")[0]]
        points[series] = [(value, measure(series, value, settings)) for value in values]
    draw(points, settings.picture)
    result = []
    for series, found in points.items():
        smallest = found[0][1]
        for value, timing in found:
            what = f"growth, {series}: {value:,} {SERIES[series][0]}, per target token"
            others = [dataclasses.replace(smallest, name=f"at {found[0][0]:,}")] if timing is not smallest else []
            result.append(Row(what, timing, others, bar="flat, linear or explained"))
        result[-1].notes = [WHY[series]]
    result[-1].notes.append(f"Picture: {settings.picture}")
    return result


def measure(series, value, settings):
    """Return seconds per target token of one point."""
    if series == "corpus":
        return corpus_point(value, settings)
    base = settings.size(
        TranslationSizes(embedding=128, encoder_units=128, units=256, attention_units=256, maxout_units=128), TINY
    )
    change = {"length": ("source", "target"), "vocabulary": ("vocabulary",), "batch": ("batch",)}[series.split(",")[0]]
    sizes = dataclasses.replace(base, **dict.fromkeys(change, value))
    if series == "length":
        sizes = dataclasses.replace(sizes, batch=settings.size(16, 2))  # the same at every length, and it fits
    model, batch = make_model(sizes), make_batch(sizes)
    run = chunked_steps(model, batch) if series.endswith("chunked loss") else fit_steps(model, batch, jit_compile=False)
    run()
    seconds = [one for _ in range(max(1, settings.rounds // 5)) for one in run()]
    tokens = sizes.batch * sizes.target
    keras.backend.clear_session()
    return Timing("ours", tuple(s / tokens for s in seconds))


def chunked_steps(model, batch, steps=5):
    """Return a callable like `fit_steps`', with the loss in chunks."""
    from benchmarks.speed.training_step import _StepClock

    trainer = ChunkedLossTrainer(model)
    trainer.compile(optimizer=adam_class()(1e-3, global_clipnorm=1.0), jit_compile=False)
    dataset = tf.data.Dataset.from_tensors(batch).cache().repeat().prefetch(2)
    clock = _StepClock()

    def run():
        clock.times.clear()
        trainer.fit(dataset, steps_per_epoch=steps, epochs=1, verbose=0, callbacks=[clock])
        return np.diff(clock.times).tolist()

    return run


def corpus_point(pairs, settings):
    """Seconds per token of batches as they come from the pipeline, after it is ready."""
    random = np.random.default_rng(0)
    words = [f"w{i}" for i in range(settings.size(5000, 30))]
    tokenizer = WordTokenizer.train([" ".join(words)])
    lengths = random.integers(5, 25, pairs)
    flat = random.integers(0, len(words), lengths.sum())
    ends = np.cumsum(lengths)
    texts = [" ".join(words[i] for i in flat[end - n : end]) for end, n in zip(ends, lengths)]
    data = translation_dataset(texts, texts, tokenizer, tokenizer, batch_size=settings.size(64, 8))
    batches = iter(data.dataset)
    next(batches)
    count = min(settings.size(300, 3), data.steps_per_epoch - 1)
    start = time.perf_counter()
    tokens = sum(float(tf.reduce_sum(next(batches)[2])) for _ in range(count))
    return Timing("ours", ((time.perf_counter() - start) / max(tokens, 1),))


def draw(points, path):
    """Draw every series against its smallest point, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 4, figsize=(14, 3.6), constrained_layout=True)
    panels = dict(zip(("corpus", "length", "vocabulary", "batch"), axes))
    for series, found in points.items():
        panel = panels[series.split(",")[0]]
        panel.loglog([v for v, _ in found], [t.median * 1e6 for _, t in found], marker="o", label=series)
        panel.set_xlabel(SERIES[series][0])
        panel.set_xticks([v for v, _ in found], [f"{v:,}" for v, _ in found], rotation=30)
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    for panel in axes:  # the same decades everywhere, so that slopes can be compared
        lowest = min(min(line.get_ydata()) for line in panel.lines)
        panel.set_ylim(lowest / 3, lowest * 30)
        panel.yaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("microseconds per target token")
    axes[2].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)

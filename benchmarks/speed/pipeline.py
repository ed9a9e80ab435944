"""The translation pipeline beside what training consumes."""

import itertools
import time

from benchmarks.speed.measure import Row, Timing
from benchmarks.speed.sizes import TINY, TranslationSizes
from benchmarks.speed.training_step import make_model
from keras_attention.data import load_multi30k, load_tatoeba, translation_dataset
from keras_attention.losses import TokenCrossEntropy
from keras_attention.text import SentencePieceTokenizer
from keras_attention.training.adam import adam_class


def rows(settings):
    """Batches per second of an epoch, and of the training step that takes them."""
    if settings.multi30k is not None and not settings.tiny:
        corpus, name = load_multi30k(settings.multi30k, "train", "de", "en"), "Multi30k"
    else:
        corpus, name = load_tatoeba("train", "en", "fr"), "the embedded corpus"
    count = settings.size(len(corpus.sources), 300)
    sources, targets = corpus.sources[:count], corpus.targets[:count]
    vocabulary = settings.size(8000, 200)
    start = time.perf_counter()
    tokenizer = SentencePieceTokenizer.train([*sources, *targets], vocabulary_size=vocabulary)
    trained = time.perf_counter() - start
    start = time.perf_counter()
    data = translation_dataset(sources, targets, tokenizer, tokenizer, batch_size=settings.size(64, 16))
    ready = time.perf_counter() - start
    batches = iter(data.dataset)
    for _ in range(3):
        next(batches)
    seconds = []
    for _ in range(settings.size(data.steps_per_epoch, 5)):
        start = time.perf_counter()
        next(batches)
        seconds.append(time.perf_counter() - start)
    # The mean, not the median: batches made ahead come in no time, and others are waited for.
    ours = Timing("ours, batches as they come", (sum(seconds) / len(seconds),))

    sizes = settings.size(TranslationSizes(), TINY)
    sizes = type(sizes)(**{**vars(sizes), "vocabulary": tokenizer.vocabulary_size})
    model = make_model(sizes)
    model.compile(optimizer=adam_class()(1e-3, global_clipnorm=1.0), loss=TokenCrossEntropy())
    steps = settings.size(30, 3)
    fixed = list(itertools.islice(iter(data.dataset), steps))
    for inputs, labels, weights in fixed:  # traces
        model.train_on_batch(inputs, labels, weights)
    start = time.perf_counter()
    for inputs, labels, weights in fixed:
        model.train_on_batch(inputs, labels, weights)
    training = Timing("the training step that takes them", ((time.perf_counter() - start) / steps,))
    return [
        Row(
            f"pipeline, {name}, a batch",
            ours,
            [training],
            None,
            "10 times training, padding below 10 %",
            [
                f"{data.row_count:,} pairs, {data.token_count:,} tokens, {len(data.bucket_shapes)} batch shapes, "
                f"padding {data.padding_fraction:.1%} of tokens; tokenised once, in {ready:.1f} s; "
                f"SentencePiece trained in {trained:.1f} s"
            ],
            (1, "batches"),
        )
    ]

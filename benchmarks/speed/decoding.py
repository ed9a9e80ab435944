"""Sentences per second, strings in to strings out: greedy and beam of 5, beside PyTorch and KerasHub's samplers."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from benchmarks.speed.measure import Row, Timing, interleave
from benchmarks.speed.translators import MISSING, open_translator

BATCH = 64
WIDTH = 5
ALPHA = 1.0


def rows(settings):
    """Translate a validation set in every way."""
    opened = open_translator(settings)
    if opened is None:
        return [Row("decoding", Timing("not run", (float("nan"),)), [], notes=[MISSING])]
    translator, sentences = opened
    result = []
    for what, options, bar in (
        ("greedy", {}, "1.3"),
        (f"beam {WIDTH}", {"beam_width": WIDTH, "length_normalization": ALPHA}, "2"),
    ):
        runs = {"ours": lambda options=options: translator.translate(sentences, batch_size=BATCH, **options)}
        runs.update(torch_runs(translator, sentences, options))
        runs.update(keras_hub_runs(translator, sentences, options))
        outputs = {name: run() for name, run in runs.items()}
        times = interleave(runs, max(2, settings.rounds // 2), warm_up=1)
        notes = [
            f"{len(sentences)} sentences, batches of {BATCH}, all sides sorted by length; "
            + ("" if what == "greedy" else f"GNMT length norm with alpha {ALPHA}, KerasHub's sampler without one"),
            f"Tokens of the outputs, by name: {token_counts(translator, outputs)}",
            *(
                f"Outputs equal to ours, {name}: {np.mean([a == b for a, b in zip(outputs['ours'], texts)]):.1%}"
                for name, texts in outputs.items()
                if name != "ours"
            ),
            f"Traces of ours: {trace_count(translator)}, for every batch and length.",
        ]
        peers = [t for name, t in times.items() if name != "ours"]
        result.append(Row(f"decoding, {what}", times["ours"], peers, None, bar, notes, (len(sentences), "sentences")))
    return result


def token_counts(translator, outputs):
    """Return how many tokens each way made: the work is equal only if these are about equal."""
    tokenize = translator.target_tokenizer.tokenize
    return {name: int(tokenize(texts).flat_values.shape[0]) for name, texts in outputs.items()}


def trace_count(translator):
    """Return the number of traces of the translator's functions."""
    return {str(key[0]): f.experimental_get_tracing_count() for key, f in translator._functions.items()}


def sorted_batches(translator, sentences):
    """Yield `(places, ids, lengths, limits)` as `Translator` makes them: sorted by length, cut into batches."""
    tokens = translator.source_tokenizer.tokenize(sentences)
    rows = [
        np.append(row, translator.source_tokenizer.end_id)
        for row in np.split(tokens.flat_values.numpy(), tokens.row_splits.numpy()[1:-1])
    ]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        lengths = np.array([len(rows[i]) for i in places])
        ids = np.zeros((len(places), lengths.max()), "int64")
        for k, i in enumerate(places):
            ids[k, : len(rows[i])] = rows[i]
        limits = ((lengths - 1) * translator.graph.maximum_length_ratio).astype("int64")
        yield places, ids, lengths, np.where(lengths > 1, limits + translator.graph.maximum_length_extra, 0)


def detokenize(translator, rows):
    """Return strings of id lists."""
    texts = translator.target_tokenizer.detokenize(tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=1))
    return [text.decode("utf-8", errors="replace") for text in texts.numpy()]


def torch_runs(translator, sentences, options):
    """Return PyTorch with the same weights, tokenizer and batches."""
    try:
        import torch
    except ImportError:
        return {}
    from benchmarks.speed.torch_rnn_search import beam, greedy, twin

    peer = twin(translator.model)
    tokenizer = translator.target_tokenizer
    symbols = (tokenizer.start_id, tokenizer.end_id, [tokenizer.pad_id, tokenizer.start_id])

    def run():
        found = [None] * len(sentences)
        for places, ids, lengths, limits in sorted_batches(translator, sentences):
            inputs = [torch.from_numpy(x) for x in (ids, lengths, limits)]
            more = (WIDTH, ALPHA) if options else ()
            rows = (beam if options else greedy)(peer, *inputs, *symbols, *more)
            for place, text in zip(places, detokenize(translator, rows)):
                found[place] = text
        return found

    return {"PyTorch": run}


def keras_hub_runs(translator, sentences, options):
    """Return KerasHub's samplers driving our step function, in one graph traced for every batch."""
    try:
        import keras_hub
    except ImportError:
        return {}
    sampler = keras_hub.samplers.BeamSampler(num_beams=WIDTH) if options else keras_hub.samplers.GreedySampler()
    model, tokenizer = translator.model, translator.target_tokenizer
    # KerasHub generates any token; padding and the start symbol are made impossible as its users would, in `next`.
    never = np.zeros(model.target_vocabulary_size, "float32")
    never[[tokenizer.pad_id, tokenizer.start_id]] = -1e9

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([], tf.int32)])
    def generate(source_ids, longest):
        memory = model.encode(source_ids)
        # The sampler repeats its cache for every beam, so the memory travels in it.
        cache = {"memory": memory, "state": model.initial_state(memory)}
        start = tf.fill([tf.shape(source_ids)[0], 1], tokenizer.start_id)
        prompt = tf.concat([start, tf.zeros([tf.shape(source_ids)[0], longest], tf.int32)], 1)
        given = tf.concat([tf.ones_like(start, tf.bool), tf.zeros_like(prompt[:, 1:], tf.bool)], 1)

        def following(prompt, cache, index):
            tokens = ops.take(prompt, [index - 1], axis=1)
            logits, state, _ = model.decode_step(tokens, cache["state"], cache["memory"])
            state = keras.tree.map_structure(lambda new, old: tf.ensure_shape(new, old.shape), state, cache["state"])
            return logits[:, 0] + never, None, {"memory": cache["memory"], "state": state}

        return sampler(following, prompt, cache, index=1, mask=given, stop_token_ids=[tokenizer.end_id])

    def run():
        found = [None] * len(sentences)
        for places, ids, _, limits in sorted_batches(translator, sentences):
            made = generate(tf.constant(ids, tf.int32), tf.constant(int(limits.max()), tf.int32)).numpy()[:, 1:]
            rows = []
            for row in made.tolist():
                end = row.index(tokenizer.end_id) + 1 if tokenizer.end_id in row else len(row)
                rows.append(row[:end])
            for place, text in zip(places, detokenize(translator, rows)):
                found[place] = text
        return found

    return {"KerasHub sampler, our step": run}

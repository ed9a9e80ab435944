"""Latency and throughput of SavedModels loaded in this process."""

import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed.measure import Row, Timing
from benchmarks.speed.translators import MISSING, open_translator
from keras_attention.answer_selector import AnswerSelector
from keras_attention.data import load_tatoeba, read_med_quad
from keras_attention.models import APCNN
from keras_attention.text import WordTokenizer

READY = Path(__file__).parents[2] / "saved_models" / "english_french"


def rows(settings):
    """Time one sentence, a batch, and one question against a hundred answers."""
    return [*translator_rows(settings), ready_row(settings), *selector_rows(settings)]


def translator_rows(settings):
    """One sentence of 12 words, and batches of 32."""
    opened = open_translator(settings)
    if opened is None:
        return [Row("latency of a translator", Timing("not run", (float("nan"),)), [], notes=[MISSING])]
    translator, sentences = opened
    words = settings.size(12, 4)
    # Sentences of just that many words, so that the time is not one sentence's.
    chosen = [s for s in sentences if len(s.split()) == words] or sentences[:1]
    with tempfile.TemporaryDirectory() as folder:
        path = translator.export(Path(folder) / "translator")
        serve = tf.saved_model.load(str(path)).signatures["serving_default"]
        calls = settings.size(300, 5)
        one = timed_calls(lambda i: serve(text=tf.constant([chosen[i % len(chosen)]])), calls)
        batch = (sentences * 32)[:32]
        many = timed_calls(lambda i: serve(text=tf.constant(batch)), settings.size(30, 2))
        steps = float(np.mean([len(row) for row in translator.target_tokenizer.tokenize(translator.translate(chosen))]))
    operations = loop_operations(serve)
    return [
        Row(
            f"exported translator, one sentence of {words} words, greedy",
            Timing("ours", tuple(one)),
            [],
            bar="median 10 ms, p99 25 ms",
            notes=[
                f"99th percentile {np.quantile(one, 0.99) * 1e3:.1f} ms over {calls} calls, {len(chosen)} sentences, "
                f"{steps:.1f} output tokens on average; operations of the loop's body, functions included: {operations}"
            ],
        ),
        Row("exported translator, batch of 32", Timing("ours", tuple(many)), [], per_second=(32, "sentences")),
    ]


def ready_row(settings):
    """The translator of `saved_models/`, as small as the five minutes of `make demo` leave it, on unseen sentences."""
    path = max(READY.glob("[0-9]*"), key=lambda version: int(version.name))
    sentences = [s for s in load_tatoeba("test").sources if len(s.split()) == 12]
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    calls = settings.size(300, 5)
    times = timed_calls(lambda i: serve(text=tf.constant([sentences[i % len(sentences)]])), calls)
    return Row(
        f"{READY.name} of saved_models, one sentence of 12 words, greedy",
        Timing("ours", tuple(times)),
        [],
        bar="median 10 ms, p99 25 ms",
        notes=[
            f"99th percentile {np.quantile(times, 0.99) * 1e3:.1f} ms over {calls} calls, {len(sentences)} sentences"
        ],
    )


def selector_rows(settings):
    """One question against a hundred answers."""
    if settings.selector is not None and not settings.tiny:
        selector = AnswerSelector.load(settings.selector)
    else:
        selector = make_selector(settings)
    data = read_med_quad("validation")
    answers = list(data.answers)[: settings.size(100, 5)]
    with tempfile.TemporaryDirectory() as folder:
        path = selector.export(Path(folder) / "selector")
        rank = tf.saved_model.load(str(path)).signatures["rank"]
        inputs = tf.constant(answers)
        times = timed_calls(
            lambda i: rank(question=tf.constant([data.questions[i % len(data.questions)]]), answers=inputs),
            settings.size(100, 3),
        )
    note = f"99th percentile {np.quantile(times, 0.99) * 1e3:.1f} ms; MedQuAD, tokenised and encoded at every call"
    return [
        Row(
            f"exported {type(selector.model).__name__}, one question against {len(answers)} answers",
            Timing("ours", tuple(times)),
            [],
            notes=[note],
            per_second=(len(answers), "pairs"),
        )
    ]


def make_selector(settings):
    """Return AP-CNN of the demo's sizes with random weights: what is in them does not change the time."""
    keras.utils.set_random_seed(1)
    data = read_med_quad("train")
    tokenizer = WordTokenizer.train(list(data.questions) + list(data.answers), vocabulary_size=settings.size(8000, 300))
    width = settings.size(200, 8)
    model = APCNN(tokenizer.vocabulary_size, embedding_width=width, filters=width)
    return AnswerSelector(model, tokenizer, question_length=24, answer_length=128)


def timed_calls(call, count):
    """Return seconds of each call; the first three are not among them."""
    seconds = []
    for i in range(count + 3):
        start = time.perf_counter()
        call(i)
        seconds.append(time.perf_counter() - start)
    return seconds[3:]


def loop_operations(function):
    """Return how many operations the longest loop body of a loaded signature has, without constants and identities."""
    silent = {"Const", "Identity", "NoOp", "Placeholder"}
    library = {f.signature.name: f for f in function.graph.as_graph_def().library.function}
    bodies = []
    for f in library.values():
        bodies += [n.attr["body"].func.name for n in f.node_def if n.op in ("While", "StatelessWhile")]
    bodies += [
        n.attr["body"].func.name for n in function.graph.as_graph_def().node if n.op in ("While", "StatelessWhile")
    ]
    return max((sum(n.op not in silent for n in library[b].node_def) for b in bodies), default=0)

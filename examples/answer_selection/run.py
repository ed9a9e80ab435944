"""An answer-selection run from configuration and corpora to a saved selector, and its figures beside BM25's."""

import time

import keras
import numpy as np

from examples.answer_selection.corpora import Corpora, with_pools
from examples.command_line import console
from keras_attention.answer_selector import AnswerSelector
from keras_attention.data import (
    answer_selection_dataset,
    answer_selection_steps,
    encode_answer_selection,
    read_vector_words,
    read_word_vectors,
)
from keras_attention.evaluation import (
    add_bm25,
    answer_selection_table,
    choose_bm25_weight,
    choose_weight_beside,
    compare_with_baseline,
    evaluate_answer_selection,
)
from keras_attention.retrieval import BM25, WordOverlap
from keras_attention.retrieval.bm25 import split_words
from keras_attention.training.answer_selection import fit_answer_selection
from keras_attention.training.precision import set_precision
from keras_attention.training.replicas import every_device, scope_of
from keras_attention.training.workdir import claim_workdir

# What BM25 may be beside a model: Lucene's usual values, and two for short answers, with and without stemming.
BM25_OPTIONS = tuple(
    {"k1": k1, "b": b, "stemmer": stemmer}
    for stemmer in (None, "english")
    for k1, b in ((1.2, 0.75), (0.6, 0.4), (0.4, 0.2))
)
OVERLAP_WORDS = 100_000  # the most frequent of a file of word vectors: answers to come hold them too


def run_training(config, corpora: Corpora, workdir, verbose="auto", until_epoch=None, mirrored=False):
    """Train, or go on training, and leave the best selector in `<workdir>/selector`.

    Args:
        config: An `AnswerSelectionConfig`.
        corpora: The corpora.
        workdir: Folder of the run.
        verbose: As in `model.fit`.
        until_epoch: Epoch to stop after, to go on from later; None trains to the end.
        mirrored: Train on every GPU of this host together.

    Returns:
        `(selector, record)`: the selector with the best weights, and the record that `fit_answer_selection` returns.
    """
    keras.utils.set_random_seed(config.training.seed)
    set_precision(config.training.precision)
    start = time.monotonic()
    tokenizer = config.train_tokenizer(corpora.train)
    train = encode_answer_selection(corpora.train, tokenizer, **config.lengths)
    with scope_of(every_device() if mirrored else None):
        model = config.make_model(tokenizer, train.answer_ids)
    batches = config.batches
    counted = {name: batches[name] for name in ("right_answers", "batch_size")}
    steps = answer_selection_steps(train, **counted)
    # After what a wrong configuration would stop at, so that no folder is left behind.
    workdir = claim_workdir(workdir, run_record(config, corpora))
    selector = AnswerSelector(model, tokenizer, **config.lengths)

    def data(first_epoch):
        return answer_selection_dataset(train, seed=config.training.seed, first_epoch=first_epoch, **batches)

    def evaluate():
        result = evaluate_selector(selector, corpora.validation)
        return {name: value for name, value in result.items() if name not in ("values", "questions")}

    console.print(
        f"{type(model).__name__}: {model.count_params():,} parameters, {len(corpora.train.questions):,} training "
        f"questions, {len(corpora.validation.questions):,} validation questions, {tokenizer.vocabulary_size:,} tokens; "
        f"ready after {time.monotonic() - start:.0f} s."
    )
    record = fit_answer_selection(
        model, data, steps, config.training, workdir, evaluate, verbose=verbose, until_epoch=until_epoch
    )
    selector.save(workdir / "selector")
    monitor = config.training.monitor
    console.print(
        f"Best validation {monitor} {record[f'best_{monitor}']:.3f} in epoch {record['best_epoch']} of "
        f"{record['epochs']}, {record['seconds'] / 60:.1f} minutes of training and validation. "
        f"Saved: {workdir / 'selector'}"
    )
    return selector, record


def run_record(config, corpora):
    """Return what defines a run, a dict: its work directory is refused to any other."""
    return {**config.as_dict(), "training_questions": len(corpora.train.questions)}


def evaluate_selector(selector, data):
    """Return what `evaluate_answer_selection` returns for a selector on the pools of `data`."""
    return evaluate_answer_selection(score_by_selector(selector, data), data.pool_matrix()[1])


def score_by_selector(selector, data):
    """Return a selector's similarities for the pools of `data`, `(questions, candidates)`."""
    candidates, _ = data.pool_matrix()
    needed = np.unique(candidates[candidates >= 0])
    places = np.where(candidates < 0, -1, np.searchsorted(needed, candidates))
    return selector.score_candidates(data.questions, places, answers=[data.answers[i] for i in needed])


def evaluate_bm25(data):
    """Return the same for BM25, with the words counted in all answers of `data`."""
    return evaluate_answer_selection(score_by_bm25(data), data.pool_matrix()[1])


def score_by_bm25(data, **options):
    """Return the scores of BM25, with the words counted in all answers of `data`, `(questions, candidates)`."""
    return BM25(data.answers, **options).score_pools(data.questions, data.pool_matrix()[0])


def choose_bm25(scores, data):
    """Choose by MRR on the pools of `data` which BM25 is to count beside a selector, and how much.

    Args:
        scores: What `score_by_selector` returned for `data`.
        data: `AnswerSelectionData` with pools.

    Returns:
        Dict of `weight`, what a point of BM25 is worth, and the options of `BM25`.
    """
    labels, best = data.pool_matrix()[1], (-1.0, None)
    for options in BM25_OPTIONS:
        bm25 = score_by_bm25(data, **options)
        weight = choose_bm25_weight(scores, bm25, labels)
        figure = evaluate_answer_selection(add_bm25(scores, bm25, weight), labels)["mrr"]
        if figure > best[0]:
            best = figure, {"weight": weight, **options}
    return best[1]


def train_overlap(data, stemmer, vectors=None, vocabulary=None):
    """Train a `WordOverlap` on the pools of `data`, or on drawn ones, as those of a set without pools are.

    Args:
        data: The training part.
        stemmer: Language of the stemmer, or None.
        vectors: File of word vectors, or None. Those of the training words are kept, and the file's first 100,000.
        vocabulary: The file of their words, for an `.npy`.
    """
    options = {}
    if vectors is not None:
        words = {word for text in (*data.questions, *data.answers) for word in split_words(text)}
        words |= {word.lower() for word in read_vector_words(vectors, vocabulary_path=vocabulary, count=OVERLAP_WORDS)}
        words = ["", *sorted(words)]
        table, found = read_word_vectors(vectors, words, vocabulary_path=vocabulary, missing="zeros")
        options = {"vector_words": [w for w, is_there in zip(words, found) if is_there], "vectors": table[found]}
    return WordOverlap.train(with_pools(data), stemmer=stemmer, **options)


def choose_overlap_weight(scores, overlap, data):
    """Choose by MRR how much a point of `overlap`, a `WordOverlap`, counts, arguments as `choose_bm25` has them."""
    return choose_weight_beside(scores, score_by_overlap(overlap, data), data.pool_matrix()[1])


def score_by_overlap(overlap, data):
    """Return the scores of a `WordOverlap`, `(questions, candidates)`."""
    return overlap.score_pools(data.questions, data.answers, data.pool_matrix()[0])


def print_beside_bm25(selectors, data, title=None, beside=None, overlap=None):
    """Print the table of selectors beside BM25, and say in words who is ahead.

    Args:
        selectors: Dict from a name to a selector.
        data: `AnswerSelectionData` with pools.
        title: Text above the table.
        beside: Dict as `choose_bm25` returns it. Given, each selector has a further row: its similarities plus that
            weight times that BM25.
        overlap: A `WordOverlap`. Given, it has a row of its own, and if its weight is known each selector a further
            row: its similarities plus that weight times the overlap.

    Returns:
        Dict from a name, "BM25" among them, to what `evaluate_answer_selection` returned.
    """
    labels = data.pool_matrix()[1]
    results = {"BM25": evaluate_bm25(data)}
    if beside is not None:
        weight, options = beside["weight"], {name: value for name, value in beside.items() if name != "weight"}
        bm25, said = score_by_bm25(data, **options), ", ".join(f"{name} {value}" for name, value in options.items())
    if overlap is not None:
        shared = score_by_overlap(overlap, data)
        results["word overlap"] = evaluate_answer_selection(shared, labels)
    for name, selector in selectors.items():
        scores = score_by_selector(selector, data)
        results[name] = evaluate_answer_selection(scores, labels)
        if beside is not None:
            summed = evaluate_answer_selection(add_bm25(scores, bm25, weight), labels)
            results[f"{name} + {weight:g} BM25 ({said})"] = summed
        if overlap is not None and overlap.weight is not None:
            summed = evaluate_answer_selection(scores + np.float32(overlap.weight) * shared, labels)
            results[f"{name} + {overlap.weight:.3f} word overlap"] = summed
    console.print(answer_selection_table(results, title=title))
    for name, one in compare_with_baseline(results).items():
        verdict = "is not distinguishable from"
        if one.lower > 0 or one.upper < 0:
            verdict = "is ahead of" if one.lower > 0 else "stays behind"
        console.print(
            f"{name} {verdict} BM25: MRR {one.difference:+.3f}, 95 % interval {one.lower:+.3f} to {one.upper:+.3f}.",
            highlight=False,
            markup=False,
        )
    return results

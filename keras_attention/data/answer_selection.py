"""tf.data pipelines of answer selection: training batches with wrong answers, evaluation batches of pools.

Python plans which rows meet (small integer arrays, ``epoch_planner.py``); TensorFlow gathers the token ids in its own
threads. So the heavy part runs beside the training step.
"""

import numpy
import tensorflow as tf

from keras_attention.data.epoch_planner import EpochPlanner

NEGATIVES = ("sampled", "in_batch")


def answer_selection_dataset(
    encoded,
    *,
    negatives="sampled",
    negative_count=50,
    pool_count=0,
    right_answers="one",
    batch_size=20,
    answer_lengths=None,
    length_window=1,
    drop_remainder=False,
    seed=0,
    first_epoch=0,
    epochs=None,
    prefetch=2,
):
    """Batches for training.

    ``negatives="sampled"`` gives every question its own list: its right answer first, then ``negative_count`` wrong
    ones drawn at random for this epoch (the attentive-pooling paper, section 5.2, with 50).
    ``negatives="in_batch"`` gives one answer per question; the other questions' answers serve as wrong ones, and the
    label matrix leaves out (-1) those that are right here too.

    An answer that is right for a question, or has the same token ids as one that is, never counts as wrong for it.
    Epoch ``e`` depends on ``(seed, e)`` alone, so a run taken up again with ``first_epoch`` goes on as it would have.

    Args:
        encoded: ``EncodedAnswerSelection``.
        negatives: ``"sampled"`` or ``"in_batch"``.
        negative_count: wrong answers per question with ``"sampled"``.
        pool_count: wrong answers taken from the question's own pool, which are harder. With ``"sampled"`` they are
            among the ``negative_count``; with ``"in_batch"`` they are added as ``batch * pool_count`` further
            columns, and are wrong answers for all questions of the batch (but where they are right).
        right_answers: ``"one"``: each question once an epoch with one right answer drawn at random; ``"all"``: each
            pair of question and right answer.
        batch_size: questions per batch. The last batch of an epoch may be smaller.
        answer_lengths: widths allowed, rising; a batch is cut to the smallest that holds its longest answer. Few
            widths mean few shapes to compile. ``None``: always the full width.
        length_window: batches whose questions are sorted together by the length of the right answer before they are
            cut, so that batches are of even length; the order of batches stays random. 1: no sorting.
        drop_remainder: leave out the last, smaller batch of an epoch.
        seed: seed of order and draws.
        first_epoch: number of the first epoch given.
        epochs: number of epochs given, one after the other; ``None``: without end, for
            ``fit(..., steps_per_epoch=answer_selection_steps(...))``.
        prefetch: batches made ahead.

    Returns:
        ``tf.data.Dataset`` of ``({"question_ids", "answer_ids"}, labels)``: ``question_ids`` int32 ``(B, Lq)``;
        ``labels`` float32, 1 right, 0 wrong, -1 not to be counted; with ``"sampled"`` ``answer_ids`` int32
        ``(B, 1 + negative_count, La)`` and labels ``(B, 1 + negative_count)``; with ``"in_batch"`` ``answer_ids``
        ``(B * (1 + pool_count), La)`` and labels ``(B, B * (1 + pool_count))``, right answers on the diagonal.

    Raises:
        ValueError: a choice out of range, pools asked for that are not there, or too few wrong answers.
    """
    _check(encoded, negatives, negative_count, pool_count, batch_size, length_window)
    planner = EpochPlanner(encoded, seed, right_answers)
    widths = _widths(answer_lengths, encoded.answer_ids.shape[1])
    answer_tokens = _token_counts(encoded.answer_ids)
    in_batch = negatives == "in_batch"
    planner.require_wrong_answers(pool_count if in_batch else negative_count)

    def plan_epoch(epoch):
        random = planner.random(epoch)
        questions, right = planner.examples(random)
        wrong_count = pool_count if in_batch else negative_count
        wrong = planner.wrong_answers(random, questions, wrong_count, pool_count)
        for rows in _batches(random, answer_tokens[right], batch_size, length_window, drop_remainder):
            answers = numpy.concatenate([right[rows, None], wrong[rows]], axis=1)
            if in_batch:
                answers = answers.T.reshape(-1)
                labels = -planner.is_right(questions[rows], answers).astype("float32")
                labels[numpy.arange(len(rows)), numpy.arange(len(rows))] = 1.0
            else:
                labels = numpy.zeros(answers.shape, dtype="float32")
                labels[:, 0] = 1.0
            width = widths[numpy.searchsorted(widths, answer_tokens[answers].max())]
            yield questions[rows], answers, labels, width

    def plan():
        epoch = first_epoch
        while epochs is None or epoch < first_epoch + epochs:
            yield from plan_epoch(epoch)
            epoch += 1

    rows = batch_size if drop_remainder else None
    if in_batch:
        columns = (rows and rows * (1 + pool_count),)
        answers_spec, labels_spec = columns, (rows, *columns)
    else:
        answers_spec = labels_spec = (rows, 1 + negative_count)
    dataset = tf.data.Dataset.from_generator(
        plan,
        output_signature=(
            tf.TensorSpec((rows,), tf.int64),
            tf.TensorSpec(answers_spec, tf.int64),
            tf.TensorSpec(labels_spec, tf.float32),
            tf.TensorSpec((), tf.int64),
        ),
    )
    question_ids, answer_ids = tf.constant(encoded.question_ids), tf.constant(encoded.answer_ids)

    def gather(questions, answers, labels, width):
        found = tf.gather(answer_ids, answers)
        if len(widths) > 1:
            found = found[..., :width]
        return {"question_ids": tf.gather(question_ids, questions), "answer_ids": found}, labels

    dataset = dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(prefetch)
    if epochs is None:
        return dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    steps = _steps(planner.size, batch_size, drop_remainder) * epochs
    return dataset.apply(tf.data.experimental.assert_cardinality(steps))


def answer_selection_steps(encoded, *, right_answers="one", batch_size=20, drop_remainder=False):
    """Return the number of batches in one epoch of ``answer_selection_dataset`` with the same arguments."""
    return _steps(EpochPlanner(encoded, 0, right_answers).size, batch_size, drop_remainder)


def answer_selection_pools(encoded, *, batch_size=4, candidate_multiple=None, prefetch=2):
    """Batches of questions with their pools, in the order of the data, for evaluation.

    Args:
        encoded: ``EncodedAnswerSelection`` with pools.
        batch_size: questions per batch.
        candidate_multiple: ``None``: every batch is as wide as the widest pool of all, as ``model.predict`` wants it.
            A number: a batch is as wide as its own widest pool, rounded up to a multiple of it.
        prefetch: batches made ahead.

    Returns:
        ``tf.data.Dataset`` of ``({"question_ids", "answer_ids"}, labels)``: int32 ``(B, Lq)`` and ``(B, C, La)``, and
        float32 ``(B, C)``: 1 right, 0 wrong, -1 padding. A padded candidate has no token.

    Raises:
        ValueError: the data has no pools.
    """
    candidates, labels = encoded.data.pool_matrix()
    sizes = (candidates >= 0).sum(axis=1)
    question_ids = tf.constant(encoded.question_ids)
    # One empty row behind the answers is what padding (-1, moved to the end) gathers.
    answer_ids = tf.constant(numpy.pad(encoded.answer_ids, ((0, 1), (0, 0))))
    candidates = numpy.where(candidates < 0, len(encoded.answer_ids), candidates)
    labels = labels.astype("float32")

    def plan():
        for begin in range(0, len(sizes), batch_size):
            rows = numpy.arange(begin, min(begin + batch_size, len(sizes)))
            width = candidates.shape[1]
            if candidate_multiple is not None:
                width = -(-int(sizes[rows].max()) // candidate_multiple) * candidate_multiple
            missing = max(width - candidates.shape[1], 0)
            answers = numpy.pad(
                candidates[rows, :width], ((0, 0), (0, missing)), constant_values=len(encoded.answer_ids)
            )
            yield rows, answers, numpy.pad(labels[rows, :width], ((0, 0), (0, missing)), constant_values=-1.0)

    width = candidates.shape[1] if candidate_multiple is None else None
    dataset = tf.data.Dataset.from_generator(
        plan,
        output_signature=(
            tf.TensorSpec((None,), tf.int64),
            tf.TensorSpec((None, width), tf.int64),
            tf.TensorSpec((None, width), tf.float32),
        ),
    )

    def gather(rows, answers, pool_labels):
        inputs = {"question_ids": tf.gather(question_ids, rows), "answer_ids": tf.gather(answer_ids, answers)}
        return inputs, pool_labels

    dataset = dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(prefetch)
    return dataset.apply(tf.data.experimental.assert_cardinality(-(-len(sizes) // batch_size)))


def _batches(random, lengths, batch_size, length_window, drop_remainder):
    """Cut examples ``0 .. n - 1`` into batches of rows, of even length within windows."""
    rows = numpy.arange(len(lengths))
    if length_window > 1:
        step = batch_size * length_window
        parts = [rows[begin : begin + step] for begin in range(0, len(rows), step)]
        rows = numpy.concatenate([part[numpy.argsort(lengths[part], kind="stable")] for part in parts])
    batches = [rows[begin : begin + batch_size] for begin in range(0, len(rows), batch_size)]
    short = batches.pop() if len(batches[-1]) < batch_size else None
    if length_window > 1:
        batches = [batches[i] for i in random.permutation(len(batches))]
    return batches if short is None or drop_remainder else [*batches, short]


def _steps(size, batch_size, drop_remainder):
    return size // batch_size if drop_remainder else -(-size // batch_size)


def _token_counts(ids):
    """Return the number of columns up to the last real token of each row."""
    real = ids != 0
    return numpy.where(real.any(axis=1), ids.shape[1] - numpy.argmax(real[:, ::-1], axis=1), 0)


def _widths(widths, full):
    """Return the allowed widths up to the full one, rising, as an int64 array that ends with the full width."""
    given = () if widths is None else tuple(widths)
    if any(width < 1 for width in given) or list(given) != sorted(set(given)):
        raise ValueError(f"answer_lengths must be rising whole numbers above 0. Received: answer_lengths={widths!r}")
    return numpy.array([width for width in given if width < full] + [full], dtype="int64")


def _check(encoded, negatives, negative_count, pool_count, batch_size, length_window):
    if negatives not in NEGATIVES:
        raise ValueError(f"negatives must be one of {NEGATIVES}. Received: negatives={negatives!r}")
    if batch_size < 1 or length_window < 1:
        raise ValueError(
            "batch_size and length_window must be at least 1. "
            f"Received: batch_size={batch_size!r}, length_window={length_window!r}"
        )
    if negatives == "in_batch" and batch_size < 2 and not pool_count:
        raise ValueError(f"a batch of one question has no wrong answer in it. Received: batch_size={batch_size!r}")
    if negatives == "sampled" and negative_count < 1:
        raise ValueError(f"negative_count must be at least 1. Received: negative_count={negative_count!r}")
    most = negative_count if negatives == "sampled" else numpy.inf
    if not 0 <= pool_count <= most:
        raise ValueError(
            f"pool_count must lie between 0 and negative_count. Received: pool_count={pool_count!r}, "
            f"negative_count={negative_count!r}"
        )
    if pool_count and encoded.data.pools is None:
        raise ValueError(f"pool_count wants data with pools. Received: pool_count={pool_count!r}, pools=None")

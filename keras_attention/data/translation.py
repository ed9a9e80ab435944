"""The pipeline of a translation model: tokenised once, kept flat in memory, batched into few fixed shapes."""

import logging

import numpy as np
import tensorflow as tf

from keras_attention.data.batching import BatchPlan, choose_bucket_shapes

logger = logging.getLogger(__name__)


class TranslationDataset:
    """Batches of sentence pairs for teacher forcing; made by ``translation_dataset``.

    A batch of a bucket with shape ``(S, T)`` is ``(inputs, labels, weights)``:

    - ``inputs["source_ids"]``: int32 ``(B, S)``, tokens and the end symbol, 0 after;
    - ``inputs["target_ids"]``: int32 ``(B, T)``, the start symbol and tokens, 0 after;
    - ``labels``: int32 ``(B, T)``, tokens and the end symbol, 0 after;
    - ``weights``: float32 ``(B, T)``, 1 where ``labels`` holds a real token, else 0.

    The last batch of a bucket is filled up with copies of a real row whose weights are 0.

    Shuffled, the order of an epoch is a pure function of seed and epoch: rows change places within their bucket,
    and batches among each other. A run that is taken up with ``first_epoch=k`` sees what an uninterrupted run saw.

    Attributes:
        dataset: ``tf.data.Dataset`` of batches; without end if shuffled (give ``steps_per_epoch`` to ``fit``), else
            one pass.
        steps_per_epoch: batches of an epoch, the same in all epochs.
        padding_fraction: share of the cells of ``source_ids`` and ``labels`` that hold no real token, 0 to 1.
        bucket_shapes: list of ``(S, T)``.
        batch_sizes: list of the rows of a batch, one a bucket.
        dropped: number of pairs left out as longer than ``maximum_length``.
        row_count: number of pairs in an epoch.
        token_count: real tokens of an epoch, both sides, end symbols included.
    """

    def __init__(self, sources, targets, rows, plan, *, start_id, shuffle, seed, first_epoch, prefetch, dropped):
        self.shuffle = shuffle
        self.seed = seed
        self.steps_per_epoch = plan.steps
        self.padding_fraction = plan.padding_fraction
        self.bucket_shapes = [tuple(shape) for shape in plan.shapes.tolist()]
        self.batch_sizes = plan.batch_sizes.tolist()
        self.dropped = dropped
        self.row_count = len(rows)
        self._start_id = start_id
        slots = (plan.batch_counts * plan.batch_sizes).tolist()
        # One line a batch: first slot, rows, S, T. A slot is a place for a row; buckets stand one after the other.
        sizes = np.repeat(plan.batch_sizes, plan.batch_counts)
        shapes = np.repeat(plan.shapes, plan.batch_counts, axis=0)
        batches = np.concatenate([(np.cumsum(sizes) - sizes)[:, None], sizes[:, None], shapes], axis=1)
        real = np.concatenate([np.arange(n) < len(members) for n, members in zip(slots, plan.bucket_rows)])
        with tf.init_scope():  # captured by the graphs of tf.data, not copied into them
            self._sources, self._targets = ((tf.constant(v), tf.constant(s)) for v, s in (sources, targets))
            self._batches, self._real = tf.constant(batches), tf.constant(real)
            self._buckets = [(n, tf.constant(rows[members])) for n, members in zip(slots, plan.bucket_rows)]
        self.token_count = int(_row_lengths(sources)[rows].sum() + _row_lengths(targets)[rows].sum())
        if shuffle:
            dataset = tf.data.Dataset.counter(start=first_epoch).flat_map(self.one_epoch)
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
        else:
            dataset = self.one_epoch(0)
        self.dataset = dataset.prefetch(prefetch) if prefetch else dataset

    def one_epoch(self, epoch):
        """Return the batches of one epoch.

        Args:
            epoch: number of the epoch, from 0; an int or an int64 scalar tensor. Without shuffling all are alike.

        Returns:
            A finite ``tf.data.Dataset``.
        """
        epoch = tf.cast(epoch, tf.int64)
        order = self._slot_rows(epoch)
        batches = tf.range(self.steps_per_epoch, dtype=tf.int64)
        if self.shuffle:
            batches = self._shuffled(batches, epoch, len(self.bucket_shapes))
        return tf.data.Dataset.from_tensor_slices(batches).map(lambda number: self._batch(order, number))

    def _shuffled(self, values, epoch, place):
        """Shuffle with a seed of its own for each epoch and place in it."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), epoch * (len(self.bucket_shapes) + 1) + place])
        return tf.random.experimental.stateless_shuffle(values, seed=seed)

    def _slot_rows(self, epoch):
        """Return the row in each slot, int64: a bucket's rows, then its last one again for the slots left over."""
        order = []
        for place, (slots, members) in enumerate(self._buckets):
            if self.shuffle:
                members = self._shuffled(members, epoch, place)
            order.append(tf.gather(members, tf.minimum(tf.range(slots), tf.size(members) - 1)))
        return tf.concat(order, axis=0)

    def _batch(self, order, number):
        start, size, source_length, target_length = tf.unstack(self._batches[number])
        rows = order[start : start + size]
        source_ids, _ = _gather_padded(self._sources, rows, source_length)
        labels, real = _gather_padded(self._targets, rows, target_length)
        first = tf.fill([size, 1], self._start_id)
        target_ids = tf.where(real, tf.concat([first, labels[:, :-1]], axis=1), 0)
        weights = tf.cast(real & self._real[start : start + size, tf.newaxis], tf.float32)
        batch_size = self.batch_sizes[0] if len(set(self.batch_sizes)) == 1 else None
        for tensor in (source_ids, target_ids, labels, weights):
            tensor.set_shape((batch_size, None))
        return {"source_ids": source_ids, "target_ids": target_ids}, labels, weights

    @property
    def rows(self):
        """Number of the pair in each row that ``dataset`` yields, as given; -1 for the rows that fill up.

        int64 ``(rows yielded,)``; only without shuffling.

        Raises:
            ValueError: the dataset is shuffled.
        """
        if self.shuffle:
            raise ValueError("the order is fixed only without shuffling. Received: shuffle=True")
        return np.where(self._real.numpy(), self._slot_rows(tf.constant(0, tf.int64)).numpy(), -1)

    def restore(self, values):
        """Bring what was computed row by row, batch after batch, back to the order of the pairs as given.

        Args:
            values: array or list with one entry for each row that ``dataset`` yielded; only without shuffling.

        Returns:
            List with one entry for each pair that was not dropped, in the order of the pairs.

        Raises:
            ValueError: the dataset is shuffled, or another number of entries.
        """
        rows = self.rows
        if len(values) != len(rows):
            raise ValueError(f"expected {len(rows)} entries, one for each row. Received: {len(values)}")
        return [values[slot] for slot in np.argsort(rows, kind="stable") if rows[slot] >= 0]


def translation_dataset(
    sources,
    targets,
    source_tokenizer,
    target_tokenizer,
    *,
    batch_size=None,
    batch_tokens=None,
    bucket_count=14,
    bucket_shapes=None,
    maximum_length=None,
    shuffle=True,
    seed=0,
    first_epoch=0,
    prefetch=4,
):
    """Tokenise a parallel corpus and batch it into a few fixed shapes.

    Args:
        sources: list of source sentences.
        targets: list of their translations.
        source_tokenizer: tokenizer of ``keras_attention.text``.
        target_tokenizer: the same for the target side; may be the same object.
        batch_size: sentence pairs of a batch; 64 if neither this nor ``batch_tokens`` is given.
        batch_tokens: instead, tokens of a batch on its longer side, padding included, so that a batch of long
            sentences has fewer of them.
        bucket_count: number of batch shapes to choose from the lengths. 14 keep the padding below 10 % on corpora of
            everyday sentences; each one costs a compilation where the step is compiled by XLA.
        bucket_shapes: instead, the shapes: pairs ``(S, T)`` of tokens, start or end symbol included.
        maximum_length: tokens of a sentence, end symbol included; an int, or a pair for source and target. Pairs with
            a longer side are dropped, with a warning that has their number. ``None``: nothing is dropped, except, with
            ``bucket_shapes``, what no shape holds.
        shuffle: whether to shuffle every epoch anew, without end. If not: one pass; ``restore`` gives the order back.
        seed: seed of the shuffling.
        first_epoch: number of the epoch to begin with, for resuming.
        prefetch: batches to prepare ahead; 0 for none.

    Returns:
        A ``TranslationDataset``.

    Raises:
        ValueError: sides of different length (both counts), no pairs, none short enough, or an impossible option.

    Example:
    >>> from keras_attention.text import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["a b c", "x y"])
    >>> data = translation_dataset(["a", "a b"], ["x", "x y"], tokenizer, tokenizer, batch_size=2, shuffle=False)
    >>> inputs, labels, weights = next(iter(data.dataset))
    >>> labels.numpy().tolist()
    [[7, 3, 0], [7, 8, 3]]
    """
    sources, targets = _checked_pairs(sources, targets)
    if batch_size is None and batch_tokens is None:
        batch_size = 64
    if first_epoch < 0:
        raise ValueError(f"`first_epoch` must be at least 0. Received: first_epoch={first_epoch}")
    source_rows = tokenize_corpus(sources, source_tokenizer)
    target_rows = tokenize_corpus(targets, target_tokenizer)
    lengths = np.stack([_row_lengths(source_rows), _row_lengths(target_rows)], axis=1)
    kept = np.flatnonzero(_short_enough(lengths, maximum_length, bucket_shapes))
    dropped = len(lengths) - len(kept)
    if not len(kept):
        raise ValueError(
            f"expected some pairs within the maximum length; the shortest has {lengths.min(axis=0).tolist()} tokens. "
            f"Received: maximum_length={maximum_length}, bucket_shapes={bucket_shapes}"
        )
    if dropped:
        logger.warning("%d of %d sentence pairs are too long and were dropped", dropped, len(lengths))
    shapes = choose_bucket_shapes(lengths[kept], bucket_count) if bucket_shapes is None else bucket_shapes
    return TranslationDataset(
        source_rows,
        target_rows,
        kept,
        BatchPlan(lengths[kept], shapes, batch_size, batch_tokens),
        start_id=target_tokenizer.start_id,
        shuffle=shuffle,
        seed=seed,
        first_epoch=first_epoch,
        prefetch=prefetch,
        dropped=dropped,
    )


def tokenize_corpus(texts, tokenizer, batch_size=2048):
    """Tokenise a list of strings into one flat array, each sentence with the end symbol.

    Args:
        texts: list of strings.
        tokenizer: tokenizer of ``keras_attention.text``.
        batch_size: strings per call.

    Returns:
        ``(values, row_splits)``: int32 ids of all sentences, and int64 ``(sentences + 1,)`` where each begins.
    """
    batches = tf.data.Dataset.from_tensor_slices(tf.constant(texts, tf.string)).batch(batch_size)
    batches = batches.map(tokenizer.tokenize, num_parallel_calls=tf.data.AUTOTUNE)
    values, lengths = [], []
    for ragged in batches:
        ended = tf.concat([ragged, tf.fill([ragged.nrows(), 1], tokenizer.end_id)], axis=1)
        values.append(ended.values.numpy())
        lengths.append(ended.row_lengths().numpy())
    return np.concatenate(values), np.concatenate([[0], np.cumsum(np.concatenate(lengths))])


def _gather_padded(flat, rows, length):
    """Return ``(ids, real)``, int32 and bool ``(rows, length)``, from flat values and row splits."""
    values, splits = flat
    starts = tf.gather(splits, rows)[:, tf.newaxis]
    ends = tf.gather(splits, rows + 1)[:, tf.newaxis]
    places = starts + tf.range(length)[tf.newaxis]
    real = places < ends
    return tf.where(real, tf.gather(values, tf.minimum(places, ends - 1)), 0), real


def _row_lengths(flat):
    return np.diff(flat[1])


def _short_enough(lengths, maximum_length, bucket_shapes):
    limits = np.broadcast_to(np.inf if maximum_length is None else np.asarray(maximum_length), (2,))
    kept = (lengths <= limits).all(axis=1)
    if bucket_shapes is not None:
        kept &= (lengths[:, None] <= np.asarray(bucket_shapes)[None]).all(axis=2).any(axis=1)
    return kept


def _checked_pairs(sources, targets):
    for name, texts in (("sources", sources), ("targets", targets)):
        if isinstance(texts, str | bytes):
            raise ValueError(f"`{name}` must be a list of sentences. Received: {name}={texts[:40]!r}, one string")
    sources, targets = list(sources), list(targets)
    if len(sources) != len(targets):
        raise ValueError(
            f"expected as many targets as sources. Received: {len(sources)} sources and {len(targets)} targets"
        )
    if not sources:
        raise ValueError("expected at least one sentence pair. Received: none")
    return sources, targets

"""Batches of sentence pairs straight from TFRecord files, for corpora that do not fit into memory."""

import numpy as np
import tensorflow as tf

from keras_attention.data.translation_records import parse_pairs


class StreamedTranslationDataset:
    """What `TranslationDataset` is, read from `TranslationRecords` while it is needed.

    The batches are alike: `({"source_ids", "target_ids"}, labels, weights)`, few fixed shapes, the last batch of a
    bucket filled up with copies of a row of weight 0. An epoch gives every pair once, in an order that depends on the
    seed and the epoch alone: the files change places, and pairs within a window of `shuffle_window`. So a run taken up
    again with `first_epoch` reads what it would have read.

    With `service` the files are read and parsed by the workers of a tf.data service, each file by one of them, and the
    batches are made here. Every pair still comes once an epoch, so the number of steps is the same, but in the order in
    which workers deliver; if one of them dies, what it had not delivered is left out of that epoch and nothing comes
    twice.

    Args:
        records: `TranslationRecords`.
        batch_size: Pairs of a batch.
        bucket_count: Number of shapes to choose.
        bucket_shapes: Instead, the shapes: pairs of source and target length.
        shuffle_window: Pairs that are held in memory and shuffled together; 0 reads them as they are written.
        seed: Seed of the order.
        first_epoch: Number of the epoch to begin with.
        epochs: Epochs to give from there; None is without end. A service wants a number.
        readers: Files read at a time.
        service: Address of a tf.data service's dispatcher, `"grpc://host:port"`; None reads here.
        prefetch: Batches to prepare ahead.

    Attributes:
        dataset: The `tf.data.Dataset`.
        steps_per_epoch: Batches of an epoch.
        bucket_shapes: List of `(S, T)`.

    Raises:
        ValueError: If an option is out of range, or no shape holds some pair.

    Example:
    >>> import tempfile
    >>> from keras_attention.data import write_translation_records
    >>> from keras_attention.text import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["a b c", "x y"])
    >>> records = write_translation_records([("a", "x"), ("a b", "x y")], tempfile.mkdtemp(), tokenizer, tokenizer)
    >>> data = StreamedTranslationDataset(records, batch_size=2, bucket_count=1, shuffle_window=0, epochs=1)
    >>> data.steps_per_epoch, next(iter(data.dataset))[1].numpy().tolist()
    (1, [[7, 3, 0], [7, 8, 3]])
    """

    def __init__(
        self,
        records,
        *,
        batch_size=64,
        bucket_count=14,
        bucket_shapes=None,
        shuffle_window=100_000,
        seed=0,
        first_epoch=0,
        epochs=None,
        readers=4,
        service=None,
        prefetch=4,
    ):
        if batch_size < 1 or readers < 1 or shuffle_window < 0:
            raise ValueError(
                "Expected batch_size and readers of at least 1, and no negative shuffle_window. Received: "
                f"batch_size={batch_size}, readers={readers}, shuffle_window={shuffle_window}"
            )
        if service is not None and epochs is None:
            raise ValueError("A tf.data service gives each epoch for itself: say how many. Received: epochs=None")
        shapes = records.bucket_shapes(bucket_count) if bucket_shapes is None else np.asarray(bucket_shapes)
        shapes = shapes[np.argsort(shapes.sum(axis=1), kind="stable")]
        self.records = records
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle_window = shuffle_window
        self.readers = readers
        self.service = service
        self.bucket_shapes = [tuple(shape) for shape in shapes.tolist()]
        self.steps_per_epoch = records.steps_per_epoch(shapes, batch_size)
        if epochs is None:
            dataset = tf.data.Dataset.counter(start=first_epoch).flat_map(self.one_epoch)
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
        else:
            dataset = self.one_epoch(first_epoch)
            for epoch in range(first_epoch + 1, first_epoch + epochs):
                dataset = dataset.concatenate(self.one_epoch(epoch))
        self.dataset = dataset.prefetch(prefetch) if prefetch else dataset

    def one_epoch(self, epoch):
        """Return the batches of one epoch, a finite `tf.data.Dataset`. `epoch` is an int or an int64 scalar tensor."""
        epoch = tf.cast(epoch, tf.int64)
        files = tf.constant(self.records.files)
        if self.shuffle_window:
            files = self._shuffled(files, epoch, 0)
        dataset = tf.data.Dataset.from_tensor_slices(files).interleave(
            lambda file: tf.data.TFRecordDataset(file).batch(256).map(parse_pairs),
            cycle_length=self.readers,
            num_parallel_calls=self.readers,
            deterministic=True,
        )
        if self.service is not None:
            dataset = dataset.apply(
                tf.data.experimental.service.distribute(
                    processing_mode=tf.data.experimental.service.ShardingPolicy.DYNAMIC, service=self.service
                )
            )
        dataset = dataset.unbatch().map(_plain)
        if self.shuffle_window:
            # Not Dataset.shuffle, whose order depends on the global seed too.
            windows = dataset.ragged_batch(self.shuffle_window).enumerate(start=1)
            dataset = windows.map(lambda place, pairs: self._shuffled(pairs, epoch, place)).unbatch().map(_plain)
        return dataset.group_by_window(key_func=self._bucket, reduce_func=self._batch, window_size=self.batch_size)

    def _shuffled(self, nest, epoch, place):
        """Shuffle the rows of all parts alike, with a seed of their own for each epoch and place in it."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), epoch * 2**32 + place])
        first = tf.nest.flatten(nest)[0]
        rows = first.nrows() if isinstance(first, tf.RaggedTensor) else tf.size(first, tf.int64)
        order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seed)
        return tf.nest.map_structure(lambda x: tf.gather(x, order), nest)

    def _bucket(self, source, target):
        """The cheapest shape that holds the pair: they stand in order of their cost."""
        shapes = tf.constant(self.bucket_shapes, tf.int64)
        lengths = tf.stack([tf.size(source, tf.int64), tf.size(target, tf.int64)])
        return tf.argmax(tf.cast(tf.reduce_all(lengths <= shapes, axis=1), tf.int32))

    def _batch(self, bucket, pairs):
        shape = tf.gather(tf.constant(self.bucket_shapes, tf.int64), bucket)
        padded = pairs.padded_batch(self.batch_size, padded_shapes=([shape[0]], [shape[1]]))
        return padded.map(self._teach)

    def _teach(self, source_ids, labels):
        rows = tf.shape(labels)[0]
        missing = self.batch_size - rows
        source_ids, labels = (tf.concat([x, tf.repeat(x[-1:], missing, axis=0)], axis=0) for x in (source_ids, labels))
        real = labels != 0
        start = tf.fill([self.batch_size, 1], tf.constant(self.records.start_id, labels.dtype))
        target_ids = tf.where(real, tf.concat([start, labels[:, :-1]], axis=1), 0)
        weights = tf.cast(real & (tf.range(self.batch_size) < rows)[:, tf.newaxis], tf.float32)
        for tensor in (source_ids, target_ids, labels, weights):
            tensor.set_shape((self.batch_size, None))
        return {"source_ids": source_ids, "target_ids": target_ids}, labels, weights


def _plain(source, target):
    """The sides of one pair as plain tensors `(length,)`."""
    return tf.ensure_shape(source, [None]), tf.ensure_shape(target, [None])

"""Several devices of one host: `tf.distribute` under `fit`, with the numbers of one device.

Three things differ by themselves when a batch is cut into one share per replica, and are put right here:

- a mean over a share counts its tokens or questions by their share, not by the batch. Every token or question gets
  the weight one over the count of the whole batch, and the loss is a sum;
- a batch that the number of replicas does not divide gets rows of weight 0;
- Keras clips each replica's gradient before the gradients are added. Here they are added first.
"""

import contextlib

import keras


def every_device():
    """Return a `MirroredStrategy` over every GPU that TensorFlow sees, or None where there are less than two.

    None stands for no strategy (`scope_of`): with one device there is nothing to share.

    Raises:
        ValueError: If the backend is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Several devices are trained on by tf.distribute here; on JAX by `keras.distribution`. "
            f"Received: backend={keras.backend.backend()!r}"
        )
    import tensorflow as tf

    return tf.distribute.MirroredStrategy() if len(tf.config.list_logical_devices("GPU")) > 1 else None


def strategy_of(model):
    """Return the `tf.distribute` strategy under which a model was made, or None where it has one replica."""
    if keras.backend.backend() != "tensorflow":
        return None
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync < 2:
        return None
    import tensorflow as tf

    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(
            "`fit` of Keras 3 does not train under MultiWorkerMirroredStrategy. Several hosts train on JAX, with "
            "keras.distribution.DataParallel: see `keras_attention.training.processes`. "
            f"Received: a model made under {type(strategy).__name__}"
        )
    return strategy


def scope_of(strategy):
    """Return the strategy's scope, or one that does nothing for None."""
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def share_translation(dataset, strategy):
    """Cut batches of sentence pairs into one share per replica.

    Args:
        dataset: `tf.data.Dataset` of `(inputs, labels, weights)`, as `translation_dataset` makes it.
        strategy: A strategy with one input pipeline, such as `MirroredStrategy`.

    Returns:
        A distributed dataset of the shares; the weights of a whole batch add up to 1, for a loss of reduction `"sum"`.
    """

    def cut(inputs, labels, weights):
        import tensorflow as tf

        weights = weights / tf.reduce_sum(weights)
        # The last row again, not a row of padding: cuDNN refuses those.
        pairs = _cut_rows((inputs, labels), strategy.num_replicas_in_sync, "repeat")
        return (*pairs, _cut_rows(weights, strategy.num_replicas_in_sync, 0.0))

    return _distribute(dataset, strategy, cut)


def share_answer_selection(dataset, strategy):
    """Cut batches of questions into one share per replica.

    Sampled wrong answers go with their question. Of in-batch ones every replica gets all: it has its share of the
    questions and scores them against every answer of the batch, so that a question has the wrong answers that it has on
    one device. The price: each replica encodes all answers; comparing them with the questions is what is shared.

    Args:
        dataset: `tf.data.Dataset` of `(inputs, labels)` with the labels among the inputs, as `with_labels` makes it.
        strategy: As for `share_translation`.

    Returns:
        A distributed dataset of `(inputs, labels, weights)`, for a loss of reduction `"sum"`.
    """

    def cut(inputs, labels):
        import tensorflow as tf

        replicas = strategy.num_replicas_in_sync
        has_pair = tf.reduce_any(labels == 1, axis=-1) & tf.reduce_any(labels == 0, axis=-1)
        count = tf.maximum(tf.reduce_sum(tf.cast(has_pair, tf.float32)), 1.0)
        weights = _cut_rows(tf.fill(tf.shape(labels)[:1], 1.0 / count), replicas, 0.0)
        labels = _cut_rows(labels, replicas, -1.0)
        answers = inputs["answer_ids"]
        if answers.shape.rank == 2:
            answers = tf.repeat(answers[tf.newaxis], replicas, axis=0)
        else:
            answers = _cut_rows(answers, replicas, "repeat")
        questions = _cut_rows(inputs["question_ids"], replicas, "repeat")
        return {"question_ids": questions, "answer_ids": answers, "labels": labels}, labels, weights

    return _distribute(dataset, strategy, cut)


def _distribute(dataset, strategy, cut):
    import tensorflow as tf

    shares = dataset.flat_map(lambda *batch: tf.data.Dataset.from_tensor_slices(cut(*batch)))
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:  # flat_map forgets it
        shares = shares.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return strategy.distribute_datasets_from_function(
        lambda context: shares.prefetch(2 * strategy.num_replicas_in_sync)
    )


def _cut_rows(nest, replicas, fill):
    """Turn `(rows, ...)` into `(replicas, rows / replicas, ...)`, filled up with `fill` or with the last row again."""
    import tensorflow as tf

    def cut(x):
        rows = tf.shape(x)[0]
        missing = -rows % replicas
        last = tf.repeat(x[-1:], missing, axis=0)
        x = tf.concat([x, last if fill == "repeat" else tf.fill(tf.shape(last), tf.cast(fill, x.dtype))], axis=0)
        return tf.reshape(x, tf.concat([[replicas, (rows + missing) // replicas], tf.shape(x)[1:]], axis=0))

    return tf.nest.map_structure(cut, nest)


def clipping_the_sum(optimizer_class):
    """Return a class of optimiser that adds up gradients before it clips or squares them, not after.

    On TensorFlow the gradient of an embedding comes as slices, one a token: those of one word are added. Under a
    strategy the gradients of the replicas are added too. On other backends it is the given class.

    Args:
        optimizer_class: A class of `keras.optimizers`.
    """
    if keras.backend.backend() != "tensorflow":
        return optimizer_class
    from keras_attention.training.whole_gradients import WholeGradients, with_whole_gradients

    if strategy_in_scope() is None:
        return with_whole_gradients(optimizer_class)
    import tensorflow as tf

    class ClippingTheSum(WholeGradients, optimizer_class):
        def _clip_gradients(self, grads):
            if not (self.clipnorm or self.global_clipnorm or self.clipvalue):
                return grads
            context = tf.distribute.get_replica_context()
            summed = context.all_reduce(tf.distribute.ReduceOp.SUM, list(grads))
            # The update adds up over the replicas once more.
            return [g / context.num_replicas_in_sync for g in super()._clip_gradients(summed)]

    ClippingTheSum.__name__ = optimizer_class.__name__
    return ClippingTheSum


def strategy_in_scope():
    """Return the `tf.distribute` strategy whose scope this is, or None where it has one replica."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    return strategy if strategy.num_replicas_in_sync > 1 else None

"""The chunked cross-entropy for TensorFlow: loss and gradients of a chunk in one go, and the logits are gone."""

import tensorflow as tf


def chunked_sum(features, kernel, bias, targets, weights, label_smoothing, chunk_size, training):
    """Return `sum_t w_t l_t`; arguments as `chunked_cross_entropy` has them, all tensors.

    The loss is linear in what comes from above, a scalar, so the gradients made in the forward pass need only be
    multiplied by it. `d l / d z = softmax(z) - y + eps (y - 1 / V)`; the kernel that computes the cross-entropy gives
    the first two terms along with it.
    """
    width, vocabulary_size = kernel.shape
    positions = tf.shape(features)[0]
    chunks = (positions + chunk_size - 1) // chunk_size
    missing = chunks * chunk_size - positions

    def cut(x):
        padded = tf.pad(x, [[0, missing], *[[0, 0]] * (len(x.shape) - 1)])
        return tf.reshape(padded, [chunks, chunk_size, *x.shape[1:]])

    def losses_and_slopes(rows, kernel, bias, targets):
        logits = tf.cast(tf.matmul(rows, kernel) + bias, tf.float32)
        losses, slopes = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=logits, labels=targets)
        if label_smoothing:
            places = tf.stack([tf.range(chunk_size), targets], 1)
            losses += label_smoothing * (tf.gather_nd(logits, places) - tf.reduce_mean(logits, 1))
            if training:
                smoothing = tf.fill([chunk_size], tf.constant(label_smoothing))
                slopes = tf.tensor_scatter_nd_add(slopes - label_smoothing / vocabulary_size, places, smoothing)
        return losses, slopes

    # The targets and weights have no gradient, so they come from outside.
    target_chunks, weight_chunks = cut(targets), cut(weights)

    def run_without_gradients(features, kernel, bias):
        rows = cut(features)

        def body(i, total):
            losses, _ = losses_and_slopes(rows[i], kernel, bias, target_chunks[i])
            return i + 1, total + tf.reduce_sum(losses * weight_chunks[i])

        return tf.while_loop(lambda i, _: i < chunks, body, (tf.constant(0), tf.constant(0.0)))[1]

    if not training:
        return run_without_gradients(features, kernel, bias)

    @tf.custom_gradient
    def run(features, kernel, bias):
        rows = cut(features)

        def body(i, total, d_features, d_kernel, d_bias):
            losses, slopes = losses_and_slopes(rows[i], kernel, bias, target_chunks[i])
            slopes = slopes * weight_chunks[i][:, None]
            low = tf.cast(slopes, features.dtype)
            return (
                i + 1,
                total + tf.reduce_sum(losses * weight_chunks[i]),
                d_features.write(i, tf.matmul(low, kernel, transpose_b=True)),
                d_kernel + tf.cast(tf.matmul(rows[i], low, transpose_a=True), tf.float32),
                d_bias + tf.reduce_sum(slopes, 0),
            )

        start = (
            tf.constant(0),
            tf.constant(0.0),
            tf.TensorArray(features.dtype, size=chunks, element_shape=[chunk_size, width]),
            tf.zeros([width, vocabulary_size]),
            tf.zeros([vocabulary_size]),
        )
        _, total, d_features, d_kernel, d_bias = tf.while_loop(
            lambda i, *_: i < chunks, body, start, maximum_iterations=chunks
        )
        d_features = tf.reshape(d_features.stack(), [-1, width])[:positions]

        def gradient(upstream):
            return [
                tf.cast(upstream * tf.cast(d, tf.float32), x.dtype)
                for d, x in ((d_features, features), (d_kernel, kernel), (d_bias, bias))
            ]

        return total, gradient

    return run(features, kernel, bias)

"""Cross-entropy straight from features and word vectors, a chunk of positions at a time."""

import keras
from keras import ops


def chunked_cross_entropy(
    features, kernel, bias, targets, weights, *, label_smoothing=0.0, chunk_size=512, training=True
):
    """Return the weighted sum of the token cross-entropies, without ever holding all logits.

    `z_t = f_t W + b`, then `sum_t w_t l_t` with `l_t` as `TokenCrossEntropy` has it. The logits of 64 sentences of 30
    words over 64,000 words are 491 MB, and a training step usually holds them three times. Here a chunk of positions is
    multiplied out, its loss and its gradients by features, W and b are taken at once, and the logits are gone: what
    stays is as large as features and W. The products are the same as without chunks; what is spared is memory, and the
    passes over it.

    On TensorFlow by `chunked_cross_entropy_tensorflow`, which makes the gradients in the forward pass; elsewhere a
    chunk's logits are computed again in the backward pass.

    Args:
        features: `(positions, width)`, floating point.
        kernel: W, `(width, vocabulary_size)`.
        bias: b, `(vocabulary_size,)`, or None.
        targets: Integer `(positions,)`.
        weights: Float32 `(positions,)`, 0 where a position does not count. They get no gradient.
        label_smoothing: Share of the target given to the uniform distribution.
        chunk_size: Positions multiplied out at a time: so many times the vocabulary's size is held.
        training: Whether the gradients will be asked for; TensorFlow makes them only then.

    Returns:
        Float32 scalar, in nats.

    Raises:
        ValueError: If `chunk_size` is below 1.

    Example:
    >>> import numpy as np
    >>> ones = np.ones((3, 2), "float32")
    >>> loss = chunked_cross_entropy(ones, np.zeros((2, 8), "float32"), None, [1, 2, 0], [1.0, 1.0, 0.0], chunk_size=2)
    >>> round(float(loss) / 2, 4)  # log 8
    2.0794

    Reference:
        Hsu et al. 2024, "Liger Kernel", section 3.2 (fused linear cross-entropy). https://arxiv.org/abs/2410.10989
    """
    if chunk_size < 1:
        raise ValueError(f"`chunk_size` must be at least 1. Received: chunk_size={chunk_size}")
    features, kernel = ops.convert_to_tensor(features), ops.convert_to_tensor(kernel)
    targets = ops.cast(ops.convert_to_tensor(targets), "int32")
    weights = ops.cast(ops.convert_to_tensor(weights), "float32")
    bias = ops.zeros((kernel.shape[1],), dtype=kernel.dtype) if bias is None else ops.convert_to_tensor(bias)
    if keras.backend.backend() == "tensorflow":
        from keras_attention.losses.chunked_cross_entropy_tensorflow import chunked_sum

        return chunked_sum(features, kernel, bias, targets, weights, label_smoothing, chunk_size, training)

    def part(features, targets, weights):
        logits = ops.cast(ops.matmul(features, kernel) + bias, "float32")
        loss = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        if label_smoothing:
            right = ops.squeeze(ops.take_along_axis(logits, ops.expand_dims(targets, -1), axis=-1), -1)
            loss = loss + label_smoothing * (right - ops.mean(logits, axis=-1))
        return ops.sum(loss * weights)

    part = keras.remat(part) if training else part
    total = ops.zeros((), dtype="float32")
    for begin in range(0, features.shape[0], chunk_size):
        rows = slice(begin, begin + chunk_size)
        total = total + part(features[rows], targets[rows], weights[rows])
    return total

"""The best next tokens and their log-probabilities, without a log-softmax over the whole vocabulary."""

import keras
import numpy as np
from keras import ops

from keras_attention.decoding.slots import flat_slots, gather_slots

CHUNK_FROM = 1024  # shorter rows are searched directly
CHUNK_WIDTH = 64


def top_k(x, k):
    """Return the k greatest of the last axis, descending, and their int32 positions; equal ones in order of position.

    TensorFlow's and JAX's `top_k` promise that order. PyTorch's does not, so there it is restored, and a tie across
    the border of the k falls back to a stable sort.
    """
    if keras.backend.backend() == "torch":
        return _stable_top_k(x, k)
    values, positions = ops.top_k(x, k)
    return values, ops.cast(positions, "int32")


def top_tokens(logits, count, forbidden_ids):
    """Return the `count` most probable allowed tokens of each row with their log-probabilities.

    The log-probabilities are the model's own: log softmax over the whole vocabulary, forbidden tokens included, so
    that scoring an output with the model gives the same number. They come from three observations. The order of the
    logits is the order of the log-probabilities, so the search needs no softmax. A few forbidden ids are cheaper to
    look for among a few more candidates than to mask in the whole array. And log sum exp is the greatest logit minus
    the logarithm of its probability, so the fused softmax kernel is the only pass over the vocabulary besides the
    search; this probability is at least 1/V, so nothing underflows.

    Args:
        logits: `(B, K, V)`, V static; taken to float32 here.
        count: int, number of tokens wanted. The rows have `min(V, count + len(forbidden_ids))` entries, so that
            `count` allowed ones are among them if the vocabulary has so many.
        forbidden_ids: tuple of distinct ints.

    Returns:
        Tuple of log-probabilities float32 `(B, K, C)`, forbidden ones at minus infinity, and token ids int32
        `(B, K, C)`, in descending order of logit, equal ones by ascending id.
    """
    logits = ops.cast(logits, "float32")
    vocabulary_size = logits.shape[-1]
    if vocabulary_size is None:
        raise ValueError("The logits' last axis must be static. Received: logits of unknown vocabulary size")
    values, ids = _top_k_in_chunks(logits, min(vocabulary_size, count + len(forbidden_ids)))
    greatest = ops.log(ops.take_along_axis(ops.softmax(logits, axis=-1), ids[..., :1], axis=-1))
    # Rounding may leave a certain token a hair above 0; the bound of beam search relies on none being.
    log_probabilities = ops.minimum(values - values[..., :1] + greatest, 0.0)
    for token_id in forbidden_ids:
        log_probabilities = ops.where(ops.equal(ids, token_id), -float("inf"), log_probabilities)
    return log_probabilities, ids


def best_token(logits, forbidden_ids):
    """Return the most probable allowed token, int32 `(B, K)`, and its log-probability, float32 `(B, K)`.

    As `top_tokens` with a count of one, in a tenth of the operations: for one sentence alone they are what a step
    costs.
    """
    logits = ops.cast(logits, "float32")
    allowed = logits
    if forbidden_ids:
        forbidden = np.zeros(logits.shape[-1], bool)
        forbidden[[i for i in forbidden_ids if i < len(forbidden)]] = True
        allowed = ops.where(forbidden, -float("inf"), logits)
    greatest = ops.log(ops.max(ops.softmax(logits, axis=-1), axis=-1))
    best, token_ids = top_k(allowed, 1)
    gains = best[..., 0] - ops.max(logits, axis=-1) + greatest
    return token_ids[..., 0], ops.minimum(gains, 0.0)


def _top_k_in_chunks(x, k):
    """Exact top k of long rows: the k best of the row stand in the k chunks with the greatest maxima.

    A chunk left out has k chunks before it, each with an element at least as great and, if equal, at a lower position;
    so nothing of it belongs to the k best. The maxima are a vectorised pass; the heap then sees V / 64 + 64 k elements.
    """
    size = x.shape[-1]
    if size < CHUNK_FROM or k * CHUNK_WIDTH * 4 > size:
        return top_k(x, k)
    divisors = [n for n in range(CHUNK_WIDTH // 2, 2 * CHUNK_WIDTH + 1) if size % n == 0]
    width = min(divisors, key=lambda n: abs(n - CHUNK_WIDTH)) if divisors else CHUNK_WIDTH
    if size % width:
        padding = [[0, 0]] * (len(x.shape) - 1) + [[0, width - size % width]]
        x = ops.pad(x, padding, constant_values=-float("inf"))
    chunks = x.shape[-1] // width
    batch, slots = ops.shape(x)[:2]
    x = ops.reshape(x, (batch * slots, chunks, width))
    # In ascending order, so that positions among the gathered ones are in order of token id.
    best = ops.sort(top_k(ops.max(x, axis=-1, initial=-float("inf")), k)[1], axis=-1)  # a batch may be empty
    gathered = gather_slots(x, flat_slots(best, chunks))
    values, positions = top_k(ops.reshape(gathered, (batch * slots, k * width)), k)
    ids = gather_slots(best, flat_slots(positions // width, k)) * width + positions % width
    return ops.reshape(values, (batch, slots, k)), ops.reshape(ids, (batch, slots, k))


def _stable_top_k(x, k):
    size = x.shape[-1]
    values, positions = ops.top_k(x, min(k + 1, size))
    if size > k and bool(ops.any(ops.equal(values[..., k - 1], values[..., k]))):
        positions = ops.argsort(-x, axis=-1)[..., :k]  # Keras sorts stably on PyTorch
    else:
        positions = ops.sort(positions[..., :k], axis=-1)
        by_value = ops.argsort(-ops.take_along_axis(x, positions, axis=-1), axis=-1)
        positions = ops.take_along_axis(positions, by_value, axis=-1)
    return ops.take_along_axis(x, positions, axis=-1), ops.cast(positions, "int32")

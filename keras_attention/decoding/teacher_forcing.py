"""Teacher forcing: the score of a given output, by the same step function that decodes."""

from keras import ops

from keras_attention.decoding.arguments import (
    PAD_ID,
    check_batch_size,
    check_not_negative,
    check_source_mask,
    check_weights,
)
from keras_attention.decoding.penalties import coverage_score, length_penalty
from keras_attention.decoding.slots import keep_signature, repeat_slots, write_row


def score_targets(
    step,
    initial_state,
    memory,
    target_ids,
    *,
    start_id,
    length_normalization=0.0,
    coverage_penalty=0.0,
    batch_size=None,
    source_mask=None,
    return_alignment=False,
):
    """Return the log-probability of every token of given outputs, log p(y_t | y_1 ... y_{t-1}, x).

    The step gets the start symbol and then the targets themselves. So this is what a model's sequence path computes,
    but stepwise: the two must agree, and what a search returns must score here as it did there. Also for ranking the
    outputs of one model by another.

    Args:
        step: the model's step function; see `greedy_decode`.
        initial_state: nest of tensors, every leaf `(B, 1, ...)`.
        memory: nest of tensors with leading axis B.
        target_ids: int32 `(B, T)`, or `(B, N, T)` for N outputs per sentence: tokens with the end symbol, padding 0
            after it. T may be 0.
        start_id: int, the first input.
        length_normalization: alpha of `beam_search`, for the scores.
        coverage_penalty: beta of `beam_search`, for the scores.
        batch_size: not needed but where it is known as an int and the tensors do not tell.
        source_mask: bool `(B, S)`, True = real token; needed for the coverage penalty and the alignment.
        return_alignment: whether to return the alignment weights.

    Returns:
        dict, without the axis N where the targets have none:

        - `token_log_probabilities`: float32 `(B, N, T)`, in nats, 0 at padding.
        - `log_probabilities`: float32 `(B, N)`, their sums.
        - `scores`: float32 `(B, N)`, as `beam_search` computes them; 0 for an empty output.
        - `lengths`: int32 `(B, N)`, in tokens.
        - `alignment`: float32 `(B, N, T, S)`, zero rows at padding, or `None`.

    Raises:
        ValueError: for targets of another rank; for beta above 0 or `return_alignment` without `source_mask` or with a
            step that gives no weights.

    Example:
    ```python
    import numpy as np
    from keras import ops
    from keras_attention.decoding import score_targets

    logits = ops.convert_to_tensor(np.log([1e-9, 1e-9, 1e-9, 0.5, 0.25, 0.25]), dtype="float32")

    def step(token_ids, state, memory):
        return ops.broadcast_to(logits, (*token_ids.shape, 6)), state, None

    result = score_targets(step, {}, None, np.array([[4, 3, 0]]), start_id=2)
    print(ops.exp(result["token_log_probabilities"]))  # 0.25 0.5 1 (padding: log-probability 0)
    ```
    """
    alpha = check_not_negative("length_normalization", length_normalization)
    beta = check_not_negative("coverage_penalty", coverage_penalty)
    target_ids = ops.cast(ops.convert_to_tensor(target_ids), "int32")
    rank = len(target_ids.shape)
    if rank not in (2, 3):
        raise ValueError(
            "`target_ids` must be of shape (batch, target_length) or (batch, outputs, target_length). "
            f"Received: target_ids.shape={tuple(target_ids.shape)}"
        )
    targets = ops.expand_dims(target_ids, 1) if rank == 2 else target_ids
    target_length = ops.shape(targets)[2]
    targets = ops.transpose(targets, (2, 0, 1))
    if targets.shape[0] == 0:  # JAX traces the loop's body even so, and it needs a row to take
        targets = ops.pad(targets, [[0, 1], [0, 0], [0, 0]])
    width, batch, slots = ops.shape(targets)
    shape = (check_batch_size(batch_size, target_ids, None), slots)
    real = ops.not_equal(targets, PAD_ID)
    lengths = ops.sum(ops.cast(real, "int32"), axis=0)
    # The zero keeps the maximum of an empty batch defined.
    steps = ops.max(ops.concatenate([ops.reshape(lengths, (batch * slots,)), ops.zeros((1,), dtype="int32")]))
    keep = {}
    if beta > 0 or return_alignment:
        reason = "`return_alignment`" if return_alignment else "`coverage_penalty`"
        source_mask = check_source_mask(source_mask, reason)
        source_length = ops.shape(source_mask)[1]
        if beta > 0:
            keep["coverage"] = ops.zeros((*shape, source_length), dtype="float32")
        if return_alignment:
            keep["alignment"] = ops.zeros((width, *shape, source_length), dtype="float32")

    def is_running(position, tokens, gains, keep, state):
        return position < steps

    def advance(position, tokens, gains, keep, state):
        logits, new_state, weights = step(tokens, state, memory)
        logits = ops.cast(logits, "float32")
        tokens = ops.take(targets, position, axis=0)
        is_real = ops.expand_dims(ops.take(real, position, axis=0), -1)
        gain = ops.take_along_axis(logits, ops.expand_dims(tokens, -1), axis=-1)
        gain = gain - ops.logsumexp(logits, axis=-1, keepdims=True)
        gains = write_row(gains, position, ops.squeeze(ops.where(is_real, gain, 0.0), -1))
        kept = {}
        if keep:
            weights = ops.where(is_real, check_weights(weights, reason), 0.0)
        if "coverage" in keep:
            kept["coverage"] = keep["coverage"] + weights
        if "alignment" in keep:
            kept["alignment"] = write_row(keep["alignment"], position, weights)
        return position + 1, tokens, gains, keep_signature(kept, keep), keep_signature(new_state, state)

    loop = (
        ops.zeros((), dtype="int32"),
        ops.full(shape, start_id, dtype="int32"),
        ops.zeros((width, *shape), dtype="float32"),
        keep,
        repeat_slots(initial_state, slots),
    )
    _, _, gains, keep, _ = ops.while_loop(is_running, advance, loop)
    log_probabilities = ops.sum(gains, axis=0)
    scores = log_probabilities / length_penalty(lengths, alpha)
    if beta > 0:
        covered = coverage_score(keep["coverage"], source_mask, beta)
        scores = scores + ops.where(lengths > 0, covered, 0.0)
    result = {
        "token_log_probabilities": ops.transpose(gains[:target_length], (1, 2, 0)),
        "log_probabilities": log_probabilities,
        "scores": scores,
        "lengths": lengths,
        "alignment": ops.transpose(keep["alignment"][:target_length], (1, 2, 0, 3)) if return_alignment else None,
    }
    if rank == 2:
        result = {name: None if value is None else ops.squeeze(value, 1) for name, value in result.items()}
    return result

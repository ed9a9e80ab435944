"""The loop of greedy decoding and sampling: every slot goes its own way, none is compared with another."""

from keras import ops

from keras_attention.decoding.arguments import PAD_ID, check_source_mask, check_weights
from keras_attention.decoding.slots import keep_signature, repeat_slots, write_row


def decode_paths(
    choose,
    step,
    initial_state,
    memory,
    *,
    slots,
    batch_size,
    start_id,
    end_id,
    limits,
    width,
    source_mask,
    return_alignment,
):
    """Run `step` until every slot has ended.

    Args:
        choose: function of (logits `(B, K, V)`, position scalar) that gives token ids int32 `(B, K)` and their
            log-probabilities float32 `(B, K)`.
        step: the model's step function.
        initial_state: nest of `(B, 1, ...)`.
        memory: nest of `(B, ...)`.
        slots: int, K.
        batch_size: int or scalar, B.
        start_id: int, the first input.
        end_id: int, the symbol that ends an output.
        limits: int32 `(B,)`, from `check_step_limits`.
        width: int or scalar, from `check_step_limits`.
        source_mask: bool `(B, S)`; needed for the alignment only, for its width.
        return_alignment: whether the weights are kept.

    Returns:
        The dict of results that `greedy_decode` describes, with N = K.
    """
    state = repeat_slots(initial_state, slots)
    limits = ops.expand_dims(limits, -1)
    shape = (batch_size, slots)
    if return_alignment:
        source_mask = check_source_mask(source_mask, "`return_alignment`")
        alignment = ops.zeros((width, batch_size, slots, ops.shape(source_mask)[1]), dtype="float32")
    else:
        alignment = ops.zeros((), dtype="float32")

    def is_running(position, tokens, log_probabilities, lengths, record, alignment, state):
        return ops.any(lengths < 0)

    def advance(position, tokens, log_probabilities, lengths, record, alignment, state):
        logits, new_state, weights = step(tokens, state, memory)
        live = lengths < 0
        tokens, gains = choose(logits, position)
        tokens = ops.where(live, tokens, PAD_ID)
        if return_alignment:
            weights = check_weights(weights, "`return_alignment`")
            weights = ops.where(ops.expand_dims(live, -1), weights, 0.0)
            alignment = write_row(alignment, position, weights)
        record = write_row(record, position, tokens)
        log_probabilities = log_probabilities + ops.where(live, gains, 0.0)
        position = position + 1
        ends = ops.logical_and(live, ops.logical_or(ops.equal(tokens, end_id), position >= limits))
        lengths = ops.where(ends, position, lengths)
        return position, tokens, log_probabilities, lengths, record, alignment, keep_signature(new_state, state)

    # Length -1 means live. A sentence whose limit is 0 has ended before it began.
    lengths = ops.broadcast_to(ops.where(limits > 0, -1, 0), shape)
    loop = (
        ops.zeros((), dtype="int32"),
        ops.full(shape, start_id, dtype="int32"),
        ops.zeros(shape, dtype="float32"),
        ops.cast(lengths, "int32"),
        ops.full((width, *shape), PAD_ID, dtype="int32"),
        alignment,
        state,
    )
    _, _, log_probabilities, lengths, record, alignment, _ = ops.while_loop(is_running, advance, loop)
    token_ids = ops.transpose(record, (1, 2, 0))
    return {
        "token_ids": token_ids,
        "scores": log_probabilities,
        "log_probabilities": log_probabilities,
        "lengths": lengths,
        "finished": ops.any(ops.equal(token_ids, end_id), axis=-1),
        "alignment": ops.transpose(alignment, (1, 2, 0, 3)) if return_alignment else None,
    }

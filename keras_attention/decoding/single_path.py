"""The loop of greedy decoding and sampling: every slot goes its own way, none is compared with another."""

from keras import ops

from keras_attention.decoding.arguments import PAD_ID, check_source_mask, check_weights
from keras_attention.decoding.shrinking import shrinking_loop
from keras_attention.decoding.slots import keep_signature, repeat_slots, write_row

_BATCH_AXES = {
    "position": None,
    "tokens": 0,
    "log_probabilities": 0,
    "lengths": 0,
    "record": 1,
    "alignment": 1,
    "state": 0,
}


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
    halvings=0,
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
        halvings: how often the batch is halved as sentences end. `choose` must not know rows by their place then.

    Returns:
        The dict of results that `greedy_decode` describes, with N = K.
    """
    state = repeat_slots(initial_state, slots)
    limits = ops.expand_dims(limits, -1)
    shape = (batch_size, slots)

    def is_live(loop):
        return ops.any(loop["lengths"] < 0, axis=-1)

    def advance(loop, given):
        position = loop["position"]
        logits, new_state, weights = step(loop["tokens"], loop["state"], given["memory"])
        live = loop["lengths"] < 0
        tokens, gains = choose(logits, position)
        tokens = ops.where(live, tokens, PAD_ID)
        new = {
            "position": position + 1,
            "tokens": tokens,
            "log_probabilities": loop["log_probabilities"] + ops.where(live, gains, 0.0),
            "record": write_row(loop["record"], position, tokens),
            "state": keep_signature(new_state, loop["state"]),
        }
        if return_alignment:
            weights = check_weights(weights, "`return_alignment`")
            weights = ops.where(ops.expand_dims(live, -1), weights, 0.0)
            new["alignment"] = write_row(loop["alignment"], position, weights)
        at_limit = new["position"] >= given["limits"]
        ends = ops.logical_and(live, ops.logical_or(ops.equal(tokens, end_id), at_limit))
        new["lengths"] = ops.where(ends, new["position"], loop["lengths"])
        return new

    # Length -1 means live. A sentence whose limit is 0 has ended before it began.
    lengths = ops.broadcast_to(ops.where(limits > 0, -1, 0), shape)
    loop = {
        "position": ops.zeros((), dtype="int32"),
        "tokens": ops.full(shape, start_id, dtype="int32"),
        "log_probabilities": ops.zeros(shape, dtype="float32"),
        "lengths": ops.cast(lengths, "int32"),
        "record": ops.full((width, *shape), PAD_ID, dtype="int32"),
        "state": state,
    }
    if return_alignment:
        source_mask = check_source_mask(source_mask, "`return_alignment`")
        loop["alignment"] = ops.zeros((width, *shape, ops.shape(source_mask)[1]), dtype="float32")
    loop = shrinking_loop(
        is_live,
        advance,
        loop,
        {"limits": limits, "memory": memory},
        axes=_BATCH_AXES,
        dropped=("tokens", "state"),
        halvings=halvings,
    )
    token_ids = ops.transpose(loop["record"], (1, 2, 0))
    return {
        "token_ids": token_ids,
        "scores": loop["log_probabilities"],
        "log_probabilities": loop["log_probabilities"],
        "lengths": loop["lengths"],
        "finished": ops.any(ops.equal(token_ids, end_id), axis=-1),
        "alignment": ops.transpose(loop["alignment"], (1, 2, 0, 3)) if return_alignment else None,
    }

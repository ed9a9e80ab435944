"""The beam itself: how it starts, one step of it, and how its results are read off.

A beam is a dict of tensors, so that it can be a loop's variable on every backend:

- `position`: int32 scalar, steps made.
- `tokens`: int32 `(B, K)`, the last token of each slot.
- `log_probabilities`: float32 `(B, K)`; minus infinity in an empty slot.
- `lengths`: int32 `(B, K)`, -1 while live or empty, the output's length once frozen.
- `scores`: float32 `(B, K)`, the final score once frozen, minus infinity before.
- `parents`, `token_record`: int32 `(L, B, K)`, the slot continued and the token taken at each step.
- `coverage`: float32 `(B, K, S)`, only with a coverage penalty.
- `alignment`: float32 `(L, B, K, S)`, only if asked for: the weights as the step gave them, before slots changed.
- `state`: the model's own nest, every leaf `(B, K, ...)`.
"""

import keras
from keras import ops

from keras_attention.decoding.arguments import PAD_ID, check_weights
from keras_attention.decoding.back_pointers import gather_along, trace_back
from keras_attention.decoding.penalties import coverage_score, length_penalty
from keras_attention.decoding.row_step import choose_rows
from keras_attention.decoding.slots import (
    flat_slots,
    gather_slots,
    keep_signature,
    merge_slots,
    repeat_slots,
    rows_of,
    write_row,
)
from keras_attention.decoding.top_tokens import top_k, top_tokens

INFINITY = float("inf")
BATCH_AXES = {
    "position": None,
    "tokens": 0,
    "log_probabilities": 0,
    "lengths": 0,
    "scores": 0,
    "parents": 1,
    "token_record": 1,
    "coverage": 0,
    "alignment": 1,
    "state": 0,
}


def start_beam(initial_state, *, batch_size, beam_width, start_id, limits, width, coverage_length, alignment_length):
    """Return the beam before the first step, one slot wide: it holds the empty hypothesis, the only one there is.

    `limits` is int32 `(B, 1)`. A limit of 0 freezes the empty output at once, with score 0. The last two arguments are
    source lengths, or `None` where coverage or alignment is not kept.
    """
    shape, full_shape = (batch_size, 1), (width, batch_size, beam_width)
    ended = limits < 1
    beam = {
        "position": ops.zeros((), dtype="int32"),
        "tokens": ops.full(shape, start_id, dtype="int32"),
        "log_probabilities": ops.zeros(shape, dtype="float32"),
        "lengths": ops.cast(ops.where(ended, 0, -1), "int32"),
        "scores": ops.cast(ops.where(ended, 0.0, -INFINITY), "float32"),
        # Every slot its own parent: so it stays at the steps that a sentence no longer makes.
        "parents": ops.broadcast_to(ops.arange(beam_width, dtype="int32"), full_shape),
        "token_record": ops.full(full_shape, PAD_ID, dtype="int32"),
        "state": repeat_slots(initial_state, 1),
    }
    if coverage_length is not None:
        beam["coverage"] = ops.zeros((*shape, coverage_length), dtype="float32")
    if alignment_length is not None:
        beam["alignment"] = ops.zeros((*full_shape, alignment_length), dtype="float32")
    return beam


def is_live(beam):
    """Return bool `(B, K)`: the slots that hold a hypothesis which still grows."""
    return ops.logical_and(beam["lengths"] < 0, beam["log_probabilities"] > -INFINITY)


def advance_beam(
    beam,
    step,
    memory,
    *,
    end_id,
    never,
    beam_width,
    limits,
    greatest_norm,
    n_best,
    alpha,
    beta,
    source_mask,
    early_stopping,
    first=False,
    live_rows=False,
):
    """Return the beam after one more step, `beam_width` slots wide: the `first` step makes them out of one.

    Other arguments as `beam_search` has them; `limits` and `greatest_norm` are `(B, 1)`.
    """
    slot_count = beam["tokens"].shape[1]
    make = _continue_live if live_rows else _continue_all
    gains, ids, state_of, weights = make(beam, step, memory, beam_width, never)
    batch_size, _, candidates = ops.shape(gains)
    # A frozen hypothesis has one candidate, itself, which wins against any other.
    stay = ops.convert_to_tensor([INFINITY] + [-INFINITY] * (candidates - 1), dtype="float32")
    totals = ops.expand_dims(beam["log_probabilities"], -1) + gains
    totals = ops.where(ops.expand_dims(beam["lengths"] >= 0, -1), stay, totals)
    flat = (batch_size, slot_count * candidates)
    totals, ids = ops.reshape(totals, flat), ops.reshape(ids, flat)
    missing = beam_width - flat[1]  # a vocabulary smaller than the beam fills some slots only
    if missing > 0:
        totals = ops.pad(totals, [[0, 0], [0, missing]], constant_values=-INFINITY)
    totals, chosen = top_k(totals, beam_width)
    if missing > 0:
        chosen = ops.minimum(chosen, flat[1] - 1)
    slots = chosen // candidates
    rows = flat_slots(slots, slot_count)

    # A slot now holds a frozen hypothesis (total infinity), a longer one, or nothing (minus infinity).
    frozen = ops.equal(totals, INFINITY)
    grown = ops.logical_and(totals > -INFINITY, totals < INFINITY)
    tokens = gather_slots(ids, flat_slots(chosen, flat[1]))
    tokens = ops.where(grown, tokens, PAD_ID)
    place, position = beam["position"], beam["position"] + 1
    if first:  # an empty batch makes no step
        place, position = 0, ops.cast(ops.minimum(batch_size, 1), "int32")
    ended = ops.logical_and(grown, ops.logical_or(ops.equal(tokens, end_id), position >= limits))
    new = {
        "position": position,
        "tokens": tokens,
        "log_probabilities": ops.where(frozen, gather_slots(beam["log_probabilities"], rows), totals),
        "parents": write_row(beam["parents"], place, slots),
        "token_record": write_row(beam["token_record"], place, tokens),
        "state": state_of(rows),
    }
    scores = totals / length_penalty(position, alpha)
    if "coverage" in beam:
        weights = check_weights(weights, "`coverage_penalty`")
        new["coverage"] = gather_slots(beam["coverage"] + weights, rows)
        scores = scores + coverage_score(new["coverage"], source_mask, beta)
    if "alignment" in beam:
        weights = check_weights(weights, "`return_alignment`")
        weights = ops.broadcast_to(weights, ops.shape(beam["alignment"])[1:])
        new["alignment"] = write_row(beam["alignment"], place, weights)
    scores = ops.where(ended, scores, -INFINITY)
    new["scores"] = ops.where(frozen, gather_slots(beam["scores"], rows), scores)
    new["lengths"] = ops.where(frozen, gather_slots(beam["lengths"], rows), ops.where(ended, position, -1))
    if not first:
        new = keep_signature(new, beam)
    decided = is_decided(new, greatest_norm, n_best, early_stopping)
    given_up = ops.logical_and(decided, new["lengths"] < 0)
    new["log_probabilities"] = ops.where(given_up, -INFINITY, new["log_probabilities"])
    return new


def _continue_all(beam, step, memory, beam_width, never):
    """Return the best next tokens `(B, K, C)` with their gains, the new states as a function of rows, the weights."""
    logits, state, weights = step(beam["tokens"], beam["state"], memory)
    state = keep_signature(state, beam["state"])
    gains, ids = top_tokens(logits, beam_width, never)
    return gains, ids, lambda rows: keras.tree.map_structure(lambda leaf: gather_slots(leaf, rows), state), weights


def _continue_live(beam, step, memory, beam_width, never):
    """Do the same with the live hypotheses alone; of the others comes what must not be read, and is not."""
    live = is_live(beam)
    rows, places = choose_rows(live)
    slots = beam["tokens"].shape[1]

    def pick(x):
        return rows_of(merge_slots(x), rows)

    logits, state, weights = step.on_rows(
        pick(beam["tokens"]), keras.tree.map_structure(pick, beam["state"]), memory, slots, rows, places
    )
    found = top_tokens(ops.expand_dims(logits, 0), beam_width, never)
    gains, ids = (ops.reshape(rows_of(x[0], places), (-1, slots, x.shape[2])) for x in found)

    def state_of(chosen):
        chosen = rows_of(places, chosen)
        picked = keras.tree.map_structure(lambda leaf: rows_of(leaf, chosen), state)
        return keep_signature(picked, beam["state"])

    return ops.where(ops.expand_dims(live, -1), gains, -INFINITY), ids, state_of, weights


def is_decided(beam, greatest_norm, n_best, early_stopping):
    """Return bool `(B, 1)`: whether no live hypothesis can still come among the sentence's `n_best`.

    A live hypothesis has a log-probability l of at most 0. Whatever follows only lowers it, its length norm cannot
    exceed that of the maximum length, and the coverage score cannot exceed 0; so l / `greatest_norm` bounds its score.
    """
    worst_kept = top_k(beam["scores"], n_best)[0][:, -1:]
    reach = ops.where(beam["lengths"] < 0, beam["log_probabilities"], -INFINITY)
    farthest = ops.max(reach, axis=-1, keepdims=True, initial=-INFINITY)
    decided = farthest / greatest_norm <= worst_kept
    if early_stopping:
        decided = ops.logical_or(decided, worst_kept > -INFINITY)
    return decided


def read_results(beam, n_best, end_id):
    """Return the dict of results, best first, with tokens and weights picked along the way back."""
    scores, slots = top_k(beam["scores"], n_best)
    rows = flat_slots(slots, beam["tokens"].shape[1])
    lengths = ops.maximum(gather_slots(beam["lengths"], rows), 0)
    after, before = trace_back(beam["parents"], slots, beam["position"])
    steps = ops.arange(ops.shape(beam["parents"])[0], dtype="int32")
    inside = ops.expand_dims(steps, (1, 2)) < ops.expand_dims(lengths, 0)
    token_ids = ops.where(inside, gather_along(beam["token_record"], after), PAD_ID)
    token_ids = ops.transpose(token_ids, (1, 2, 0))
    alignment = None
    if "alignment" in beam:
        alignment = ops.where(ops.expand_dims(inside, -1), gather_along(beam["alignment"], before), 0.0)
        alignment = ops.transpose(alignment, (1, 2, 0, 3))
    return {
        "token_ids": token_ids,
        "scores": scores,
        "log_probabilities": ops.where(scores > -INFINITY, gather_slots(beam["log_probabilities"], rows), -INFINITY),
        "lengths": lengths,
        "finished": ops.any(ops.equal(token_ids, end_id), axis=-1),
        "alignment": alignment,
    }

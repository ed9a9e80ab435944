"""Beam search with length normalization, coverage penalty and an exact stop."""

import functools

import keras
from keras import ops

from keras_attention.decoding.arguments import (
    check_batch_size,
    check_count,
    check_not_negative,
    check_positive_integer,
    check_source_mask,
    check_step_limits,
    check_token_ids,
)
from keras_attention.decoding.beam import BATCH_AXES, advance_beam, is_live, read_results, start_beam
from keras_attention.decoding.penalties import length_penalty
from keras_attention.decoding.row_step import RowStep
from keras_attention.decoding.shrinking import shrinking_loop

_FULL = 7 / 8  # above this share of live hypotheses picking them out costs more than it spares


def beam_search(
    step,
    initial_state,
    memory,
    *,
    start_id,
    end_id,
    maximum_length,
    beam_width=5,
    n_best=1,
    length_normalization=0.0,
    coverage_penalty=0.0,
    early_stopping=False,
    batch_size=None,
    forbidden_ids=(),
    output_length=None,
    source_mask=None,
    return_alignment=False,
    halvings=0,
    live_rows=False,
):
    """Search for the outputs with the highest score, keeping `beam_width` hypotheses per sentence.

    score(Y) = log p(Y | x) / ((5 + |Y|) / 6) ** alpha + beta * sum_j log(min(sum_i a_ij, 1))

    with alpha the length normalization, beta the coverage penalty, |Y| the number of output tokens with the end
    symbol, and j over the real source tokens (Wu et al. 2016, equation 14).

    The beam has K slots. At every step the continuations of all live hypotheses compete by log-probability, all being
    of one length, for the slots that are not taken. One that ends with the end symbol, or reaches the maximum length,
    is frozen: it keeps its slot and its score, collects no further log-probability, and is never pushed out; the beam
    grows narrower, as in Bahdanau et al. 2015. So a beam of one is greedy decoding for every alpha and beta, and a
    beam as wide as the space of outputs finds the true best. Hypotheses that were cut at the maximum length compete
    by the same score, and `finished` tells them apart.

    A sentence stops when its best `n_best` can no longer change: when no live hypothesis, with its log-probability
    as it stands, the greatest length norm still open to it and full coverage, would score above the worst of the kept
    ones. That is exact: the results are those of a search to the maximum length. What a sentence does after its stop
    changes nothing, so neighbours in the batch have no influence.

    Ties go to the lower slot, within a slot to the lower token id; among equal final scores to the lower slot.

    Arguments and results not named here are those of `greedy_decode`.

    Args:
        step: the model's step function; here `(B, K)` with K = `beam_width`.
        initial_state: nest of tensors, every leaf `(B, 1, ...)`; repeated to K slots, and gathered along axis 1 when
            hypotheses change slots.
        memory: nest of tensors with leading axis B; never copied per slot.
        start_id: int, the first input.
        end_id: int, the symbol that ends an output.
        maximum_length: int, or int32 `(B,)`, in output tokens including the end symbol.
        beam_width: int K. Cost and memory grow with it in proportion.
        n_best: int N, at most K: how many results per sentence.
        length_normalization: alpha, at least 0. 0 compares plain log-probabilities, which favours short outputs; Wu et
            al. found 0.6 to 0.7 best, 1 is close to a mean per token.
        coverage_penalty: beta, at least 0; Wu et al. use 0.2. Needs `source_mask` and a step that gives weights.
        early_stopping: stop a sentence as soon as `n_best` hypotheses are frozen, whatever the live ones may reach.
            Faster where alpha or beta is above 0, and no longer exact.
        batch_size: int or int32 scalar; see `greedy_decode`.
        forbidden_ids: further ids never generated.
        output_length: int, the width L of the results; see `greedy_decode`.
        source_mask: bool `(B, S)`, True = real token; needed for the coverage penalty and the alignment.
        return_alignment: whether to return the alignment weights, traced through the beam.
        halvings: how often the batch is halved as its sentences stop; see `greedy_decode`.
        live_rows: whether steps are made for the live hypotheses only, as soon as an eighth of all has stopped. It
            needs a `RowStep`, with another step function it changes nothing, and shapes that may change from step to
            step: it is not for JAX, nor for XLA.

    Returns:
        The dict that `greedy_decode` describes, the N results in descending order of score. Where fewer than N
        outputs exist, the rest has score and log-probability minus infinity, length 0 and padding only.

    Raises:
        ValueError: as `greedy_decode`; for `n_best` above `beam_width`; for negative alpha or beta; for beta above 0
            without `source_mask` or with a step that gives no weights; for `live_rows` with a `RowStep` on JAX.

    Example:
    ```python
    import numpy as np
    from keras import ops
    from keras_attention.decoding import beam_search

    # Token 4 is likelier at first, but what follows 5 is surer: 0.6 * 0.5 < 0.4 * 1.
    table = np.full((6, 6), 1e-9)
    table[2, [4, 5]] = 0.6, 0.4  # after the start
    table[4, [4, 3]] = 0.5, 0.5
    table[5, 3] = 1.0
    logits = ops.log(ops.convert_to_tensor(table, dtype="float32"))

    def step(token_ids, state, memory):
        return ops.take(logits, token_ids, axis=0), state, None

    result = beam_search(
        step, {}, None, batch_size=1, start_id=2, end_id=3, maximum_length=4, beam_width=2, n_best=2
    )
    print(result["token_ids"][0, 0])  # 5 3 0 0
    print(ops.exp(result["scores"][0]))  # 0.4 0.3
    ```
    """
    beam_width = check_positive_integer("beam_width", beam_width)
    n_best = check_positive_integer("n_best", n_best)
    if n_best > beam_width:
        raise ValueError(f"`n_best` must not exceed `beam_width`. Received: n_best={n_best}, beam_width={beam_width}")
    alpha = check_not_negative("length_normalization", length_normalization)
    beta = check_not_negative("coverage_penalty", coverage_penalty)
    never = check_token_ids(start_id, end_id, forbidden_ids)
    batch_size = check_batch_size(batch_size, initial_state, memory)
    limits, width = check_step_limits(batch_size, maximum_length, output_length)
    halvings = check_count("halvings", halvings)
    live_rows = live_rows and isinstance(step, RowStep)
    if live_rows and keras.backend.backend() == "jax":
        raise ValueError("`live_rows` needs shapes that change from step to step, which JAX has not. Received: True")
    limits = ops.expand_dims(limits, -1)
    greatest_norm = length_penalty(limits, alpha)
    if beta > 0:
        source_mask = check_source_mask(source_mask, "`coverage_penalty`")
    if return_alignment:
        source_mask = check_source_mask(source_mask, "`return_alignment`")
    beam = start_beam(
        initial_state,
        batch_size=batch_size,
        beam_width=beam_width,
        start_id=start_id,
        limits=limits,
        width=width,
        coverage_length=ops.shape(source_mask)[1] if beta > 0 else None,
        alignment_length=ops.shape(source_mask)[1] if return_alignment else None,
    )

    given = {"memory": memory, "limits": limits, "greatest_norm": greatest_norm}
    if beta > 0:
        given["source_mask"] = source_mask

    def advance(beam, given, first=False, live_rows=False):
        return advance_beam(
            beam,
            step,
            given["memory"],
            end_id=end_id,
            never=never,
            beam_width=beam_width,
            limits=given["limits"],
            greatest_norm=given["greatest_norm"],
            n_best=n_best,
            alpha=alpha,
            beta=beta,
            source_mask=given.get("source_mask"),
            early_stopping=early_stopping,
            first=first,
            live_rows=live_rows,
        )

    beam = advance(beam, given, first=True)
    if live_rows:

        def is_full(beam):
            live = ops.sum(ops.cast(is_live(beam), "float32"))
            return live > _FULL * ops.cast(batch_size * beam_width, "float32")

        (beam,) = ops.while_loop(is_full, lambda beam: (advance(beam, given),), (beam,))
    beam = shrinking_loop(
        lambda beam: ops.any(is_live(beam), axis=-1),
        functools.partial(advance, live_rows=live_rows),
        beam,
        given,
        axes=BATCH_AXES,
        dropped=("state", "coverage"),
        halvings=halvings,
    )
    return read_results(beam, n_best, end_id)

"""RNNsearch's decoding step with everything made beforehand that does not change from step to step."""

from keras import ops

from keras_attention.layers.masked_softmax import masked_softmax


def prepare_rnn_search(model, memory):
    """Return a step function like `model.decode_step`, and the memory that it wants.

    Made once, before the loop:

    - what the step would cut out of the weights or put together from them: `[W_a | U_z | U_r]` is one product. Cutting
      the candidate's block out of U alone copies a megabyte a step;
    - `C h_j` and `C_o h_j` instead of h_j: C sum_j alpha_j h_j = sum_j alpha_j C h_j, so a step needs no product with C
      and C_o. They are a quarter of the weights that a step has to read, which is what one sentence alone costs; for
      several hypotheses a sentence they are as large a share of the arithmetic. A source longer than h_j is wide
      would cost more, not less; sources are cut before that.

    The results are `decode_step`'s up to rounding, which a test holds.

    Args:
        model: An `RNNSearch`.
        memory: What `model.encode` returned.

    Returns:
        `(step, memory)`. The memory has the same keys; its `value` is `[C h_j | C_o h_j]`.
    """
    decoder, attention, n = model.decoder, model.decoder.attention, model.decoder_units
    dtype = decoder.compute_dtype

    def cast(weight):
        return ops.cast(weight, dtype)

    # Rows of the readout's kernel, in the order in which the model puts its inputs together.
    readout_kernel, readout_bias = (cast(w) for w in (model.maxout.projection.kernel, model.maxout.projection.bias))
    input_width = model.embedding_dim
    from_new_state = readout_kernel[:n]
    input_kernel = ops.concatenate([cast(decoder.kernel), readout_kernel[n : n + input_width]], axis=1)
    input_bias = ops.concatenate([cast(decoder.bias), readout_bias], axis=0)
    context_kernel = ops.concatenate([cast(decoder.context_kernel), readout_kernel[n + input_width :]], axis=1)
    query_kernel, recurrent_kernel = cast(attention.query_projection.kernel), cast(decoder.recurrent_kernel)
    gates_kernel, candidate_kernel = recurrent_kernel[:, : 2 * n], recurrent_kernel[:, 2 * n :]
    from_state = [query_kernel, recurrent_kernel if decoder.reset_after else gates_kernel]
    from_state = ops.concatenate(from_state, axis=1)
    score_vector = attention.effective_score_vector()
    recurrent_bias = cast(decoder.recurrent_bias) if decoder.reset_after else None
    a, vocabulary_size = query_kernel.shape[1], model.target_vocabulary_size
    memory = {**memory, "value": ops.matmul(memory["value"], context_kernel)}
    source_length = ops.shape(memory["keys"])[1]

    def rows(x):
        """Lay sentences and hypotheses on one axis: a product of two matrices, with no shapes to be worked out."""
        return ops.reshape(x, (-1, x.shape[-1]))

    def step(token_ids, state, memory):
        slots = state.shape[1]
        embedded = model.target_embedding(ops.reshape(token_ids, (-1,)))
        state = rows(state)
        products = ops.matmul(state, from_state)
        query = ops.reshape(products[:, :a], (-1, slots, 1, a))
        hidden = ops.cast(ops.tanh(query + ops.expand_dims(memory["keys"], 1)), attention.score_dtype)
        scores = ops.reshape(ops.matmul(rows(hidden), score_vector), (-1, slots, source_length))
        weights = masked_softmax(scores, ops.expand_dims(memory["mask"], 1))
        given = ops.matmul(embedded, input_kernel) + input_bias
        given = given + rows(ops.matmul(cast(weights), memory["value"]))
        gates = ops.sigmoid(given[:, : 2 * n] + products[:, a : a + 2 * n])
        update, reset = gates[:, :n], gates[:, n:]
        if decoder.reset_after:
            recurrent = reset * (products[:, a + 2 * n :] + recurrent_bias)
        else:
            recurrent = ops.matmul(reset * state, candidate_kernel)
        candidate = ops.tanh(given[:, 2 * n : 3 * n] + recurrent)
        state = state + update * (candidate - state)
        logits = model.word_logits(model.maxout.maxima(given[:, 3 * n :] + ops.matmul(state, from_new_state)))
        return ops.reshape(logits, (-1, slots, vocabulary_size)), ops.reshape(state, (-1, slots, n)), weights

    return step, memory

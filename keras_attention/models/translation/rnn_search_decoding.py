"""RNNsearch's decoding step with everything made beforehand that does not change from step to step."""

import functools

import keras
import numpy as np
from keras import ops

from keras_attention.decoding import RowStep
from keras_attention.decoding.slots import rows_of

LARGEST_TABLE = 2**26  # numbers in the table of words; 256 MB in float32
_LOWEST = -1e30  # added to a score of padding


def decoding_weights(model, fold_words=False, tabulate_words=False):
    """Return the weights in the form in which a decoding step reads them.

    What a step would cut out of the weights, put together from them or transpose is made here: `[W_a | U_z | U_r]` is
    one product, and cutting the candidate's block out of U alone copies a megabyte a step.

    Args:
        model: An `RNNSearch`.
        fold_words: Whether a maxout's way into tied embeddings, `W E^T`, is multiplied out where that is no larger
            than `E^T`. It spares a step a product, and costs more than one translation gains.
        tabulate_words: Whether what a target word gives to the gates and to the readout, `[W E y | V_o E y]`, is made
            for the whole vocabulary, so that a step looks it up: a fifth of its arithmetic. It pays where more words
            are written than the vocabulary has, and is not done for a table above `LARGEST_TABLE`.

    Returns:
        Dict of tensors in the decoder's compute dtype, for `prepare_rnn_search`.
    """
    decoder, n = model.decoder, model.decoder_units

    def cast(weight):
        return ops.cast(weight, decoder.compute_dtype)

    # Rows of the readout's kernel, in the order in which the model puts its inputs together.
    readout_kernel, readout_bias = (cast(w) for w in (model.maxout.projection.kernel, model.maxout.projection.bias))
    # The columns of one maxout unit stand apart, in as many blocks as it has: then blocks are compared, not neighbours.
    blocks = np.arange(readout_bias.shape[0]).reshape(model.maxout.units, model.maxout.pool_size).T.ravel()
    readout_kernel, readout_bias = ops.take(readout_kernel, blocks, axis=1), ops.take(readout_bias, blocks)
    input_end = n + model.embedding_dim
    recurrent_kernel = cast(decoder.recurrent_kernel)
    query_kernel = cast(decoder.attention.query_projection.kernel)
    from_state = recurrent_kernel if decoder.reset_after else recurrent_kernel[:, : 2 * n]
    weights = {
        "from_state": ops.concatenate([query_kernel, from_state], axis=1),
        "from_context": ops.concatenate([cast(decoder.context_kernel), readout_kernel[input_end:]], axis=1),
        "from_new_state": readout_kernel[:n],
        "score_vector": decoder.attention.effective_score_vector(),
    }
    embeddings = cast(model.target_embedding.embeddings)
    from_input = ops.concatenate([cast(decoder.kernel), readout_kernel[n:input_end]], axis=1)
    input_bias = ops.concatenate([cast(decoder.bias), readout_bias], axis=0)
    if tabulate_words and embeddings.shape[0] * input_bias.shape[0] <= LARGEST_TABLE:
        weights["words"] = ops.matmul(embeddings, from_input) + input_bias
    else:
        weights.update(embeddings=embeddings, from_input=from_input, input_bias=input_bias)
    if decoder.reset_after:
        weights["recurrent_bias"] = cast(decoder.recurrent_bias)
    else:
        weights["from_reset_state"] = recurrent_kernel[:, 2 * n :]
    word_kernel, word_bias = model.word_kernel()
    word_kernel = cast(word_kernel)
    if model.tie_embeddings:
        projection, bias = cast(model.word_projection.kernel), cast(model.word_projection.bias)
        if fold_words and model.maxout_units <= model.embedding_dim:
            word_kernel, word_bias = ops.matmul(projection, word_kernel), ops.matmul(bias, word_kernel)
        else:
            weights.update(projection=projection, projection_bias=bias)
    weights["word_kernel"] = word_kernel
    if word_bias is not None:
        weights["word_bias"] = cast(word_bias)
    return weights


def prepare_rnn_search(model, memory, weights=None):
    """Return a step function like `model.decode_step`, and the memory that it wants.

    Made once, before the loop: `decoding_weights`, and `C h_j` and `C_o h_j` instead of h_j. As C sum_j alpha_j h_j =
    sum_j alpha_j C h_j, a step needs no product with C and C_o. They are a quarter of the weights that a step has to
    read, which is what one sentence alone costs; for several hypotheses a sentence they are as large a share of the
    arithmetic. A source longer than h_j is wide would cost more, not less; sources are cut before that.

    The results are `decode_step`'s up to rounding, which a test holds.

    Args:
        model: An `RNNSearch`.
        memory: What `model.encode` returned.
        weights: What `decoding_weights(model)` returned, if it is at hand.

    Returns:
        `(step, memory)`, the step a `RowStep`. The memory's `value` is `[C h_j | C_o h_j]`, its `keys` have an axis for
        the hypotheses, and the mask is in it twice: `real`, 1 or 0, and `penalty`, which is added to the scores.
    """
    given = decoding_weights(model) if weights is None else weights
    given = {name: ops.convert_to_tensor(weight) for name, weight in given.items()}  # read once, before the loop
    n, a = model.decoder_units, given["score_vector"].shape[0]
    dtype, score_dtype = model.decoder.compute_dtype, model.decoder.attention.score_dtype
    source_length = ops.shape(memory["keys"])[1]
    real = ops.cast(ops.expand_dims(memory["mask"], 1), score_dtype)
    memory = {
        "value": ops.matmul(memory["value"], given["from_context"]),
        "keys": ops.expand_dims(memory["keys"], 1),
        "real": real,
        "penalty": (1.0 - real) * _LOWEST,
    }

    from_state_sizes = [a, 2 * n, n] if model.decoder.reset_after else [a, 2 * n]

    def rows(x):
        """Lay sentences and hypotheses on one axis: a product of two matrices, with no shapes to be worked out."""
        return ops.reshape(x, (-1, x.shape[-1]))

    def attend(query, memory):
        hidden = ops.cast(ops.tanh(query + memory["keys"]), score_dtype)
        scores = ops.reshape(ops.matmul(rows(hidden), given["score_vector"]), (-1, query.shape[1], source_length))
        # `masked_softmax` in a few large operations, since the scores are finite at padding too.
        return ops.exp(ops.log_softmax(scores + memory["penalty"], axis=-1)) * memory["real"]

    def from_words(token_ids):
        if "words" in given:
            return rows_of(given["words"], token_ids)
        return ops.matmul(rows_of(given["embeddings"], token_ids), given["from_input"]) + given["input_bias"]

    def word_logits(readout):
        readout = functools.reduce(ops.maximum, ops.split(readout, model.maxout.pool_size, axis=1))
        if "projection" in given:
            readout = ops.matmul(readout, given["projection"]) + given["projection_bias"]
        logits = ops.matmul(readout, given["word_kernel"])
        return ops.cast(logits + given["word_bias"] if "word_bias" in given else logits, "float32")

    def advance(token_ids, state, memory, slots, chosen, places):
        query, *recurrent = _cut(ops.matmul(state, given["from_state"]), from_state_sizes)
        # The sentences' keys and values stay where they are: only here the hypotheses left out have their places.
        query = query if places is None else rows_of(query, places)
        weights = attend(ops.reshape(query, (-1, slots, 1, a)), memory)
        context = rows(ops.matmul(ops.cast(weights, dtype), memory["value"]))
        inputs = from_words(token_ids) + (context if chosen is None else rows_of(context, chosen))
        gate_inputs, candidate_input, readout = _cut(inputs, [2 * n, n, inputs.shape[1] - 3 * n])
        update, reset = ops.split(ops.sigmoid(gate_inputs + recurrent[0]), 2, axis=1)
        if model.decoder.reset_after:
            recurrent = reset * (recurrent[1] + given["recurrent_bias"])
        else:
            recurrent = ops.matmul(reset * state, given["from_reset_state"])
        state = state + update * (ops.tanh(candidate_input + recurrent) - state)
        return word_logits(readout + ops.matmul(state, given["from_new_state"])), state, weights

    return RowStep(advance), memory


def _cut(x, sizes):
    """Cut columns into parts, as cheaply as the backend does it."""
    if keras.backend.backend() == "tensorflow":
        from keras_attention.models.translation.rnn_search_decoding_tensorflow import cut

        return cut(x, sizes)
    return ops.split(x, np.cumsum(sizes[:-1]).tolist(), axis=1)

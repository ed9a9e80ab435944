"""What the two fixed-vector models need around Keras' recurrent layers."""

from keras import ops

from keras_attention.models.translation.translation_model import PAD_ID


def reverse_real_tokens(token_ids):
    """Reverse every row's real tokens and leave the padding on the right: `[a, b, c, 0]` becomes `[c, b, a, 0]`.

    Args:
        token_ids: Integer `(batch, length)`, 0 = padding, to the right.

    Returns:
        Integer `(batch, length)`.
    """
    real = ops.not_equal(token_ids, PAD_ID)
    lengths = ops.sum(ops.cast(real, "int32"), axis=1, keepdims=True)
    positions = ops.cumsum(ops.ones_like(ops.cast(token_ids, "int32")), axis=1) - 1
    sources = ops.where(positions < lengths, lengths - 1 - positions, positions)
    return ops.take_along_axis(token_ids, sources, axis=1)


def step_cell(cell, inputs, states):
    """Advance a Keras recurrent cell for k hypotheses per sentence.

    A cell knows one batch axis only, so `(batch, k)` are folded into it and unfolded again.

    Args:
        cell: A Keras cell, such as `GRUCell` or `LSTMCell`.
        inputs: `(batch, k, width)`.
        states: List of `(batch, k, units)`.

    Returns:
        The list of new states, `(batch, k, units)` each; the first is the cell's output.
    """
    lead = ops.shape(inputs)[:2]
    folded = [ops.reshape(x, (-1, x.shape[-1])) for x in (inputs, *states)]
    _, new_states = cell(folded[0], folded[1:])
    return [ops.reshape(x, (*lead, x.shape[-1])) for x in new_states]

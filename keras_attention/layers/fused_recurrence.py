"""What the fused recurrent layers share: when the fused loop applies, and how its inputs are laid out."""

import keras
from keras import ops

from keras_attention.layers.masks import check_mask


def fused_loop_applies(layer):
    """Whether `layer`, a Keras GRU or LSTM, computes what the fused TensorFlow loops compute.

    On another backend, on a GPU (where cuDNN is faster; not with `use_cudnn=False`), with dropout inside the cell, with
    other activations, without a bias, when unrolled or stateful, Keras' own loop is taken.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    from keras_attention.layers.recurrent_tensorflow import gpu_is_visible

    return (
        (layer.use_cudnn is False or not gpu_is_visible())
        and not layer.unroll
        and not layer.stateful
        and not layer.cell.dropout
        and not layer.cell.recurrent_dropout
        and layer.cell.use_bias
        and layer.cell.activation is keras.activations.tanh
        and layer.cell.recurrent_activation is keras.activations.sigmoid
        and (layer.return_sequences or not layer.zero_output_for_mask)
    )


def time_first(layer, sequences, mask):
    """Lay out sequence and mask as the loops read them: time first, in the order in which it is read.

    Args:
        layer: The Keras layer, for `go_backwards` and the compute dtype.
        sequences: `(batch, length, width)`.
        mask: Boolean `(batch, length)`, True = real, or None.

    Returns:
        `(length, batch, width)` and `(length, batch, 1)` in the compute dtype, or None.
    """
    check_mask(mask, sequences)
    sequences = ops.transpose(ops.cast(sequences, layer.compute_dtype), (1, 0, 2))
    if mask is not None:
        mask = ops.cast(ops.expand_dims(ops.transpose(mask), -1), layer.compute_dtype)
    if layer.go_backwards:
        sequences = ops.flip(sequences, axis=0)
        mask = ops.flip(mask, axis=0) if mask is not None else None
    return sequences, mask


def packed_outputs(layer, states, step_mask, last_states):
    """Return what a Keras recurrent layer returns: the sequence or its end, with the last states if asked for."""
    output = (
        ops.transpose(masked_outputs(layer, states, step_mask), (1, 0, 2)) if layer.return_sequences else states[-1]
    )
    return (output, *last_states) if layer.return_state else output


def masked_outputs(layer, states, step_mask):
    """Return the states as outputs: zeros at masked steps where the layer has them, as a bidirectional one does."""
    return states * step_mask if layer.zero_output_for_mask and step_mask is not None else states

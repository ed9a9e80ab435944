"""Keras' Bidirectional with both directions in one loop on the CPU."""

import keras
from keras import ops

from keras_attention.layers.fused_gru import FusedGRU, gru_biases
from keras_attention.layers.fused_lstm import FusedLSTM
from keras_attention.layers.fused_recurrence import fused_loop_applies, masked_outputs, time_first


@keras.saving.register_keras_serializable(package="keras_attention")
class FusedBidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional`, with both directions of a `FusedGRU` or `FusedLSTM` in one loop.

    Arguments, weights, outputs and masking are those of `keras.layers.Bidirectional`: outputs at masked steps are
    zeros, and the backward direction begins at the last real token. The two directions do not depend on each other, so
    one loop makes a step of both at once, and their inputs' products are one before it. Where that does not compute the
    same (another backend, a GPU, initial or returned states, another `merge_mode`, layers of other kinds), Keras' own
    way is taken.

    Example:
    >>> import numpy as np
    >>> layer = FusedBidirectional(FusedGRU(4, return_sequences=True))
    >>> tuple(layer(np.ones((2, 3, 5), "float32")).shape)
    (2, 3, 8)

    Reference:
        Schuster and Paliwal 1997, "Bidirectional recurrent neural networks"; Bahdanau, Cho and Bengio 2015,
        section 3.2. https://arxiv.org/abs/1409.0473
    """

    def call(self, sequences, initial_state=None, mask=None, training=None):
        if initial_state is not None or not self._one_loop_applies():
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        from keras_attention.layers.recurrent_tensorflow import gru_states, lstm_states

        layer, cells = self.forward_layer, [self.forward_layer.cell, self.backward_layer.cell]

        def cast(weight):
            return ops.cast(weight, layer.compute_dtype)

        def both(weights):
            return ops.stack([cast(w) for w in weights])

        sequences, step_mask = time_first(layer, sequences, mask)
        if step_mask is not None:
            step_mask = ops.stack([step_mask, ops.flip(step_mask, axis=0)], axis=1)
        projected = ops.matmul(sequences, ops.concatenate([cast(c.kernel) for c in cells], axis=-1))
        forward, backward = ops.split(projected, 2, axis=-1)
        state = ops.zeros((2, ops.shape(sequences)[1], layer.units), dtype=layer.compute_dtype)
        kernel = both(c.recurrent_kernel for c in cells)
        if isinstance(layer, FusedGRU):
            biases, recurrent_biases = zip(*(gru_biases(c, cast) for c in cells))
            projected = ops.stack([forward + biases[0], ops.flip(backward + biases[1], axis=0)], axis=1)
            states = gru_states(
                projected, state, kernel, ops.stack(recurrent_biases), layer.cell.reset_after, step_mask
            )
        else:
            forward, backward = forward + cast(cells[0].bias), backward + cast(cells[1].bias)
            projected = ops.stack([forward, ops.flip(backward, axis=0)], axis=1)
            states, _ = lstm_states(projected, state, state, kernel, step_mask)
        states = masked_outputs(layer, states, step_mask)  # (length, 2, batch, units)
        forward, backward = ops.unstack(states, axis=1)
        outputs = ops.concatenate([forward, ops.flip(backward, axis=0)], axis=-1)
        return ops.cast(ops.transpose(outputs, (1, 0, 2)), self.compute_dtype)

    def _one_loop_applies(self):
        layers = (self.forward_layer, self.backward_layer)
        kinds = [
            (type(x), x.units, getattr(x.cell, "reset_after", None), x.zero_output_for_mask, x.compute_dtype)
            for x in layers
            if isinstance(x, (FusedGRU, FusedLSTM))
        ]
        return (
            len(kinds) == 2
            and kinds[0] == kinds[1]
            and all(fused_loop_applies(x) for x in layers)
            and self.merge_mode == "concat"
            and self.return_sequences
            and not self.return_state
            and not self.forward_layer.go_backwards
        )

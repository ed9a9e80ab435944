"""Keras' LSTM with a faster loop on the CPU."""

import keras
from keras import ops

from keras_attention.layers.fused_recurrence import fused_loop_applies, packed_outputs, time_first


@keras.saving.register_keras_serializable(package="keras_attention")
class FusedLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, with the loop of `recurrent_tensorflow` where that computes the same.

    Arguments, weights, outputs and masking are those of `keras.layers.LSTM`: weights can be exchanged between the two.
    The fused loop is taken as in `FusedGRU`.

    Example:
    >>> import numpy as np
    >>> tuple(FusedLSTM(4, return_sequences=True)(np.ones((2, 3, 5), "float32")).shape)
    (2, 3, 4)

    Reference:
        Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers et al. 2000.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if not fused_loop_applies(self):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        from keras_attention.layers.recurrent_tensorflow import lstm_states

        cell = self.cell

        def cast(weight):
            return ops.cast(weight, self.compute_dtype)

        sequences, step_mask = time_first(self, sequences, mask)
        if initial_state is None:
            zeros = ops.zeros((ops.shape(sequences)[1], self.units), dtype=self.compute_dtype)
            initial_state = [zeros, zeros]
        hidden, last_cell = lstm_states(
            ops.matmul(sequences, cast(cell.kernel)) + cast(cell.bias),
            cast(initial_state[0]),
            cast(initial_state[1]),
            cast(cell.recurrent_kernel),
            step_mask,
        )
        return packed_outputs(self, hidden, step_mask, [hidden[-1], last_cell])

"""Keras' GRU with a faster loop on the CPU."""

import keras
from keras import ops

from keras_attention.layers.fused_recurrence import fused_loop_applies, packed_outputs, time_first


@keras.saving.register_keras_serializable(package="keras_attention")
class FusedGRU(keras.layers.GRU):
    """`keras.layers.GRU`, with the loop of `recurrent_tensorflow` where that computes the same.

    Arguments, weights, outputs and masking are those of `keras.layers.GRU`: weights can be exchanged between the two.
    The fused loop is taken on TensorFlow without a GPU, when the layer is of the plain kind (tanh, sigmoid, a bias, no
    dropout inside the cell, not stateful, not unrolled). A leading masked step gives the initial state.

    Example:
    >>> import numpy as np
    >>> tuple(FusedGRU(4, return_sequences=True)(np.ones((2, 3, 5), "float32")).shape)
    (2, 3, 4)

    Reference:
        Cho et al. 2014, section 2.3. https://arxiv.org/abs/1406.1078
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if not fused_loop_applies(self):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        from keras_attention.layers.recurrent_tensorflow import gru_states

        cell = self.cell

        def cast(weight):
            return ops.cast(weight, self.compute_dtype)

        sequences, step_mask = time_first(self, sequences, mask)
        if initial_state is None:
            initial_state = ops.zeros((ops.shape(sequences)[1], self.units), dtype=self.compute_dtype)
        elif isinstance(initial_state, (list, tuple)):
            initial_state = initial_state[0]
        input_bias, recurrent_bias = gru_biases(cell, cast)
        states = gru_states(
            ops.matmul(sequences, cast(cell.kernel)) + input_bias,
            cast(initial_state),
            cast(cell.recurrent_kernel),
            recurrent_bias,
            cell.reset_after,
            step_mask,
        )
        return packed_outputs(self, states, step_mask, [states[-1]])


def gru_biases(cell, cast):
    """Return the bias beside the input's product, `(3 units,)`, and the one beside the state's, `(1, 3 units)`."""
    bias = cast(cell.bias)
    return (bias[0], bias[1:]) if cell.reset_after else (bias, ops.zeros_like(bias)[None])

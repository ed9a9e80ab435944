"""What every attention layer with `precompute` and `step` shares: everything but the score."""

import keras
from keras import ops

from keras_attention.layers.masked_softmax import masked_softmax


class StepAttention(keras.layers.Layer):
    """Base of `BahdanauAttention` and `LuongAttention`: from scores to weights and context.

    A subclass sets `dropout` and `seed_generator`, makes the memory dict (`value`, `keys`, `mask`) in `precompute`, and
    scores a query against it in `step`.
    """

    @property
    def score_dtype(self):
        """The dtype of scores and weights: float32, or float64 for a float64 layer."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def compute_output_shape(self, input_shape):
        """Return the context's shape."""
        query_shape, value_shape = input_shape
        return (*query_shape[:-1], value_shape[-1])

    def _attend(self, scores, memory, training):
        """Return context and weights for scores `(batch, query_length, value_length)`."""
        weights = masked_softmax(scores, ops.expand_dims(memory["mask"], 1))
        if self.dropout and training:
            weights = keras.random.dropout(weights, self.dropout, seed=self.seed_generator)
        return ops.matmul(ops.cast(weights, self.compute_dtype), memory["value"]), weights

    def _require_built(self, method):
        if not self.built:
            raise ValueError(
                f"`{type(self).__name__}.{method}` needs a built layer: call the layer once, or call "
                f"`layer.build([query_shape, value_shape])`. Received: built={self.built} for layer {self.name!r}"
            )

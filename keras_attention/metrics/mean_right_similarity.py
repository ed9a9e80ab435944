"""Mean similarity of right answers."""

import keras
from keras import ops

from keras_attention.mining import triplets


@keras.saving.register_keras_serializable(package="keras_attention")
class MeanRightSimilarity(keras.metrics.Mean):
    """Mean similarity of the right answers: over a question's, then over the questions that have one.

    Beside `MeanHardestWrongSimilarity` it shows how far apart training holds the two.

    Args:
        name: Name of the metric.
        dtype: Kept for Keras; similarities are taken in float32.

    Call arguments of `update_state`:
        y_true: `(batch, candidates)`, 1 relevant, 0 not, -1 padding.
        y_pred: `(batch, candidates)`, similarities.
        sample_weight: Optional `(batch,)`.

    Example:
    >>> from keras_attention.metrics.mean_right_similarity import MeanRightSimilarity
    >>> metric = MeanRightSimilarity()
    >>> metric.update_state([[1, 1, 0], [0, 0, -1]], [[0.5, 0.25, 1.0], [0.5, 0.5, 0.5]])
    >>> print(float(metric.result()))
    0.375
    """

    def __init__(self, name="right_similarity", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of lists."""
        labels, similarities = triplets.as_lists(y_true, y_pred)
        values, exists = triplets.mean_where(similarities, labels == 1, axis=-1)
        weights = ops.cast(exists, "float32")
        if sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        super().update_state(values, weights)

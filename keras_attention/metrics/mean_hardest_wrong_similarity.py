"""Mean similarity of each question's best-scoring wrong answer."""

import keras
from keras import ops

from keras_attention.mining import triplets


@keras.saving.register_keras_serializable(package="keras_attention")
class MeanHardestWrongSimilarity(keras.metrics.Mean):
    """Mean, over the questions that have a wrong answer, of the similarity of the best-scoring wrong one.

    It depends on how many wrong answers a list has: compare it only between lists of one length.

    Args:
        name: Name of the metric.
        dtype: Kept for Keras; similarities are taken in float32.

    Call arguments of `update_state`:
        y_true: `(batch, candidates)`, 1 relevant, 0 not, -1 padding.
        y_pred: `(batch, candidates)`, similarities.
        sample_weight: Optional `(batch,)`.

    Example:
    >>> from keras_attention.metrics.mean_hardest_wrong_similarity import MeanHardestWrongSimilarity
    >>> metric = MeanHardestWrongSimilarity()
    >>> metric.update_state([[1, 0, 0, -1]], [[0.5, 0.25, -1.0, 0.75]])
    >>> print(float(metric.result()))
    0.25
    """

    def __init__(self, name="hardest_wrong_similarity", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of lists."""
        labels, similarities = triplets.as_lists(y_true, y_pred)
        values, exists = triplets.hardest_wrong(similarities, labels)
        weights = ops.cast(exists, "float32")
        if sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        super().update_state(values, weights)

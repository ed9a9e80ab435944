"""MAP as a Keras metric."""

import keras
from keras import ops

from keras_attention.metrics import tied_ranking
from keras_attention.metrics.ranking_metric import RankingMetric


@keras.saving.register_keras_serializable(package="keras_attention")
class MeanAveragePrecision(RankingMetric):
    """Mean over questions of the average precision at the ranks of the right candidates, from 0 to 1.

    Args:
        name: name of the metric.
        dtype: Keras' own; the metric computes in float32 whatever it is.

    Call arguments:
        y_true: ``(batch, candidates)``: above 0 right, 0 wrong, -1 padding.
        y_pred: ``(batch, candidates)`` scores, higher is better.
        sample_weight: ``(batch,)``, a weight per question.

    Ties get the expected value over all orders of the tied candidates. Questions without a right candidate are left
    out of the mean.

    Example:
    >>> from keras_attention.metrics.mean_average_precision import MeanAveragePrecision
    >>> metric = MeanAveragePrecision()
    >>> metric.update_state([[0, 0, 1], [1, 0, -1]], [[0.9, 0.1, 0.4], [0.5, 0.5, 0.0]])
    >>> round(float(metric.result()), 4)
    0.625

    Reference: Manning, Raghavan and Schutze 2008, section 8.4.
    """

    def __init__(self, name="map", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def question_values(self, groups):
        """Return ``(batch,)`` values."""
        return tied_ranking.expected_average_precision(ops, groups)

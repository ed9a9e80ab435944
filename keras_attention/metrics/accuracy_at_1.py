"""Accuracy at 1 as a Keras metric."""

import keras
from keras import ops

from keras_attention.metrics import tied_ranking
from keras_attention.metrics.ranking_metric import RankingMetric


@keras.saving.register_keras_serializable(package="keras_attention")
class AccuracyAt1(RankingMetric):
    """Share of questions whose best-scored candidate is right, from 0 to 1.

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
    >>> from keras_attention.metrics.accuracy_at_1 import AccuracyAt1
    >>> metric = AccuracyAt1()
    >>> metric.update_state([[0, 0, 1], [1, 0, -1]], [[0.9, 0.1, 0.4], [0.5, 0.5, 0.0]])
    >>> round(float(metric.result()), 4)
    0.25

    Reference: dos Santos et al. 2016, section 5.1 (their accuracy on InsuranceQA).
    """

    def __init__(self, name="accuracy_at_1", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def question_values(self, groups):
        """Return ``(batch,)`` values."""
        return tied_ranking.expected_accuracy_at_1(ops, groups)

"""MRR as a Keras metric."""

import keras
from keras import ops

from keras_attention.metrics import tied_ranking
from keras_attention.metrics.ranking_metric import RankingMetric


@keras.saving.register_keras_serializable(package="keras_attention")
class MeanReciprocalRank(RankingMetric):
    """Mean over questions of one over the rank of the first right candidate, from 0 to 1.

    Args:
        k: ranks after ``k`` count as 0. ``None`` (default): no cutoff.
        name: name of the metric.
        dtype: Keras' own; the metric computes in float32 whatever it is.

    Call arguments:
        y_true: ``(batch, candidates)``: above 0 right, 0 wrong, -1 padding.
        y_pred: ``(batch, candidates)`` scores, higher is better.
        sample_weight: ``(batch,)``, a weight per question.

    Ties get the expected value over all orders of the tied candidates. Questions without a right candidate are left
    out of the mean.

    Example:
    >>> from keras_attention.metrics.mean_reciprocal_rank import MeanReciprocalRank
    >>> metric = MeanReciprocalRank()
    >>> metric.update_state([[0, 0, 1], [1, 0, -1]], [[0.9, 0.1, 0.4], [0.5, 0.5, 0.0]])
    >>> round(float(metric.result()), 4)
    0.625

    Reference: Voorhees 1999, The TREC-8 question answering track report.
    """

    def __init__(self, k=None, name=None, dtype=None):
        self.k = tied_ranking.check_cutoff(k)
        super().__init__(name=name or ("mrr" if k is None else f"mrr_at_{k}"), dtype=dtype)

    def question_values(self, groups):
        """Return ``(batch,)`` values."""
        return tied_ranking.expected_reciprocal_rank(ops, groups, self.k)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "k": self.k}

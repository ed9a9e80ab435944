"""NDCG as a Keras metric."""

import keras
from keras import ops

from keras_attention.metrics import tied_ranking
from keras_attention.metrics.ranking_metric import RankingMetric


@keras.saving.register_keras_serializable(package="keras_attention")
class NDCG(RankingMetric):
    """Mean over questions of the normalised discounted cumulative gain, from 0 to 1.

    ``DCG = sum_k gain(k) / log2(k + 1)`` over the first ``k`` ranks, divided by the best that any order could give.

    Args:
        k: only the first ``k`` ranks count. Default 10; ``None``: all.
        name: name of the metric.
        dtype: Keras' own; the metric computes in float32 whatever it is.

    Call arguments:
        y_true: ``(batch, candidates)``: the gain (1 for plainly right), 0 wrong, -1 padding.
        y_pred: ``(batch, candidates)`` scores, higher is better.
        sample_weight: ``(batch,)``, a weight per question.

    Ties get the expected value over all orders of the tied candidates. Questions without a right candidate are left
    out of the mean.

    Example:
    >>> from keras_attention.metrics.ndcg import NDCG
    >>> metric = NDCG()
    >>> metric.update_state([[0, 0, 1], [1, 0, -1]], [[0.9, 0.1, 0.4], [0.5, 0.5, 0.0]])
    >>> round(float(metric.result()), 4)
    0.7232

    Reference: Jarvelin and Kekalainen 2002; with ties McSherry and Najork 2008.
    """

    def __init__(self, k=10, name=None, dtype=None):
        self.k = tied_ranking.check_cutoff(k)
        super().__init__(name=name or ("ndcg" if k is None else f"ndcg_at_{k}"), dtype=dtype)

    def question_values(self, groups):
        """Return ``(batch,)`` values."""
        return tied_ranking.expected_ndcg(ops, groups, self.k)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "k": self.k}

"""The base of the ranking metrics."""

import keras
from keras import ops

from keras_attention.metrics import tied_ranking


class RankingMetric(keras.metrics.Metric):
    """Mean over questions of a figure of the ranked candidates, with the tie rule of ``metrics/ranking.py``.

    A subclass gives the figure in ``question_values(groups)``. Everything is computed in float32. Ties get their
    expected value over all orders of the tied candidates, so a constant scorer gets what chance gives. A score that is
    NaN counts as the lowest. Questions without a right candidate have no value and are left out of the mean.

    Call arguments:
        y_true: ``(batch, candidates)``: above 0 right, 0 wrong, -1 padding.
        y_pred: ``(batch, candidates)`` scores, higher is better.
        sample_weight: ``(batch,)`` or ``(batch, 1)``, a weight per question. Default 1.
    """

    def __init__(self, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight(shape=(), initializer="zeros", name="total", dtype="float32")
        self.count = self.add_weight(shape=(), initializer="zeros", name="count", dtype="float32")

    def question_values(self, groups):
        """Return ``(batch,)`` values from the groups of ties that ``rank_with_ties`` gives."""
        raise NotImplementedError("a ranking metric defines question_values(groups)")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of questions."""
        labels = ops.cast(y_true, "float32")
        scores = ops.cast(y_pred, "float32")
        same = all(a == b for a, b in zip(labels.shape, scores.shape) if a is not None and b is not None)
        if len(labels.shape) != 2 or len(scores.shape) != 2 or not same:
            raise ValueError(
                "y_true and y_pred must both be (batch, candidates). "
                f"Received: y_true.shape={tuple(labels.shape)}, y_pred.shape={tuple(scores.shape)}"
            )
        scores = ops.where(ops.isnan(scores), -float("inf"), scores)
        groups = tied_ranking.rank_with_ties(ops, scores, labels)
        weights = ops.cast(tied_ranking.has_right_answer(ops, groups), "float32")
        if sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        self.total.assign_add(ops.sum(weights * self.question_values(groups)))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        """Return the mean so far; 0 before any question with a right candidate."""
        return ops.divide_no_nan(self.total, self.count)

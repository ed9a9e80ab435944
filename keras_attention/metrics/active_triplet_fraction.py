"""Fraction of triplets that still violate the margin."""

import keras
from keras import ops

from keras_attention.mining import triplets


@keras.saving.register_keras_serializable(package="keras_attention")
class ActiveTripletFraction(keras.metrics.Metric):
    """Fraction of (right, wrong) pairs with `s(q, a+) < s(q, a-) + margin`, 0 to 1; pairs of all questions alike.

    Near 0 the triplet loss has nothing left to learn from: take harder negatives or a larger margin. Near 1 for long,
    or a loss that stays at the margin, means that all vectors have collapsed into one.

    Args:
        margin: Positive float, the margin of the loss.
        mining: `"hardest"`, `"all"` or `"semi_hard"`: which pairs are looked at, as in the loss.
        name: Name of the metric.
        dtype: Kept for Keras; sums are float32.

    Call arguments of `update_state`:
        y_true: `(batch, candidates)`, 1 relevant, 0 not, -1 padding.
        y_pred: `(batch, candidates)`, similarities.
        sample_weight: Optional `(batch,)`.

    Example:
    >>> from keras_attention.metrics.active_triplet_fraction import ActiveTripletFraction
    >>> metric = ActiveTripletFraction(margin=0.5, mining="all")
    >>> metric.update_state([[1, 0, 0]], [[0.8, 0.1, 0.6]])
    >>> print(float(metric.result()))
    0.5
    """

    def __init__(self, margin=0.2, mining="hardest", name="active_triplets", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if mining not in triplets.MINING:
            raise ValueError(f"`mining` must be one of {triplets.MINING}. Received: mining={mining!r}")
        self.margin = float(margin)
        self.mining = mining
        self.active = self.add_weight(name="active", shape=(), initializer="zeros", dtype="float32")
        self.count = self.add_weight(name="count", shape=(), initializer="zeros", dtype="float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count the pairs of a batch."""
        labels, similarities = triplets.as_lists(y_true, y_pred)
        violation, is_triplet = triplets.violations(similarities, labels, self.margin)
        chosen = triplets.choose(similarities, is_triplet, self.margin, self.mining)
        weights = ops.cast(chosen, "float32")
        if sample_weight is not None:
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1, 1))
        self.active.assign_add(ops.sum(ops.where(violation > 0, weights, 0.0)))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        """Return the fraction; 0 if there was no pair."""
        return ops.divide_no_nan(self.active, self.count)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "margin": self.margin, "mining": self.mining}

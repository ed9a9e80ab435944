"""Triplet margin loss on lists of similarities, and as a function on embeddings."""

import keras
from keras import ops

from keras_attention.mining import triplets

_REDUCTIONS = ("sum_over_batch_size", "sum", "none", None)


@keras.saving.register_keras_serializable(package="keras_attention")
class TripletMarginLoss(keras.losses.Loss):
    """Hinge on right and wrong answers of one list: a right one shall score `margin` above a wrong one.

    `loss(q, a+, a-) = max(0, margin - s(q, a+) + s(q, a-))`, in three steps:

    1. violation: the hinge of every pair of a right and a wrong answer of a question;
    2. choice: which wrong answers count for a right one (`mining`);
    3. reduction: the mean over a question's chosen pairs, then the mean over the questions that have a pair.

    A list without right or without wrong answers adds nothing, neither to the sum nor to the count. Float32
    throughout, whatever the dtype policy. Random sampling of wrong answers is the data pipeline's work.

    Args:
        margin: Positive float in units of similarity. The paper has 0.5 (AP-CNN), 0.2 (AP-biLSTM), 0.1 (QA-biLSTM)
            and 0.009 (QA-CNN) for cosines.
        mining: `"hardest"` (per right answer the best-scoring wrong one, as in the paper), `"all"`, or
            `"semi_hard"` (wrong answers below the right one but inside the margin; if there are none, the hardest).
        average: `"pairs"`, the mean over chosen pairs as above; or `"active_pairs"`, where only pairs with a
            violation above 0 count, per question and among questions, so the loss does not fade as fewer are left.
        reduction: `"sum_over_batch_size"` (the mean over questions that have a pair), `"sum"`, or `"none"` for the
            values `(batch,)`, 0 for lists without a pair.
        name: Name of the loss.
        dtype: Kept for Keras; the loss is always computed in float32.

    Call arguments:
        y_true: `(batch, candidates)`, 1 relevant, 0 not relevant, -1 padding.
        y_pred: `(batch, candidates)`, similarities; what stands at padding has no influence.
        sample_weight: Optional `(batch,)` or `(batch, 1)`. The mean is then the weighted sum over the number of
            questions that have a pair, as Keras' losses do it.

    Returns:
        Float32 scalar, or `(batch,)` with `reduction="none"`.

    Raises:
        ValueError: for an unknown option, a margin that is not positive, or shapes that do not fit.

    Example:
    >>> from keras_attention.losses import TripletMarginLoss
    >>> loss = TripletMarginLoss(margin=0.5)
    >>> print(round(float(loss([[1, 0, 0, -1]], [[0.8, 0.1, 0.6, 1.0]])), 4))
    0.3

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 3.3, equation 11; hardest of the sampled
    wrong answers: section 5.2. Semi-hard: Schroff, Kalenichenko, Philbin 2015, "FaceNet", section 3.2.
    """

    def __init__(
        self,
        margin=0.2,
        mining="hardest",
        average="pairs",
        reduction="sum_over_batch_size",
        name="triplet_margin_loss",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not margin > 0:
            raise ValueError(f"`margin` must be positive. Received: margin={margin}")
        if mining not in triplets.MINING:
            raise ValueError(f"`mining` must be one of {triplets.MINING}. Received: mining={mining!r}")
        if average not in ("pairs", "active_pairs"):
            raise ValueError(f"`average` must be 'pairs' or 'active_pairs'. Received: average={average!r}")
        if reduction not in _REDUCTIONS:
            raise ValueError(f"`reduction` must be one of {_REDUCTIONS}. Received: reduction={reduction!r}")
        self.margin = float(margin)
        self.mining = mining
        self.average = average

    def question_values(self, y_true, y_pred):
        """Return each question's mean violation and whether it has a pair, float32 and boolean `(batch,)`."""
        labels, similarities = triplets.as_lists(y_true, y_pred)
        violation, is_triplet = triplets.violations(similarities, labels, self.margin)
        chosen = triplets.choose(similarities, is_triplet, self.margin, self.mining)
        if self.average == "active_pairs":
            chosen = ops.logical_and(chosen, violation > 0)
        return triplets.mean_where(violation, chosen, axis=(1, 2))

    def call(self, y_true, y_pred):
        """Return the values `(batch,)` before the reduction."""
        return self.question_values(y_true, y_pred)[0]

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the reduced loss; see the class."""
        with keras.name_scope(self.name):
            return triplets.reduce_questions(*self.question_values(y_true, y_pred), sample_weight, self.reduction)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "margin": self.margin,
            "mining": self.mining,
            "average": self.average,
            "reduction": self.reduction,
            "name": self.name,
        }


def triplet_margin_loss(anchor, positive, negative, margin=1.0, distance="euclidean", swap=False, smooth=False):
    """Triplet margin loss of embeddings, one value per triplet.

    `max(0, d(anchor, positive) - d(anchor, negative) + margin)`, in float32.

    Args:
        anchor: `(..., width)`, a question's vector.
        positive: `(..., width)`, a right answer's vector.
        negative: `(..., width)`, a wrong answer's vector.
        margin: Number, in units of the distance.
        distance: `"euclidean"`, or `"cosine"`: one minus the cosine, 1 where a vector is zero.
        swap: Boolean, whether to put `d(positive, negative)` in the place of `d(anchor, negative)` where it is the
            smaller of the two (Balntas et al. 2016).
        smooth: Boolean, whether to take `log(1 + e^x)` in the place of `max(0, x)`.

    Returns:
        Float32 tensor `(...)`. Gradients are finite for equal and for zero vectors too.

    Raises:
        ValueError: if `distance` is unknown.

    Example:
    >>> import numpy as np
    >>> from keras_attention.losses import triplet_margin_loss
    >>> a, p, n = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 4.5]])
    >>> print(np.array(triplet_margin_loss(a, p, n, margin=1.0)))
    [1.5]

    Reference: Schroff, Kalenichenko, Philbin 2015, "FaceNet", equation 2; Balntas et al. 2016, "Learning local
    feature descriptors with triplets and shallow convolutional neural networks", section 3.
    """
    if distance not in ("euclidean", "cosine"):
        raise ValueError(f"`distance` must be 'euclidean' or 'cosine'. Received: distance={distance!r}")
    measure = _euclidean_distance if distance == "euclidean" else _cosine_distance
    anchor, positive, negative = (ops.cast(x, "float32") for x in (anchor, positive, negative))
    to_negative = measure(anchor, negative)
    if swap:
        to_negative = ops.minimum(to_negative, measure(positive, negative))
    violation = measure(anchor, positive) - to_negative + margin
    return ops.softplus(violation) if smooth else ops.relu(violation)


def _safe_sqrt(squares):
    # The square root has an infinite gradient at zero: equal vectors get none instead of NaN.
    positive = squares > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, squares, 1.0)), 0.0)


def _euclidean_distance(x, y):
    return _safe_sqrt(ops.sum(ops.square(x - y), axis=-1))


def _cosine_distance(x, y):
    lengths = _safe_sqrt(ops.sum(x * x, axis=-1)) * _safe_sqrt(ops.sum(y * y, axis=-1))
    nonzero = lengths > 0
    return 1.0 - ops.where(nonzero, ops.sum(x * y, axis=-1) / ops.where(nonzero, lengths, 1.0), 0.0)

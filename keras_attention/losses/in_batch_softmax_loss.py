"""Softmax loss of right answers against the wrong ones of the list or batch."""

import keras
from keras import ops

from keras_attention.mining import triplets

# The similarity of an answer that is not there, far below any cosine over any sensible temperature.
_ABSENT = -1e9


@keras.saving.register_keras_serializable(package="keras_attention")
class InBatchSoftmaxLoss(keras.losses.Loss):
    """Cross-entropy of each right answer against the wrong answers of its list, on similarities over a temperature.

    `loss(q, a+) = -log( e^{s(q, a+) / T} / (e^{s(q, a+) / T} + sum over wrong a of e^{s(q, a) / T}) )`, averaged over
    a question's right answers, then over the questions that have a right and a wrong answer. In a batch every other
    question's answer is a wrong one, so a list is a row of the `(batch, batch)` similarities. All wrong answers take
    part, each by how well it scores, so it learns faster than a hinge on one or a few of them. Right answers of one
    question do not compete with each other.

    Float32 throughout, whatever the dtype policy. A list without right or without wrong answers adds nothing.

    Args:
        temperature: Positive float T, in units of similarity. 0.05 multiplies cosines by 20. A cosine has to be
            multiplied: a softmax of numbers between -1 and 1 over a hundred answers can never come near to 1.
        symmetric: Boolean, whether to average with the same loss on the transposed similarities: each answer against
            the questions of the batch. Wants `(questions, answers)` of one batch.
        reduction: `"sum_over_batch_size"` (the mean over questions that have a pair), `"sum"`, or `"none"` for the
            values `(batch,)`.
        name: Name of the loss.
        dtype: Kept for Keras; the loss is always computed in float32.

    Call arguments:
        y_true: `(batch, candidates)`, 1 relevant, 0 not relevant, -1 padding or not to be counted, such as another
            question's answer that is right here too.
        y_pred: `(batch, candidates)`, similarities.
        sample_weight: Optional `(batch,)` or `(batch, 1)`. Not possible with `symmetric`.

    Returns:
        Float32 scalar in nats, or `(batch,)` with `reduction="none"`.

    Raises:
        ValueError: if `temperature` is not positive, for an unknown reduction, shapes that do not fit, or
            `symmetric` together with `reduction="none"` or weights.

    Example:
    >>> import numpy as np
    >>> from keras_attention.losses import InBatchSoftmaxLoss
    >>> loss = InBatchSoftmaxLoss(temperature=1.0)
    >>> print(round(float(loss(np.eye(2), np.zeros((2, 2)))), 4))
    0.6931

    Reference: Henderson et al. 2017, "Efficient natural language response suggestion for Smart Reply", section 4.4
    (in-batch softmax); van den Oord, Li, Vinyals 2018, "Representation learning with contrastive predictive coding",
    equation 4.
    """

    def __init__(
        self,
        temperature=0.05,
        symmetric=False,
        reduction="sum_over_batch_size",
        name="in_batch_softmax_loss",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be positive. Received: temperature={temperature}")
        if reduction not in ("sum_over_batch_size", "sum", "none", None):
            raise ValueError(
                f"`reduction` is 'sum_over_batch_size', 'sum' or 'none'. Received: reduction={reduction!r}"
            )
        if symmetric and reduction in ("none", None):
            raise ValueError(
                f"`symmetric` has no value per question. Received: symmetric=True, reduction={reduction!r}"
            )
        self.temperature = float(temperature)
        self.symmetric = bool(symmetric)

    def question_values(self, labels, similarities):
        """Return each question's loss and whether it has a right and a wrong answer, `(batch,)` both."""
        right, wrong = labels == 1, labels == 0
        logits = similarities / self.temperature
        wrong_mass = ops.logsumexp(ops.where(wrong, logits, _ABSENT), axis=-1, keepdims=True)
        # -log(e^r / (e^r + e^w)) = softplus(w - r); the inner `where` keeps the other candidates out of the gradient.
        losses = ops.softplus(ops.where(right, wrong_mass - logits, 0.0))
        has_pair = ops.logical_and(right, ops.any(wrong, axis=-1, keepdims=True))
        return triplets.mean_where(losses, has_pair, axis=-1)

    def call(self, y_true, y_pred):
        """Return the values `(batch,)` before the reduction, questions against answers."""
        return self.question_values(*triplets.as_lists(y_true, y_pred))[0]

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the reduced loss; see the class."""
        with keras.name_scope(self.name):
            labels, similarities = triplets.as_lists(y_true, y_pred)
            loss = triplets.reduce_questions(*self.question_values(labels, similarities), sample_weight, self.reduction)
            if not self.symmetric:
                return loss
            if sample_weight is not None:
                raise ValueError("`symmetric=True` takes no sample_weight. Received: a sample_weight")
            columns = self.question_values(ops.transpose(labels), ops.transpose(similarities))
            return 0.5 * (loss + triplets.reduce_questions(*columns, None, self.reduction))

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "temperature": self.temperature,
            "symmetric": self.symmetric,
            "reduction": self.reduction,
            "name": self.name,
        }

"""Pairs of a right and a wrong answer in a list, as losses and monitoring metrics both see them.

A list is one question's candidates: `similarities` `(batch, candidates)` and `labels` of the same shape, 1 relevant, 0
not, -1 padding. Everything here is float32.
"""

from keras import ops

# Stands for the similarity of an answer that is not there.
_NONE = -1e9

MINING = ("all", "hardest", "semi_hard")


def as_lists(y_true, y_pred):
    """Return labels (int32) and similarities (float32) after a check of their shapes.

    Args:
        y_true: `(batch, candidates)`, 1 relevant, 0 not, -1 padding.
        y_pred: `(batch, candidates)`.

    Returns:
        `(labels, similarities)`.

    Raises:
        ValueError: if the two are not of rank 2, or known sizes differ.
    """
    # Keras casts y_true to floating point on its way through `fit`, so labels are compared after rounding.
    labels = ops.cast(ops.round(ops.cast(y_true, "float32")), "int32")
    similarities = ops.cast(y_pred, "float32")
    known = [a == b for a, b in zip(labels.shape, similarities.shape) if a is not None and b is not None]
    if len(labels.shape) != 2 or len(similarities.shape) != 2 or not all(known):
        raise ValueError(
            "Labels and similarities must both have the shape (batch, candidates). "
            f"Received: y_true of shape {tuple(labels.shape)}, y_pred of shape {tuple(similarities.shape)}"
        )
    return labels, similarities


def violations(similarities, labels, margin):
    """Return `max(0, margin - s_right + s_wrong)` for every pair of candidates, and which pairs are triplets.

    Args:
        similarities: Float32 `(batch, candidates)`.
        labels: Int `(batch, candidates)`.
        margin: Number, in units of similarity.

    Returns:
        `(violation, is_triplet)`, float32 and boolean `(batch, candidates, candidates)`; axis 1 is the right answer,
        axis 2 the wrong one. The violation is 0 where the two are no triplet.
    """
    is_triplet = ops.logical_and((labels == 1)[:, :, None], (labels == 0)[:, None, :])
    gap = margin - similarities[:, :, None] + similarities[:, None, :]
    return ops.where(is_triplet, ops.relu(gap), 0.0), is_triplet


def choose(similarities, is_triplet, margin, mining):
    """Return which triplets are trained on: the negatives chosen for each right answer.

    Args:
        similarities: Float32 `(batch, candidates)`.
        is_triplet: Boolean `(batch, candidates, candidates)`, right answer by wrong answer.
        margin: Number, in units of similarity.
        mining: `"all"`: every wrong answer. `"hardest"`: the best-scoring wrong answer (ties: the first).
            `"semi_hard"`: the wrong answers that score below the right one but less than `margin` below; a right
            answer without such a wrong one takes its hardest.

    Returns:
        Boolean `(batch, candidates, candidates)`. The choice has no gradient.
    """
    if mining == "all":
        return is_triplet
    wrong = ops.where(is_triplet, ops.stop_gradient(similarities)[:, None, :], _NONE)
    best = ops.argmax(wrong, axis=-1)
    hardest = ops.logical_and(is_triplet, ops.arange(similarities.shape[-1] or ops.shape(wrong)[-1]) == best[..., None])
    if mining == "hardest":
        return hardest
    below = ops.stop_gradient(similarities[:, :, None] - similarities[:, None, :])
    semi_hard = ops.logical_and(is_triplet, ops.logical_and(below > 0, below < margin))
    return ops.where(ops.any(semi_hard, axis=-1, keepdims=True), semi_hard, hardest)


def hardest_wrong(similarities, labels):
    """Return the best similarity among the wrong answers of each list.

    Args:
        similarities: Float32 `(batch, candidates)`.
        labels: Int `(batch, candidates)`.

    Returns:
        `(value, exists)`, float32 and boolean `(batch,)`; the value is 0 where a list has no wrong answer.
    """
    wrong = labels == 0
    exists = ops.any(wrong, axis=-1)
    return ops.where(exists, ops.max(ops.where(wrong, similarities, _NONE), axis=-1), 0.0), exists


def mean_where(values, chosen, axis=None):
    """Return the mean of the chosen values and whether there are any; 0 and zero gradients where there are none.

    Args:
        values: Float tensor.
        chosen: Boolean tensor of the same shape.
        axis: Axis or axes of the mean; None for all.

    Returns:
        `(mean, exists)`.
    """
    count = ops.sum(ops.cast(chosen, "float32"), axis=axis)
    total = ops.sum(ops.where(chosen, values, 0.0), axis=axis)
    return total / ops.maximum(count, 1.0), count > 0


def reduce_questions(values, exists, sample_weight=None, reduction="sum_over_batch_size"):
    """Reduce the values of questions; those without a pair count neither in the sum nor in the number.

    Args:
        values: Float32 `(batch,)`.
        exists: Boolean `(batch,)`, whether the question has a pair.
        sample_weight: Optional `(batch,)` or `(batch, 1)`.
        reduction: `"sum_over_batch_size"` (the mean over questions that have a pair), `"sum"`, `"none"` or None.

    Returns:
        Float32 scalar, or `(batch,)` without reduction.
    """
    values = ops.where(exists, values, 0.0)
    if sample_weight is not None:
        values = values * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
    if reduction in ("none", None):
        return values
    total = ops.sum(values)
    return total if reduction == "sum" else total / ops.maximum(ops.sum(ops.cast(exists, "float32")), 1.0)

"""How much other scores count beside a model: one number, chosen on questions that are not reported."""

import numpy

from keras_attention.evaluation.answer_selection import check_figure, evaluate_answer_selection

# In units of the two spreads: from a hundredth of the model's to a hundred times it, ten steps to a factor of ten.
RELATIVE_WEIGHTS = (0.0, *numpy.geomspace(0.01, 100, 41).tolist())


def choose_weight_beside(similarities, scores, labels, *, figure="mrr"):
    """Return the weight under which ``similarity + weight * score`` ranks a set of questions best.

    Of 0 and 41 weights in geometric steps, relative to the standard deviations of both; of equally good ones the
    smallest, which leaves the model most to say. To be chosen on questions that are neither trained on nor reported.

    Args:
        similarities: ``(questions, candidates)``, of a model.
        scores: ``(questions, candidates)``, of something else, say ``WordOverlap.score_pools``.
        labels: ``(questions, candidates)``: above 0 right, 0 wrong, -1 padding.
        figure: ``"accuracy_at_1"``, ``"mrr"``, ``"map"`` or ``"ndcg_at_10"``.

    Returns:
        The weight, a float; 0 if the scores do not help.

    Raises:
        ValueError: shapes that differ, an unknown figure, or no question with a right candidate.

    Example:
    >>> similarities, scores = [[0.5, 0.6, 0.0], [0.4, 0.3, 0.1]], [[9.0, 1.0, 0.0], [2.0, 3.0, 0.0]]
    >>> weight = choose_weight_beside(similarities, scores, [[1, 0, 0], [1, 0, 0]])
    >>> 0.1 / 8 < weight < 0.1  # enough for the first question, not too much for the second
    True
    """
    check_figure(figure)
    similarities, scores = numpy.asarray(similarities, "float32"), numpy.asarray(scores, "float32")
    labels = numpy.asarray(labels)
    if similarities.ndim != 2 or not similarities.shape == scores.shape == labels.shape:
        raise ValueError(
            "similarities, scores and labels must have one shape (questions, candidates). "
            f"Received: {similarities.shape}, {scores.shape}, {labels.shape}"
        )
    real = labels >= 0
    unit = (similarities[real].std() or 1.0) / (scores[real].std() or 1.0) if real.any() else 1.0
    weights = [float(relative * unit) for relative in RELATIVE_WEIGHTS]
    values = [
        evaluate_answer_selection(similarities + numpy.float32(weight) * scores, labels)[figure] for weight in weights
    ]
    return weights[int(numpy.argmax(values))]

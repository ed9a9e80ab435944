"""How much BM25 counts beside a model: one number, chosen on questions that are not reported."""

import numpy

from keras_attention.evaluation.answer_selection import check_figure, evaluate_answer_selection

BM25_WEIGHTS = (0.0, *(round(float(weight), 5) for weight in numpy.geomspace(0.001, 0.2, 24)))


def add_bm25(similarities, bm25_scores, weight):
    """Return ``similarities + weight * bm25_scores``.

    A cosine lies between -1 and 1, a BM25 score mostly between 0 and 30: weights about 0.01 to 0.1 make both count. A
    model of word vectors sees that two words are related; BM25 sees that a rare name is the very same, though the model
    has never met it.

    Args:
        similarities: array of a model's similarities.
        bm25_scores: array of the same shape, of the same questions and answers (``BM25.score_pools``).
        weight: number, at least 0, what one point of BM25 is worth.

    Returns:
        float32 array of the same shape.

    Raises:
        ValueError: other shapes, or a negative weight.

    Example:
    >>> from keras_attention.evaluation import add_bm25
    >>> add_bm25([[0.5, 0.25]], [[0.0, 10.0]], weight=0.05).tolist()
    [[0.5, 0.75]]
    """
    similarities, bm25_scores = numpy.asarray(similarities, "float32"), numpy.asarray(bm25_scores, "float32")
    if similarities.shape != bm25_scores.shape:
        raise ValueError(
            "similarities and bm25_scores must have one shape. "
            f"Received: similarities.shape={similarities.shape}, bm25_scores.shape={bm25_scores.shape}"
        )
    if not weight >= 0:
        raise ValueError(f"weight must not be negative. Received: weight={weight!r}")
    return similarities + numpy.float32(weight) * bm25_scores


def choose_bm25_weight(similarities, bm25_scores, labels, *, figure="mrr", weights=BM25_WEIGHTS):
    """Return the weight of BM25 that ranks a set of questions best.

    To be chosen on questions that are neither trained on nor reported, with pools like those that are reported: where
    BM25 proposed the candidates it tells less about them than where they are random.

    Args:
        similarities: ``(questions, candidates)``, of a model.
        bm25_scores: ``(questions, candidates)``.
        labels: ``(questions, candidates)``: above 0 right, 0 wrong, -1 padding.
        figure: ``"accuracy_at_1"``, ``"mrr"``, ``"map"`` or ``"ndcg_at_10"``.
        weights: what to choose from; of equally good ones the first is taken.

    Returns:
        The weight, a float.

    Raises:
        ValueError: shapes that differ, an unknown figure, no weight, or no question with a right candidate.

    Example:
    >>> from keras_attention.evaluation import choose_bm25_weight
    >>> choose_bm25_weight([[0.5, 0.6]], [[9.0, 1.0]], [[1, 0]], weights=[0.0, 0.01, 0.05])
    0.05
    """
    check_figure(figure)
    weights = list(weights)
    if not weights:
        raise ValueError("weights must hold at least one. Received: weights=[]")
    values = [
        evaluate_answer_selection(add_bm25(similarities, bm25_scores, weight), labels)[figure] for weight in weights
    ]
    return float(weights[int(numpy.argmax(values))])

"""BM25 beside a model: the sum, and the weight that is chosen."""

import numpy as np
import pytest

from keras_attention.evaluation import BM25_WEIGHTS, add_bm25, choose_bm25_weight, evaluate_answer_selection

LABELS = np.array([[1, 0, 0], [0, 1, -1], [0, 0, 1]])
SIMILARITIES = np.array([[0.5, 0.6, 0.1], [0.2, 0.9, 0.0], [0.4, 0.1, 0.45]])
BM25 = np.array([[8.0, 2.0, 1.0], [5.0, 5.0, 0.0], [9.0, 0.0, 1.0]])


def test_the_sum():
    summed = add_bm25(SIMILARITIES, BM25, 0.1)
    assert summed.dtype == np.float32
    np.testing.assert_allclose(summed, SIMILARITIES + 0.1 * BM25, rtol=1e-6)


def test_the_best_weight_is_chosen():
    # Question 1 needs 6 w > 0.1, question 3 needs 8 w < 0.05: no weight serves both; 2 is right under every one.
    figures = {w: evaluate_answer_selection(SIMILARITIES + w * BM25, LABELS)["accuracy_at_1"] for w in (0.0, 0.01, 0.1)}
    assert figures == pytest.approx({0.0: 2 / 3, 0.01: 1 / 3, 0.1: 2 / 3})
    assert choose_bm25_weight(SIMILARITIES, BM25, LABELS, weights=[0.01, 0.1, 0.2]) == 0.1
    assert choose_bm25_weight(SIMILARITIES[:1], BM25[:1], LABELS[:1]) == min(w for w in BM25_WEIGHTS if 6 * w > 0.1)


def test_no_weight_where_bm25_does_not_help():
    assert choose_bm25_weight(SIMILARITIES[1:], np.zeros((2, 3)), LABELS[1:]) == 0


def test_errors():
    with pytest.raises(ValueError, match=r"bm25_scores.shape=\(2, 3\)"):
        add_bm25(SIMILARITIES, BM25[:2], 0.1)
    with pytest.raises(ValueError, match="weight=-1"):
        add_bm25(SIMILARITIES, BM25, -1)
    with pytest.raises(ValueError, match="weight=nan"):
        add_bm25(SIMILARITIES, BM25, float("nan"))
    with pytest.raises(ValueError, match="figure='bleu'"):
        choose_bm25_weight(SIMILARITIES, BM25, LABELS, figure="bleu")
    with pytest.raises(ValueError, match="at least one"):
        choose_bm25_weight(SIMILARITIES, BM25, LABELS, weights=[])

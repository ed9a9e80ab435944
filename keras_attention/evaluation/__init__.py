"""Evaluation: a trained model against a test set, as figures."""

from keras_attention.evaluation.answer_selection import (
    accuracy_by_answer_length,
    answer_selection_rows,
    answer_selection_table,
    average_results,
    compare_with_baseline,
    evaluate_answer_selection,
    right_answer_lengths,
)
from keras_attention.evaluation.bm25_weight import BM25_WEIGHTS, add_bm25, choose_bm25_weight
from keras_attention.evaluation.listwise_regression import fit_listwise
from keras_attention.evaluation.report import translation_table
from keras_attention.evaluation.translation import evaluate_translation
from keras_attention.evaluation.weight_beside import choose_weight_beside

__all__ = [
    "BM25_WEIGHTS",
    "accuracy_by_answer_length",
    "add_bm25",
    "answer_selection_rows",
    "answer_selection_table",
    "average_results",
    "choose_bm25_weight",
    "choose_weight_beside",
    "compare_with_baseline",
    "evaluate_answer_selection",
    "evaluate_translation",
    "fit_listwise",
    "right_answer_lengths",
    "translation_table",
]

"""Evaluation: a trained model against a test set, as figures."""

from keras_attention.evaluation.report import translation_table
from keras_attention.evaluation.translation import evaluate_translation

__all__ = ["evaluate_translation", "translation_table"]

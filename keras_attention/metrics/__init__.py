"""Metrics of the two tasks, each with its unit and its tie rule stated."""

from keras_attention.metrics.bleu import CorpusScore, bleu_by_length, chrf, corpus_bleu

__all__ = ["CorpusScore", "bleu_by_length", "chrf", "corpus_bleu"]

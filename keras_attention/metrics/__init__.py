"""Metrics of the two tasks, each with its unit and its tie rule stated."""

from keras_attention.metrics.bleu import CorpusScore, bleu_by_length, chrf, corpus_bleu

__all__ = ["CorpusScore", "bleu_by_length", "chrf", "corpus_bleu"]

from keras_attention.metrics.accuracy_at_1 import AccuracyAt1
from keras_attention.metrics.mean_average_precision import MeanAveragePrecision
from keras_attention.metrics.mean_reciprocal_rank import MeanReciprocalRank
from keras_attention.metrics.ndcg import NDCG
from keras_attention.metrics.paired_bootstrap import PairedBootstrap, paired_bootstrap
from keras_attention.metrics.ranking import accuracy_at_1, average_precision, ndcg, ranking_values, reciprocal_rank

__all__ = [
    "NDCG",
    "AccuracyAt1",
    "MeanAveragePrecision",
    "MeanReciprocalRank",
    "PairedBootstrap",
    "accuracy_at_1",
    "average_precision",
    "ndcg",
    "paired_bootstrap",
    "ranking_values",
    "reciprocal_rank",
]

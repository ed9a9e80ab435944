"""Metrics of the two tasks, each with its unit and its tie rule stated."""

from keras_attention.metrics.accuracy_at_1 import AccuracyAt1
from keras_attention.metrics.active_triplet_fraction import ActiveTripletFraction
from keras_attention.metrics.bleu import CorpusScore, bleu_by_length, chrf, corpus_bleu
from keras_attention.metrics.mean_average_precision import MeanAveragePrecision
from keras_attention.metrics.mean_hardest_wrong_similarity import MeanHardestWrongSimilarity
from keras_attention.metrics.mean_reciprocal_rank import MeanReciprocalRank
from keras_attention.metrics.mean_right_similarity import MeanRightSimilarity
from keras_attention.metrics.ndcg import NDCG
from keras_attention.metrics.paired_bootstrap import PairedBootstrap, paired_bootstrap
from keras_attention.metrics.ranking import accuracy_at_1, average_precision, ndcg, ranking_values, reciprocal_rank

__all__ = [
    "NDCG",
    "AccuracyAt1",
    "ActiveTripletFraction",
    "CorpusScore",
    "MeanAveragePrecision",
    "MeanHardestWrongSimilarity",
    "MeanReciprocalRank",
    "MeanRightSimilarity",
    "PairedBootstrap",
    "accuracy_at_1",
    "average_precision",
    "bleu_by_length",
    "chrf",
    "corpus_bleu",
    "ndcg",
    "paired_bootstrap",
    "ranking_values",
    "reciprocal_rank",
]

"""Losses of the two tasks, computed in float32 under every precision policy."""

from keras_attention.losses.chunked_cross_entropy import chunked_cross_entropy
from keras_attention.losses.in_batch_softmax_loss import InBatchSoftmaxLoss
from keras_attention.losses.token_cross_entropy import TokenCrossEntropy
from keras_attention.losses.triplet_margin_loss import TripletMarginLoss, triplet_margin_loss

__all__ = [
    "InBatchSoftmaxLoss",
    "TokenCrossEntropy",
    "TripletMarginLoss",
    "chunked_cross_entropy",
    "triplet_margin_loss",
]

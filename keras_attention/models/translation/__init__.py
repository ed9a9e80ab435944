"""Translation models: each file is the delta of its paper."""

from keras_attention.models.translation.rnn_encoder_decoder import RNNEncoderDecoder
from keras_attention.models.translation.rnn_search import RNNSearch
from keras_attention.models.translation.seq2seq import Seq2Seq

__all__ = ["RNNEncoderDecoder", "RNNSearch", "Seq2Seq"]

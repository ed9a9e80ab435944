"""Models: every system of the line of work as a Functional Keras model."""

from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.models.translation import RNNEncoderDecoder, RNNSearch, Seq2Seq

__all__ = ["APCNN", "QACNN", "APBiLSTM", "QABiLSTM", "RNNEncoderDecoder", "RNNSearch", "Seq2Seq"]

"""Answer-selection models: two encoders times two poolings."""

from keras_attention.models.answer_selection.ap_bilstm import APBiLSTM
from keras_attention.models.answer_selection.ap_cnn import APCNN
from keras_attention.models.answer_selection.qa_bilstm import QABiLSTM
from keras_attention.models.answer_selection.qa_cnn import QACNN

__all__ = ["APCNN", "QACNN", "APBiLSTM", "QABiLSTM"]

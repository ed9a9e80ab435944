"""Layers: the attention mechanisms and the recurrent decoders, on ``keras.ops`` only."""

from keras_attention.layers.attention_gru import AttentionGRU
from keras_attention.layers.attentive_pooling import AttentivePooling
from keras_attention.layers.bahdanau_attention import BahdanauAttention
from keras_attention.layers.cosine_similarity import CosineSimilarity
from keras_attention.layers.fused_bidirectional import FusedBidirectional
from keras_attention.layers.fused_gru import FusedGRU
from keras_attention.layers.fused_lstm import FusedLSTM
from keras_attention.layers.luong_attention import LuongAttention
from keras_attention.layers.masked_max_pooling import MaskedMaxPooling
from keras_attention.layers.maxout import Maxout
from keras_attention.layers.window_convolution import WindowConvolution

__all__ = [
    "AttentionGRU",
    "AttentivePooling",
    "BahdanauAttention",
    "CosineSimilarity",
    "FusedBidirectional",
    "FusedGRU",
    "FusedLSTM",
    "LuongAttention",
    "MaskedMaxPooling",
    "Maxout",
    "WindowConvolution",
]

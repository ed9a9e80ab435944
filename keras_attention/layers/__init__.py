"""Layers: the attention mechanisms and the recurrent decoders, on ``keras.ops`` only."""

from keras_attention.layers.luong_attention import LuongAttention

__all__ = ["LuongAttention"]

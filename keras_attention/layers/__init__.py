"""Layers: the attention mechanisms and the recurrent decoders, on ``keras.ops`` only."""

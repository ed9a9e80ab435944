"""Decoding: greedy, beam and sampling drivers of a model's one step function."""

from keras_attention.decoding.beam_search import beam_search
from keras_attention.decoding.greedy import greedy_decode

__all__ = ["beam_search", "greedy_decode"]

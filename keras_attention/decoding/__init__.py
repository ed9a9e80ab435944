"""Decoding: greedy, beam and sampling drivers of a model's one step function."""

from keras_attention.decoding.beam_search import beam_search
from keras_attention.decoding.greedy import greedy_decode
from keras_attention.decoding.row_step import RowStep
from keras_attention.decoding.sampling import sample
from keras_attention.decoding.teacher_forcing import score_targets
from keras_attention.decoding.unknown_replacement import replace_unknown_words

__all__ = ["RowStep", "beam_search", "greedy_decode", "replace_unknown_words", "sample", "score_targets"]

"""Plotting: arrays and strings in, matplotlib figures out."""

from keras_attention.plotting.alignment import merge_pieces, plot_alignment
from keras_attention.plotting.answer_length import plot_accuracy_by_answer_length
from keras_attention.plotting.curves import plot_bleu_by_length
from keras_attention.plotting.parallel_coordinates import plot_parallel_coordinates
from keras_attention.plotting.pooling import plot_pooling, pooling_html

__all__ = [
    "merge_pieces",
    "plot_accuracy_by_answer_length",
    "plot_alignment",
    "plot_bleu_by_length",
    "plot_parallel_coordinates",
    "plot_pooling",
    "pooling_html",
]

"""Plotting: arrays and strings in, matplotlib figures out."""

from keras_attention.plotting.alignment import merge_pieces, plot_alignment
from keras_attention.plotting.curves import plot_bleu_by_length

__all__ = ["merge_pieces", "plot_alignment", "plot_bleu_by_length"]

"""Plotting: arrays and strings in, matplotlib figures out."""

"""Decoding: greedy, beam and sampling drivers of a model's one step function."""

"""Losses of the two tasks, computed in float32 under every precision policy."""

"""Metrics of the two tasks, each with its unit and its tie rule stated."""

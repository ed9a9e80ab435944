"""Evaluation: a trained model against a test set, as figures."""

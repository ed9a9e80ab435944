"""Runnable examples on data of your own."""

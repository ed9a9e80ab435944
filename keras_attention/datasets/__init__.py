"""Datasets: two small embedded corpora with their licences."""

"""Data: readers that check their files, and tf.data pipelines of fixed shapes."""

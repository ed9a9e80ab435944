"""What a decoding step of RNNsearch does in one operation on TensorFlow, and `keras.ops` in several."""

import tensorflow as tf


def cut(x, sizes):
    """Cut columns into parts; `ops.split` would compute the sizes from the places again at every step."""
    return tf.split(x, sizes, axis=1)

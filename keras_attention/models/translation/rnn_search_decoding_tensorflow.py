"""What a decoding step of RNNsearch does in one operation on TensorFlow, and `keras.ops` in several."""

import tensorflow as tf


def cut(x, sizes):
    """Cut columns into parts; `ops.split` would compute the sizes from the places again at every step."""
    return tf.split(x, sizes, axis=1)


def rows_of(table, ids):
    """Return rows of a table, without what `ops.take` does about negative ids."""
    return tf.gather(table, ids)

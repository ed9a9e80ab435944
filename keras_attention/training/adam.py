"""Which Adam trains: the same numbers everywhere."""

import keras


def adam_class():
    """Return `OnePassAdam` on TensorFlow without a strategy, and `keras.optimizers.Adam` elsewhere.

    PyTorch's update is fused by Keras itself and JAX' by XLA; a strategy's variables are updated by Keras.
    """
    if keras.backend.backend() != "tensorflow":
        return keras.optimizers.Adam
    import tensorflow as tf

    from keras_attention.training.one_pass_adam import OnePassAdam

    return keras.optimizers.Adam if tf.distribute.has_strategy() else OnePassAdam

"""Optimisers that see the gradient of an embedding whole, and not as one slice a token."""

import keras
import tensorflow as tf


class WholeGradients:
    """Mixin of an optimiser on TensorFlow: slices of one row are added before anything is done with them.

    The gradient of an embedding comes as slices, one for each token of the batch. Keras takes the norm of the slices,
    and squares them one by one where an optimiser wants squares; the gradient of a word's vector is their sum.
    """

    def apply(self, grads, trainable_variables=None):
        """Apply gradients; slices of one row are added first."""
        super().apply([_whole(g) for g in grads], trainable_variables)


def with_whole_gradients(optimizer_class):
    """Return the class that does what `optimizer_class` does, with whole gradients.

    Args:
        optimizer_class: `keras.optimizers.SGD` or `Adadelta`, or a class that is a `WholeGradients` already.
    """
    if issubclass(optimizer_class, WholeGradients):
        return optimizer_class
    from keras_attention.training.whole_gradient_adadelta import WholeGradientAdadelta
    from keras_attention.training.whole_gradient_sgd import WholeGradientSGD

    return {keras.optimizers.SGD: WholeGradientSGD, keras.optimizers.Adadelta: WholeGradientAdadelta}[optimizer_class]


def _whole(gradient):
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])

"""Adam on TensorFlow that goes through each weight once instead of a dozen times."""

import keras
import tensorflow as tf

from keras_attention.training.whole_gradients import WholeGradients


@keras.saving.register_keras_serializable(package="keras_attention")
class OnePassAdam(WholeGradients, keras.optimizers.Adam):
    """Adam, with the numbers of `keras.optimizers.Adam` and its variables, in a third of the passes over the weights.

    Per weight, with gradient g at step t, moments m and v, rate a:

        m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2,   w <- w - a sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)

    Keras composes the update of elementwise operations, each of which reads and writes every weight's worth of memory;
    here it is one operation of TensorFlow's. The moving average of the weights and the norm of the gradient are
    shortened too. Under XLA, which fuses Keras' operations by itself, nothing is lost.

    One thing differs: where a gradient comes as slices, as that of an embedding does, slices of the same row are added
    before anything else. Keras squares each of them for v and for the norm, so a word that stands in a batch n times
    has another second moment there than the gradient of its vector.

    For one device: variables of a `tf.distribute` strategy are Keras' business (`adam_class` chooses). With `amsgrad`
    the update is Keras'.

    Args:
        **options: Of `keras.optimizers.Adam`.

    Example:
    ```python
    model.compile(OnePassAdam(1e-3, global_clipnorm=1.0), loss)
    ```

    Reference: Kingma and Ba 2015, "Adam: A method for stochastic optimization", algorithm 1, in the order of its
    section 2's last paragraph.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Update one weight and its moments."""
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )

    def _clip_gradients(self, grads):
        if self.clipnorm or not (self.global_clipnorm or 0) > 0 or len({g.dtype for g in grads if g is not None}) > 1:
            return super()._clip_gradients(grads)
        return tf.clip_by_global_norm(list(grads), self.global_clipnorm)[0]

    def _update_model_variables_moving_average(self, trainable_variables):
        if not self.use_ema:
            return
        for variable, average in zip(trainable_variables, self._model_variables_moving_average):
            if average is None:
                continue
            value = tf.convert_to_tensor(variable)
            kept = tf.where(self.iterations > 0, tf.constant(self.ema_momentum, value.dtype), 0)
            tf.raw_ops.ResourceApplyGradientDescent(
                var=_handle(average), alpha=1 - kept, delta=tf.convert_to_tensor(average) - value
            )


def _handle(variable):
    """Return the resource of a Keras variable or of TensorFlow's."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle

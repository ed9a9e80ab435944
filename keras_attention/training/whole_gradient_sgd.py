"""SGD that sees the gradient of an embedding whole."""

import keras

from keras_attention.training.whole_gradients import WholeGradients


@keras.saving.register_keras_serializable(package="keras_attention")
class WholeGradientSGD(WholeGradients, keras.optimizers.SGD):
    """`keras.optimizers.SGD`, with slices of one row added before anything is done with them.

    Args:
        **options: Of `keras.optimizers.SGD`.

    Example:
    ```python
    model.compile(WholeGradientSGD(1.0, global_clipnorm=1.0), loss)
    ```
    """

"""What a model needs so that half precision works everywhere: before it runs, and before it is kept."""

import keras


def prepare_half_precision(policy):
    """Make float16 usable in this process, if `policy` computes in it. Called by every model before it is built.

    Args:
        policy: A Keras dtype policy.
    """
    if policy.compute_dtype == "float16" and keras.backend.backend() == "tensorflow":
        from keras_attention.models.half_precision_tensorflow import avoid_slow_float16

        avoid_slow_float16()


def in_float32(model):
    """Return a copy in float32 with the same weights if the model computes in half precision, else the model itself.

    Half precision is for training on hardware that has it. What is saved and exported runs anywhere, so it is float32;
    under the mixed policies the weights are float32 already, and nothing is lost.

    Args:
        model: One of the package's models.

    Returns:
        A model of the same class.

    Example:
    >>> from keras_attention.models import QACNN
    >>> from keras_attention.models.half_precision import in_float32
    >>> in_float32(QACNN(20, embedding_width=4, filters=3, dtype="mixed_bfloat16")).dtype_policy.name
    'float32'
    """
    if model.dtype_policy.compute_dtype not in ("float16", "bfloat16"):
        return model
    return copy_of(model, dtype="float32")


def copy_of(model, **changes):
    """Return a model of the same class with the same weights, not compiled.

    Args:
        model: One of the package's models.
        **changes: Arguments of the constructor that differ.
    """
    copy = type(model).from_config({**model.get_config(), **changes})
    copy.set_weights([keras.ops.convert_to_numpy(keras.ops.cast(w, "float32")) for w in model.weights])
    return copy

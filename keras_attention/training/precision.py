"""The one place where the precision of a training is set, and what follows from it."""

import logging

import keras

from keras_attention.training.replicas import strategy_in_scope

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")

logger = logging.getLogger(__name__)


def set_precision(precision):
    """Set Keras' dtype policy for every model made from here on.

    - `"float32"`.
    - `"mixed_float16"`: products in float16, variables in float32. The loss is scaled: Keras puts a
      `LossScaleOptimizer` around the optimiser, which doubles the scale while gradients stay finite. When they do not,
      it halves the scale and leaves out the step, as commonly happens with the first few.
    - `"mixed_bfloat16"`: products in bfloat16, variables in float32. No scaling is needed, since bfloat16 reaches as
      far as float32.

    Under each of them scores, masks, softmax, similarity and loss are float32. Tensor cores and recent CPUs gain from
    it; a CPU without such instructions is slower than in float32.

    Args:
        precision: One of the three.

    Raises:
        ValueError: If it is another.

    Example:
    >>> set_precision("mixed_bfloat16")
    >>> keras.layers.Dense(2).compute_dtype
    'bfloat16'
    >>> set_precision("float32")
    """
    check_precision(precision)
    keras.config.set_dtype_policy(precision)


def check_precision(precision):
    """Refuse a precision that is none of `PRECISIONS`, with a ValueError."""
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: precision={precision!r}")


def check_jit_compile(jit_compile):
    """Refuse a `jit_compile` that is neither a boolean nor "auto", with a ValueError."""
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f"`jit_compile` must be true, false or 'auto'. Received: jit_compile={jit_compile!r}")


def compile_for_training(model, training, **options):
    """Compile a model as `training` says, and say in the log with what.

    Args:
        model: The model, made under the policy of `training.precision`.
        training: An object with `precision` and `jit_compile`.
        **options: Further arguments of `model.compile`.

    Raises:
        ValueError: If the model has another precision: a policy set after a model was made does not change it; or if
            float16 is asked for under a distribution strategy.
    """
    if model.dtype_policy.name != training.precision:
        raise ValueError(
            f"Expected a model of precision {training.precision!r}: call `set_precision` before the model is made, or "
            f"make it with `dtype`. Received: a model of {model.dtype_policy.name!r}"
        )
    jit_compile, reason = choose_jit_compile(model, training.jit_compile)
    if training.precision == "mixed_float16" and strategy_in_scope() is not None:
        raise ValueError(
            "On several devices Keras scales the loss by what one of them has seen, and a gradient that overflows on "
            "another would reach the weights. Take 'mixed_bfloat16'. Received: precision='mixed_float16'"
        )
    model.compile(jit_compile=jit_compile, **options)
    logger.info(
        "%s on %s: precision %s%s; jit_compile=%s (%s)",
        model.name,
        keras.backend.backend(),
        training.precision,
        " with loss scaling" if training.precision == "mixed_float16" else "",
        jit_compile,
        reason,
    )


def choose_jit_compile(model, wanted="auto"):
    """Return whether the training step is to be compiled by XLA, and the reason in words.

    Args:
        model: The model.
        wanted: True or False are taken as they are; `"auto"` chooses what works and helps.

    Returns:
        `(jit_compile, reason)`.
    """
    if wanted != "auto":
        return wanted, "as configured"
    backend = keras.backend.backend()
    if backend == "jax":
        return True, "JAX compiles every step"
    if backend == "torch":
        return False, "eager on PyTorch"
    import tensorflow as tf

    if tf.distribute.has_strategy():
        return False, "not compiled under a distribution strategy"
    if not tf.config.list_physical_devices("GPU"):
        return False, "no GPU; on a CPU the fused loops are as fast without XLA"
    if any(_takes_cudnn(layer) for layer in model._flatten_layers()):
        return False, "cuDNN's recurrent kernels cannot be compiled by XLA"
    return True, "GPU, and no cuDNN kernel in the model"


def _takes_cudnn(layer):
    """Whether a Keras GRU or LSTM may run on cuDNN: a GRU only with the reset gate after the product."""
    if not isinstance(layer, (keras.layers.GRU, keras.layers.LSTM)):
        return False
    return layer.use_cudnn is not False and getattr(layer, "reset_after", True)

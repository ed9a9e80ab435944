"""Half precision on TensorFlow without a GPU: the one graph optimisation that has to be off."""

import tensorflow as tf


def avoid_slow_float16():
    """Keep TensorFlow from fusing float16 products with what follows them, where there is no GPU.

    The graph optimiser's remapper turns a product, a bias and an activation into one operation. On a CPU its float16
    kernel, of oneDNN, is so slow that a training step seems to hang. Without the remapper the same graph runs as fast
    as any float16 on a CPU does. Programs compiled by XLA do not go through it. The setting holds for the process.
    """
    if tf.config.list_physical_devices("GPU"):
        return
    if tf.config.optimizer.get_experimental_options().get("remapping") is not False:
        tf.config.optimizer.set_experimental_options({"remapping": False})

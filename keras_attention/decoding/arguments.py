"""Checks and defaults of the arguments that all drivers share."""

import keras
import numpy as np
from keras import ops

PAD_ID = 0


def check_step_limits(batch_size, maximum_length, output_length):
    """Bring the maximum length into one form.

    Args:
        batch_size: number of sentences B, an int or an int32 scalar.
        maximum_length: int, or int32 `(B,)`: the longest output of each sentence, end symbol included.
        output_length: `None` or int: the width of the results. `None` takes the greatest maximum length, at least
            1. Compilers that want every shape in advance (JAX's `jit`, XLA) need the int when `maximum_length` is a
            tensor.

    Returns:
        Tuple of the limits, int32 `(B,)`, none above the width, and the width, an int or an int32 scalar.

    Raises:
        ValueError: for a limit that is not positive or not an integer, or of a wrong rank.
    """
    if output_length is not None and (not _is_int(output_length) or output_length < 1):
        raise ValueError(f"`output_length` must be None or an integer above 0. Received: output_length={output_length}")
    if _is_int(maximum_length):
        if maximum_length < 1:
            raise ValueError(f"`maximum_length` must be at least 1. Received: maximum_length={maximum_length}")
        width = int(maximum_length if output_length is None else output_length)
        return ops.full((batch_size,), min(int(maximum_length), width), dtype="int32"), width
    if isinstance(maximum_length, (float, str, bool)) or maximum_length is None:
        raise ValueError(
            "`maximum_length` must be an integer or integers of shape (batch,). "
            f"Received: maximum_length={maximum_length!r}"
        )
    limits = ops.convert_to_tensor(maximum_length)
    if len(limits.shape) > 1 or "int" not in keras.backend.standardize_dtype(limits.dtype):
        raise ValueError(
            "`maximum_length` must be an integer or integers of shape (batch,). "
            f"Received: shape={tuple(limits.shape)}, dtype={keras.backend.standardize_dtype(limits.dtype)}"
        )
    limits = ops.broadcast_to(ops.cast(limits, "int32"), (batch_size,))
    if output_length is not None:
        return ops.minimum(limits, output_length), int(output_length)
    # The one keeps the maximum of an empty batch defined, and a loop's buffers from having no row to speak of.
    return limits, ops.max(ops.concatenate([limits, ops.ones((1,), dtype="int32")]))


def check_batch_size(batch_size, initial_state, memory):
    """Return the batch size given, or else the leading axis of the first tensor of the state or the memory."""
    if batch_size is not None:
        return batch_size
    leaves = [leaf for leaf in keras.tree.flatten((initial_state, memory)) if leaf is not None]
    if not leaves:
        raise ValueError(
            "`batch_size` must be given when neither state nor memory holds a tensor. Received: batch_size=None"
        )
    return ops.shape(leaves[0])[0]


def check_token_ids(start_id, end_id, forbidden_ids):
    """Return the ids that are never generated: padding, start and `forbidden_ids`, sorted, each once.

    Raises:
        ValueError: if an id is not an integer, is negative, or if the end symbol would be forbidden.
    """
    never = (PAD_ID, start_id, *tuple(forbidden_ids))
    for token_id in (*never, end_id):
        if not _is_int(token_id) or token_id < 0:
            raise ValueError(
                "`start_id`, `end_id` and `forbidden_ids` must be integers of at least 0. "
                f"Received: start_id={start_id}, end_id={end_id}, forbidden_ids={forbidden_ids}"
            )
    if end_id in never:
        raise ValueError(
            "`end_id` must differ from the padding id 0, from `start_id` and from `forbidden_ids`. "
            f"Received: start_id={start_id}, end_id={end_id}, forbidden_ids={forbidden_ids}"
        )
    return tuple(sorted({int(token_id) for token_id in never}))


def check_source_mask(source_mask, reason):
    """Return `source_mask` `(B, S)` as booleans; `reason` names the option that needs it."""
    if source_mask is None:
        raise ValueError(f"`source_mask` of shape (batch, source_length) is needed for {reason}. Received: None")
    source_mask = ops.cast(ops.convert_to_tensor(source_mask), "bool")
    if len(source_mask.shape) != 2:
        raise ValueError(
            "`source_mask` must be of shape (batch, source_length). "
            f"Received: source_mask.shape={tuple(source_mask.shape)}"
        )
    return source_mask


def check_positive_integer(name, value):
    """Return `value` as an int, or raise a `ValueError` that names it."""
    if not _is_int(value) or value < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value}")
    return int(value)


def check_count(name, value):
    """Return `value` as an int of at least 0, or raise a `ValueError` that names it."""
    if not _is_int(value) or value < 0:
        raise ValueError(f"`{name}` must be an integer of at least 0. Received: {name}={value}")
    return int(value)


def check_not_negative(name, value):
    """Return `value` as a float, or raise a `ValueError` that names it."""
    if isinstance(value, (bool, str)) or value is None or not 0.0 <= value < float("inf"):
        raise ValueError(f"`{name}` must be a finite number of at least 0. Received: {name}={value}")
    return float(value)


def check_weights(weights, reason):
    """Return the step's weights in float32; raise if the step gave none."""
    if weights is None:
        raise ValueError(f"{reason} needs alignment weights, but the step function gave none. Received: weights=None")
    return ops.cast(weights, "float32")


def _is_int(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)

"""What is asked of masks before they are used: a mask that does not fit could broadcast to a wrong answer."""

from keras import ops


def unpack_masks(mask, names):
    """Return the two masks of a layer with two inputs.

    Args:
        mask: None, or a list of two, either None.
        names: What the two are called, for the message.

    Raises:
        ValueError: if `mask` is neither. A bare array of two rows would otherwise be taken for two masks.
    """
    if mask is None:
        return None, None
    if not isinstance(mask, (list, tuple)) or len(mask) != 2:
        raise ValueError(f"`mask` must be None or a list of two, [{', '.join(names)}]. Received: mask={mask}")
    return tuple(mask)


def check_mask(mask, inputs, name="mask"):
    """Check, as far as shapes are known, that a mask has the shape of its input without the last axis.

    Args:
        mask: None, or a tensor `(..., length)`.
        inputs: Tensor `(..., length, width)`.
        name: What the mask is called, for the message.

    Raises:
        ValueError: if it has another rank, another length, or another number of rows. Masks do not broadcast.
    """
    if mask is None:
        return
    given, expected = tuple(ops.convert_to_tensor(mask).shape), tuple(inputs.shape)[:-1]
    unlike = [a != b and a is not None and b is not None for a, b in zip(given, expected)]
    if len(given) != len(expected) or any(unlike):
        raise ValueError(
            f"`{name}` must be boolean of shape {expected}, as its input of shape {tuple(inputs.shape)}. "
            f"Received: {name} of shape {given}"
        )

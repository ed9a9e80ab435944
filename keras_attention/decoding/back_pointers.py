"""The way back through a beam: which slot each result came from, step by step."""

from keras import ops

from keras_attention.decoding.slots import flat_slots, gather_slots, write_row


def trace_back(parents, slots, steps):
    """Follow the parents from the last step to the first.

    During the search only one row of parents is written per step; the outputs so far are never moved. Tokens and
    weights are then picked once, along the paths found here.

    Args:
        parents: int32 `(L, B, K)`: for each slot after step t the slot before step t that it continues.
        slots: int32 `(B, N)`: the slots of the results after the last step.
        steps: int32 scalar, the number of steps made, at most L.

    Returns:
        Tuple of int32 `(L, B, N)`: the slot of each result after step t, and before step t. Rows from `steps` on are 0.
    """
    slot_count = parents.shape[2]
    shape = (ops.shape(parents)[0], *ops.shape(slots))

    def is_running(position, slots, after, before):
        return position > 0

    def advance(position, slots, after, before):
        position = position - 1
        parent = gather_slots(ops.take(parents, position, axis=0), flat_slots(slots, slot_count))
        return position, parent, write_row(after, position, slots), write_row(before, position, parent)

    loop = (steps, slots, ops.zeros(shape, dtype="int32"), ops.zeros(shape, dtype="int32"))
    _, _, after, before = ops.while_loop(is_running, advance, loop)
    return after, before


def gather_along(x, path):
    """Pick along a path: `x` `(L, B, K, ...)` at `path` `(L, B, N)` gives `(L, B, N, ...)`."""
    shape, path_shape = tuple(ops.shape(x)), tuple(ops.shape(path))
    merged = shape[0] * shape[1]
    rows = flat_slots(ops.reshape(path, (merged, path_shape[2])), shape[2])
    picked = gather_slots(ops.reshape(x, (merged,) + shape[2:]), rows)
    return ops.reshape(picked, path_shape + shape[3:])

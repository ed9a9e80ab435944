"""The slot axis: every sentence has K slots, one per hypothesis or sample; state leaves are `(B, K, ...)`."""

import keras
from keras import ops


def repeat_slots(state, slots):
    """Repeat the leaves `(B, 1, ...)` of an initial state to `(B, slots, ...)`.

    Raises:
        ValueError: if a leaf has no axis 1 of size 1.
    """

    def repeat(leaf):
        leaf = ops.convert_to_tensor(leaf)
        if len(leaf.shape) < 2 or leaf.shape[1] not in (1, None):
            raise ValueError(
                "Every leaf of `initial_state` must be of shape (batch, 1, ...). "
                f"Received: a leaf of shape {tuple(leaf.shape)}"
            )
        shape = ops.shape(leaf)
        return ops.broadcast_to(leaf, (shape[0], slots) + tuple(shape[2:]))

    return keras.tree.map_structure(repeat, state)


def flat_slots(slots, slot_count):
    """Turn slot numbers `(B, N)` into row numbers of the merged axis `B * K`."""
    return slots + ops.expand_dims(ops.arange(ops.shape(slots)[0], dtype="int32") * slot_count, -1)


def merge_slots(x):
    """Lay sentences and hypotheses on one axis: `(B, K, ...)` becomes `(B * K, ...)`."""
    rest = tuple(x.shape[2:])
    if 0 in rest or None in rest:
        shape = tuple(ops.shape(x))
        return ops.reshape(x, (shape[0] * shape[1],) + shape[2:])
    return ops.reshape(x, (-1, *rest))


def split_slots(x, slots):
    """Undo `merge_slots`: `(B * K, ...)` becomes `(B, K, ...)` for K = `slots`."""
    rest = tuple(x.shape[1:])
    if 0 in rest or None in rest:
        shape = tuple(ops.shape(x))
        return ops.reshape(x, (shape[0] // slots, slots) + shape[1:])
    return ops.reshape(x, (-1, slots, *rest))


def rows_of(table, ids):
    """Return rows of a table by ids of at least 0."""
    if keras.backend.backend() == "tensorflow":
        from keras_attention.decoding.slots_tensorflow import rows_of

        return rows_of(table, ids)
    return ops.take(table, ids, axis=0)


def gather_slots(x, rows):
    """Pick slots: `x` `(B, K, ...)` and `rows` `(B, N)` from `flat_slots` give `(B, N, ...)`.

    One gather over the merged axis: rows are moved whole, and nothing but what is asked for is read.
    """
    picked = rows_of(merge_slots(x), rows)
    if 0 in x.shape:  # JAX gives an empty array of the wrong rank
        picked = ops.reshape(picked, tuple(ops.shape(rows)) + tuple(ops.shape(x))[2:])
    return picked


def keep_signature(new_state, state):
    """Hold a loop's state to one structure, dtype and static shape, as every backend's loop demands.

    A step may lose static sizes that the state had on entry (a reshape with -1 does); they are put back.

    Raises:
        ValueError: if structure, dtype or a known size has changed.
    """
    keras.tree.assert_same_structure(state, new_state)

    def keep(old, new):
        new = ops.convert_to_tensor(new)
        old_shape, new_shape = tuple(old.shape), tuple(new.shape)
        same = len(old_shape) == len(new_shape) and all(
            a == b or a is None or b is None for a, b in zip(old_shape, new_shape)
        )
        if not same or keras.backend.standardize_dtype(old.dtype) != keras.backend.standardize_dtype(new.dtype):
            raise ValueError(
                "The step function must return state leaves of the shape and dtype it was given. "
                f"Expected: {old_shape} {old.dtype}. Received: {new_shape} {new.dtype}"
            )
        if any(a is not None and b is None for a, b in zip(old_shape, new_shape)):
            new = ops.reshape(new, ops.shape(old))
        return new

    return keras.tree.map_structure(keep, state, new_state)


def write_row(buffer, position, row):
    """Return `buffer` `(L, ...)` with `row` `(...)` at the scalar `position`, an int or a tensor."""
    if isinstance(position, int) and position == 0:  # a scatter refuses an empty batch, which loops never see
        return ops.concatenate([ops.expand_dims(row, 0), buffer[1:]], axis=0)
    return ops.scatter_update(buffer, ops.reshape(position, (1, 1)), ops.expand_dims(row, 0))

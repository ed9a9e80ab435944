"""A loop over a batch that shrinks: sentences that have ended stop costing."""

import keras
from keras import ops


def shrinking_loop(is_live, advance, loop, given, *, axes, dropped, halvings):
    """Run `advance` until no sentence is live, on half the batch once half of it has ended, and so on.

    The batch is halved at most `halvings` times, so there are only so many shapes, each a fixed share of the batch. The
    rows that are left are moved together once per halving, never step by step; their results are put back in their
    places at the end. Rows do not look at each other, so nothing but the cost changes.

    Args:
        is_live: function of `loop` that gives bool `(B,)`: which sentences are to go on.
        advance: function of `loop` and `given` that gives the loop after one more step.
        loop: dict of nests of tensors, the loop's variables.
        given: nest of tensors `(B, ...)`, what does not change from step to step.
        axes: dict from the loop's keys to the batch axis of their leaves, 0 or 1; `None` for what the batch shares.
        dropped: the keys whose values are not needed after the loop, such as the model's state.
        halvings: int of at least 0.

    Returns:
        The loop's variables after the last step; those of `dropped` mean nothing if there was a halving.
    """
    size = ops.shape(is_live(loop))[0]
    half = size // 2 if halvings else 0

    def is_running(loop):
        live = is_live(loop)
        return ops.sum(ops.cast(live, "int32")) > half if halvings else ops.any(live)

    (loop,) = ops.while_loop(is_running, lambda loop: (advance(loop, given),), (loop,))
    if not halvings or (isinstance(half, int) and half == 0):
        return loop
    rows = ops.argsort(ops.cast(ops.logical_not(is_live(loop)), "int32"))[:half]  # the live ones are among them

    def pick(axis):
        return lambda leaf: leaf if axis is None or leaf is None else ops.take(leaf, rows, axis=axis)

    smaller = shrinking_loop(
        is_live,
        advance,
        {key: keras.tree.map_structure(pick(axes[key]), value) for key, value in loop.items()},
        keras.tree.map_structure(pick(0), given),
        axes=axes,
        dropped=dropped,
        halvings=halvings - 1,
    )

    def put_back(key):
        axis = axes[key]
        if axis is None:
            return smaller[key]
        if key in dropped:
            return loop[key]
        return keras.tree.map_structure(lambda leaf, part: _put_rows(leaf, rows, part, axis), loop[key], smaller[key])

    return {key: put_back(key) for key in loop}


def _put_rows(whole, rows, part, axis):
    """Return `whole` with `part` in place of its rows `rows` along `axis`, 0 or 1."""
    if axis == 0:
        return ops.scatter_update(whole, ops.expand_dims(rows, -1), part)
    return ops.swapaxes(_put_rows(ops.swapaxes(whole, 0, 1), rows, ops.swapaxes(part, 0, 1), 0), 0, 1)

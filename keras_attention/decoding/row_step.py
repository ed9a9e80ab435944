"""A step function that can leave out the hypotheses which do not grow any more."""

import keras
from keras import ops

from keras_attention.decoding.slots import merge_slots, split_slots

ROWS_UNIT = 16  # the number of rows is a multiple of it, so that kernels meet a few shapes, not hundreds


class RowStep:
    """A step function over rows, one for each hypothesis, of which some may be left out.

    Called like any other step function it makes the step for every slot. `beam_search(live_rows=True)` calls `on_rows`
    instead, for the live hypotheses only: in a beam those that are frozen keep their slots while others grow.

    Args:
        advance: function `(token_ids, state, memory, slots, rows, places)` that gives `(logits, state, weights)`.
            `token_ids` is int32 `(R,)`, the leaves of the state are `(R, ...)`, both already cut down to the rows;
            `memory` is per sentence; `slots` is the number K of hypotheses per sentence, static. `rows`, int32 `(R,)`,
            are the places of the rows on the merged axis `B * K`, and `places`, int32 `(B * K,)`, the way back: where
            among the R each hypothesis stands, and for those left out any of them. Both are `None` if all rows are
            there. Of the results logits are `(R, V)`, the leaves of the state `(R, ...)`, and the weights
            `(B, K, S)` or `None`: what is in them of a hypothesis left out is not read.

    Example:
    ```python
    import numpy as np
    from keras import ops
    from keras_attention.decoding import RowStep, beam_search

    table = ops.convert_to_tensor(np.eye(6, k=1, dtype="float32"))  # after 2 comes 3

    def advance(token_ids, state, memory, slots, rows, places):
        return ops.take(table, token_ids, axis=0), state, None

    result = beam_search(RowStep(advance), {}, None, batch_size=1, start_id=2, end_id=3, maximum_length=4)
    print(result["token_ids"][0, 0])  # 3 0 0 0
    ```
    """

    def __init__(self, advance):
        self.on_rows = advance

    def __call__(self, token_ids, state, memory):
        slots = token_ids.shape[1]
        logits, state, weights = self.on_rows(
            ops.reshape(token_ids, (-1,)), keras.tree.map_structure(merge_slots, state), memory, slots, None, None
        )

        return split_slots(logits, slots), keras.tree.map_structure(lambda x: split_slots(x, slots), state), weights


def choose_rows(live):
    """Return the rows of the live hypotheses, and where each hypothesis is among them.

    Args:
        live: bool `(B, K)`.

    Returns:
        Tuple of `rows`, int32 `(R,)`, with R the number of live hypotheses rounded up to a multiple of 16, at most
        `B * K`, the live ones in their order first; and `places`, int32 `(B * K,)`, as `RowStep` has them.
    """
    live = ops.reshape(live, (-1,))
    count = ops.sum(ops.cast(live, "int32"))
    size = ops.minimum((count + (ROWS_UNIT - 1)) // ROWS_UNIT * ROWS_UNIT, ops.shape(live)[0])
    order = ops.cast(ops.argsort(ops.cast(ops.logical_not(live), "int32")), "int32")
    places = ops.cast(ops.argsort(order), "int32")
    return order[:size], ops.maximum(ops.minimum(places, size - 1), 0)

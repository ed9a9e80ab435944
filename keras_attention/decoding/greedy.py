"""Greedy decoding: at every step the most probable token."""

from keras_attention.decoding.arguments import (
    check_batch_size,
    check_count,
    check_step_limits,
    check_token_ids,
)
from keras_attention.decoding.single_path import decode_paths
from keras_attention.decoding.top_tokens import best_token


def greedy_decode(
    step,
    initial_state,
    memory,
    *,
    start_id,
    end_id,
    maximum_length,
    batch_size=None,
    forbidden_ids=(),
    output_length=None,
    source_mask=None,
    return_alignment=False,
    halvings=0,
):
    """Decode by taking the most probable token at every step.

    y_t = argmax_v p(v | y_1 ... y_{t-1}, x), until the end symbol or the sentence's maximum length. Of equally
    probable tokens the lowest id is taken. The loop stops when all sentences have ended. Padding and start symbol are
    never generated. A sentence's result depends on its own row only, not on its neighbours or their order.

    B is the batch, K the slots per sentence (1 here), V the vocabulary, S the source length, L the output length.

    Args:
        step: the model's step function, `step(token_ids, state, memory) -> (logits, new_state, weights)` with
            token ids int32 `(B, K)`, state leaves `(B, K, ...)`, logits `(B, K, V)` (softmax is done here, in
            float32), weights `(B, K, S)` after the softmax, or `None`. It must be built from `keras.ops`, since it
            is traced inside a loop, and keep the shapes and dtypes of the state.
        initial_state: nest of tensors, every leaf `(B, 1, ...)`.
        memory: nest of tensors with leading axis B; handed to `step` as it is, never copied per slot.
        start_id: int, the first input.
        end_id: int, the symbol that ends an output.
        maximum_length: int, or int32 `(B,)`, in output tokens including the end symbol. An output that reaches it
            without the end symbol is cut there, with `finished` False. A limit of 0 in a tensor gives an empty output.
        batch_size: int or int32 scalar. `None` takes the leading axis of the first tensor of the state or the memory.
        forbidden_ids: further ids never generated, such as the unknown word's.
        output_length: int, the width L of the results. `None` takes the greatest maximum length. Give it where shapes
            must be known in advance (`jax.jit`, XLA) and `maximum_length` is a tensor.
        source_mask: bool `(B, S)`, True = real token; needed for the alignment only.
        return_alignment: whether to return the alignment weights.
        halvings: how often the batch is halved, once half of its sentences have ended. Changes the cost and nothing
            else. Each halving is one more copy of the step in a traced graph; 2 spares most of what can be spared in
            batches of like sentences, and batches of one want 0.

    Returns:
        dict with, N being 1:

        - `token_ids`: int32 `(B, N, L)`, end symbol included, padding 0 after it.
        - `scores`: float32 `(B, N)`, here equal to the log-probabilities.
        - `log_probabilities`: float32 `(B, N)`, in nats, end symbol included.
        - `lengths`: int32 `(B, N)`, in tokens, end symbol included.
        - `finished`: bool `(B, N)`, whether the output has its end symbol.
        - `alignment`: float32 `(B, N, L, S)`, zero rows after the end; `None` if not asked for.

    Raises:
        ValueError: for impossible lengths or ids, for a state that changes its shape, and if the alignment is asked
            for without `source_mask` or the step gives no weights.

    Example:
    ```python
    import numpy as np
    from keras import ops
    from keras_attention.decoding import greedy_decode

    # A model that always says token 4, token 5, end, whatever the source.
    logits = ops.convert_to_tensor(10 * np.eye(6)[[4, 5, 3]], dtype="float32")

    def step(token_ids, state, memory):
        return ops.take(logits, state, axis=0), state + 1, None

    result = greedy_decode(
        step, ops.zeros((2, 1), dtype="int32"), None, start_id=2, end_id=3, maximum_length=5
    )
    print(result["token_ids"][0, 0])  # 4 5 3 0 0
    ```
    """
    never = check_token_ids(start_id, end_id, forbidden_ids)
    halvings = check_count("halvings", halvings)
    batch_size = check_batch_size(batch_size, initial_state, memory)
    limits, width = check_step_limits(batch_size, maximum_length, output_length)

    def choose(logits, position):
        return best_token(logits, never)

    return decode_paths(
        choose,
        step,
        initial_state,
        memory,
        slots=1,
        batch_size=batch_size,
        start_id=start_id,
        end_id=end_id,
        limits=limits,
        width=width,
        source_mask=source_mask,
        return_alignment=return_alignment,
        halvings=halvings,
    )

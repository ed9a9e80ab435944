"""Sampling with temperature, top-k and top-p."""

from keras import ops

from keras_attention.decoding.arguments import (
    check_batch_size,
    check_not_negative,
    check_positive_integer,
    check_step_limits,
    check_token_ids,
)
from keras_attention.decoding.random_numbers import seed_key, uniform
from keras_attention.decoding.single_path import decode_paths
from keras_attention.decoding.slots import flat_slots, gather_slots
from keras_attention.decoding.top_tokens import top_k as stable_top_k

COLDEST = 1e-6
INFINITY = float("inf")


def sample(
    step,
    initial_state,
    memory,
    *,
    seed,
    start_id,
    end_id,
    maximum_length,
    sample_count=1,
    temperature=1.0,
    top_k=None,
    top_p=1.0,
    row_ids=None,
    batch_size=None,
    forbidden_ids=(),
    output_length=None,
    source_mask=None,
    return_alignment=False,
):
    """Draw outputs token by token.

    y_t is drawn from softmax(logits / temperature), cut to the `top_k` most probable tokens, then to the nucleus: the
    fewest most probable of these whose probabilities, after temperature and top-k, add up to at least `top_p`
    (Holtzman et al. 2020). Forbidden ids are taken out before. Of equally probable tokens the lower id comes first.

    The draw is one uniform number per token, put through the inverse of the cumulative distribution. The number is a
    function of the seed, the row's id, the sample and the position only (see `random_numbers.py`), so that with
    `row_ids` given a sentence's samples are the same alone, in any batch, and in any order.

    Arguments and results not named here are those of `greedy_decode`.

    Args:
        step: the model's step function, called with K = `sample_count`.
        initial_state: nest of tensors, every leaf `(B, 1, ...)`.
        memory: nest of tensors with leading axis B.
        seed: int, or `keras.random.SeedGenerator` for new samples at every call, also of a traced function.
        start_id: int, the first input.
        end_id: int, the symbol that ends an output.
        maximum_length: int, or int32 `(B,)`, in output tokens including the end symbol.
        sample_count: int N, samples per sentence.
        temperature: float of at least 0. Below 1 surer, above 1 more varied; below 1e-6 greedy, which is its limit.
        top_k: int or `None` for no cut. Beyond the vocabulary it cuts nothing.
        top_p: float above 0, at most 1, which cuts nothing. Without `top_k` it sorts the whole vocabulary at every
            step; with it only the k.
        row_ids: int32 `(B,)`, such as the sentences' numbers in a corpus. `None` takes the places in the batch.
        batch_size: int or int32 scalar; see `greedy_decode`.
        forbidden_ids: further ids never generated.
        output_length: int, the width L of the results; see `greedy_decode`.
        source_mask: bool `(B, S)`, True = real token; needed for the alignment only.
        return_alignment: whether to return the alignment weights.

    Returns:
        The dict that `greedy_decode` describes, the N samples in the order of drawing, not of score. Scores and
        log-probabilities are the model's own, as they are before temperature and cuts.

    Raises:
        ValueError: as `greedy_decode`, and for `temperature`, `top_k`, `top_p`, `sample_count` or `seed` out of range.

    Example:
    ```python
    import numpy as np
    from keras import ops
    from keras_attention.decoding import sample

    logits = ops.convert_to_tensor(np.log([1e-9, 1e-9, 1e-9, 0.5, 0.25, 0.25]), dtype="float32")

    def step(token_ids, state, memory):
        return ops.broadcast_to(logits, (*token_ids.shape, 6)), state, None

    result = sample(
        step, {}, None, seed=1, batch_size=2, start_id=2, end_id=3, maximum_length=8, sample_count=4, top_k=2
    )
    print(result["token_ids"].shape)  # (2, 4, 8); tokens 3 and 4 only
    ```
    """
    sample_count = check_positive_integer("sample_count", sample_count)
    temperature = check_not_negative("temperature", temperature)
    if top_k is not None:
        top_k = check_positive_integer("top_k", top_k)
    if isinstance(top_p, (bool, str)) or top_p is None or not 0.0 < top_p <= 1.0:
        raise ValueError(f"`top_p` must be above 0 and at most 1. Received: top_p={top_p}")
    if temperature < COLDEST:
        top_k, temperature = 1, 1.0
    never = check_token_ids(start_id, end_id, forbidden_ids)
    key = seed_key(seed)
    batch_size = check_batch_size(batch_size, initial_state, memory)
    limits, width = check_step_limits(batch_size, maximum_length, output_length)
    row_ids = ops.arange(batch_size, dtype="int32") if row_ids is None else ops.convert_to_tensor(row_ids)
    if len(row_ids.shape) != 1:
        raise ValueError(f"`row_ids` must be of shape (batch,). Received: row_ids.shape={tuple(row_ids.shape)}")
    noise = uniform(key, row_ids, sample_count, width)

    def choose(logits, position):
        shape = ops.shape(logits)
        rows = shape[0] * shape[1]
        logits = ops.reshape(ops.cast(logits, "float32"), (rows, shape[2]))
        probabilities, ids = filtered_distribution(logits, temperature, top_k, top_p, never)
        draws = ops.reshape(ops.take(noise, position, axis=0), (rows, 1))
        tokens = draw(probabilities, draws)
        if ids is not None:
            tokens = gather_slots(ids, flat_slots(tokens, ids.shape[1]))
        chosen = ops.take_along_axis(logits, tokens, axis=-1)
        gains = chosen - ops.logsumexp(logits, axis=-1, keepdims=True)
        return ops.reshape(tokens, shape[:2]), ops.reshape(gains, shape[:2])

    return decode_paths(
        choose,
        step,
        initial_state,
        memory,
        slots=sample_count,
        batch_size=batch_size,
        start_id=start_id,
        end_id=end_id,
        limits=limits,
        width=width,
        source_mask=source_mask,
        return_alignment=return_alignment,
    )


def filtered_distribution(logits, temperature, top_k, top_p, forbidden_ids):
    """Return what is drawn from: probabilities `(R, C)` and their token ids int32 `(R, C)`.

    Without cuts C is V and the ids are `None`: column = token. With cuts the columns are in descending order of
    probability, what is cut off has 0, and C is `min(V, top_k)`. Each row adds up to the kept share of 1.

    Args:
        logits: float32 `(R, V)`, V static.
        temperature: float above 0.
        top_k: int or `None`.
        top_p: float in (0, 1].
        forbidden_ids: tuple of ints that get no probability.
    """
    vocabulary_size = logits.shape[-1]
    barred = [-INFINITY if token_id in forbidden_ids else 0.0 for token_id in range(vocabulary_size)]
    logits = logits + ops.convert_to_tensor(barred, dtype="float32")
    if top_k is None and top_p == 1.0:
        greatest = ops.max(logits, axis=-1, keepdims=True)
        return ops.softmax((logits - greatest) / temperature, axis=-1), None
    values, ids = stable_top_k(logits, min(vocabulary_size, top_k or vocabulary_size))
    if ids.shape[-1] == 1:
        return ops.ones_like(values), ids
    probabilities = ops.softmax((values - values[:, :1]) / temperature, axis=-1)
    if top_p < 1.0:
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        # The first always stays, since nothing is before it.
        probabilities = ops.where(before < top_p, probabilities, 0.0)
    return probabilities, ids


def draw(probabilities, uniform_numbers):
    """Return int32 `(R, 1)`: the first column at which the cumulative sum exceeds the number times the total.

    Probabilities `(R, C)` need not add up to 1; numbers are `(R, 1)` in [0, 1). A column of 0 is never drawn.
    """
    cumulative = ops.cumsum(probabilities, axis=-1)
    exceeds = cumulative > uniform_numbers * cumulative[:, -1:]
    return ops.cast(ops.argmax(ops.cast(exceeds, "int32"), axis=-1, keepdims=True), "int32")

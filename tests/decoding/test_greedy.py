"""Greedy decoding against a plain loop."""

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import greedy_decode

PAD, UNKNOWN, START, END = 0, 1, 2, 3


def decode(model, **kwargs):
    return greedy_decode(model.step, model.state, model.memory, **{"start_id": START, "end_id": END, **kwargs})


def slow_greedy(model, sentence, limit, forbidden=()):
    output, total = (), 0.0
    while len(output) < limit and (not output or output[-1] != END):
        log_probabilities, _ = model.log_softmax(sentence, output)
        token = max(sorted([*model.tokens(forbidden), END]), key=lambda t: log_probabilities[t])
        output, total = (*output, token), total + log_probabilities[token]
    return output, total


@pytest.mark.parametrize("forbidden", [(), (UNKNOWN,)])
def test_equals_the_plain_loop(table_model, as_numpy, cut, forbidden):
    model = table_model(seed=2, batch=30, vocabulary=6)
    limits = np.arange(30) % 4 + 1
    result = as_numpy(
        decode(model, maximum_length=limits, forbidden_ids=forbidden, source_mask=model.mask, return_alignment=True)
    )
    assert result["token_ids"].shape == (30, 1, 4)
    for b in range(30):
        output, total = slow_greedy(model, b, limits[b], forbidden)
        length = result["lengths"][b, 0]
        assert cut(result["token_ids"][b, 0], length) == output
        assert result["finished"][b, 0] == (output[-1] == END)
        np.testing.assert_allclose(result["log_probabilities"][b, 0], total, rtol=1e-5)
        np.testing.assert_allclose(result["scores"][b, 0], total, rtol=1e-5)
        weights = [model.log_softmax(b, output[:i])[1] for i in range(length)]
        np.testing.assert_allclose(result["alignment"][b, 0, :length], weights, rtol=1e-6)
        assert not result["alignment"][b, 0, length:].any()
    assert {True, False} == set(result["finished"][:, 0].tolist())


def test_padding_and_start_are_never_generated_even_when_they_are_likeliest(table_model, as_numpy):
    model = table_model(seed=4, batch=10)
    model.logits[..., [PAD, START]] += 50.0
    result = as_numpy(decode(model, maximum_length=4))
    for tokens, length in zip(result["token_ids"][:, 0], result["lengths"][:, 0]):
        assert length > 0
        assert not np.isin(tokens[:length], [PAD, START]).any()


def test_equal_tokens_the_lowest_id_wins(as_numpy):
    def step(token_ids, state, memory):
        return ops.zeros((*ops.shape(token_ids), 3000), dtype="float32"), state, None

    result = as_numpy(greedy_decode(step, {}, None, batch_size=2, start_id=START, end_id=END, maximum_length=3))
    assert result["token_ids"][:, 0].tolist() == [[UNKNOWN] * 3] * 2
    result = as_numpy(
        greedy_decode(
            step, {}, None, batch_size=2, start_id=START, end_id=END, maximum_length=3, forbidden_ids=[UNKNOWN]
        )
    )
    assert result["token_ids"][:, 0].tolist() == [[END, 0, 0]] * 2


def test_half_precision_logits_are_normalized_in_float32(as_numpy):
    """In float16 a sum of 4,000 probabilities loses the last digits; log 4000 = 8.294."""

    def step(token_ids, state, memory):
        return ops.zeros((*ops.shape(token_ids), 4000), dtype="float16"), state, None

    result = as_numpy(greedy_decode(step, {}, None, batch_size=1, start_id=START, end_id=END, maximum_length=1))
    assert result["log_probabilities"].dtype == np.float32
    np.testing.assert_allclose(result["log_probabilities"], [[-np.log(4000)]], rtol=1e-6)


def test_the_loop_ends_with_the_last_sentence():
    table = np.full((2000, 6), -20.0, "float32")
    table[:2, 4] = 0.0
    table[2:, END] = 0.0
    table = ops.convert_to_tensor(table)
    steps = []

    def step(token_ids, state, memory):
        steps.append(1)
        return ops.take(table, state, axis=0), state + 1, None

    state = ops.convert_to_tensor([[0], [1], [2]], dtype="int32")
    result = greedy_decode(step, state, None, start_id=START, end_id=END, maximum_length=1000)
    assert ops.convert_to_numpy(result["lengths"]).tolist() == [[3], [2], [1]]
    assert ops.convert_to_numpy(result["token_ids"])[:, 0, :4].tolist() == [[4, 4, 3, 0], [4, 3, 0, 0], [3, 0, 0, 0]]
    assert len(steps) <= 3


def test_neighbours_and_their_order_change_nothing(table_model, as_numpy):
    model = table_model(seed=7, batch=8, vocabulary=6)
    limits = np.array([4, 1, 3, 2, 4, 4, 2, 3])
    whole = as_numpy(decode(model, maximum_length=limits))
    for order in ([7, 0, 3, 1, 2, 6, 5, 4], [5], [2, 2]):
        some = as_numpy(decode(model.rows(order), maximum_length=limits[order], output_length=4))
        np.testing.assert_array_equal(some["token_ids"], whole["token_ids"][order])
        np.testing.assert_array_equal(some["lengths"], whole["lengths"][order])
        np.testing.assert_allclose(some["scores"], whole["scores"][order], rtol=1e-6)


def test_an_empty_batch_and_a_limit_of_zero(table_model, as_numpy):
    result = as_numpy(decode(table_model().rows([]), maximum_length=4))
    assert result["token_ids"].shape == (0, 1, 4)
    assert result["lengths"].shape == (0, 1)
    result = as_numpy(decode(table_model(batch=2), maximum_length=np.array([0, 2])))
    assert result["lengths"][0, 0] == 0
    assert result["lengths"][1, 0] > 0
    assert not result["finished"][0, 0]


def test_output_length_sets_the_width_and_cuts(table_model, as_numpy):
    model = table_model(seed=2, batch=5)
    result = as_numpy(decode(model, maximum_length=np.array([1, 2, 3, 4, 4]), output_length=2))
    assert result["token_ids"].shape == (5, 1, 2)
    assert (result["lengths"] <= 2).all()
    assert as_numpy(decode(model, maximum_length=2, output_length=7))["token_ids"].shape == (5, 1, 7)


def test_alignment_of_a_model_that_has_none(table_model):
    model = table_model()
    with pytest.raises(ValueError, match="gave none"):
        greedy_decode(
            model.step_without_weights,
            model.state,
            model.memory,
            start_id=START,
            end_id=END,
            maximum_length=3,
            source_mask=model.mask,
            return_alignment=True,
        )

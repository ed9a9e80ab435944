"""Sampling: what is drawn from, against a plain loop; how often, against the probabilities; and whose noise it is."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import greedy_decode, sample
from keras_attention.decoding.random_numbers import seed_key, threefry, uniform
from keras_attention.decoding.sampling import draw, filtered_distribution

PAD, UNKNOWN, START, END = 0, 1, 2, 3


def run(model, **kwargs):
    kwargs = {"start_id": START, "end_id": END, "maximum_length": 4, "seed": 1, **kwargs}
    return sample(model.step, model.state, model.memory, **kwargs)


def slow_distribution(logits, temperature, top_k, top_p, forbidden):
    order = sorted((i for i in range(len(logits)) if i not in forbidden), key=lambda i: (-logits[i], i))
    order = order[:top_k]
    probabilities = np.exp((logits[order].astype("float64") - logits[order].max()) / temperature)
    probabilities /= probabilities.sum()
    kept, total = np.zeros(len(logits)), 0.0
    for i, p in zip(order, probabilities):
        if top_p < 1 and total >= top_p:
            break
        kept[i] = p
        total += p
    return kept


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("top_k", [None, 1, 5, 500])
@pytest.mark.parametrize("top_p", [1.0, 0.9, 0.31, 1e-6])
def test_the_distribution_equals_the_plain_loop(temperature, top_k, top_p):
    logits = np.random.default_rng(3).normal(size=(7, 40)).astype("float32") * 2
    logits[0, 10:20] = 3.0  # equal ones
    found, ids = filtered_distribution(ops.convert_to_tensor(logits), temperature, top_k, top_p, (0, 2))
    found = ops.convert_to_numpy(found)
    spread = found if ids is None else np.zeros_like(logits)
    if ids is not None:
        np.put_along_axis(spread, ops.convert_to_numpy(ids), found, axis=-1)
    expected = np.stack([slow_distribution(row, temperature, top_k, top_p, (0, 2)) for row in logits])
    np.testing.assert_array_equal(spread > 0, expected > 0)
    np.testing.assert_allclose(spread, expected, rtol=1e-4, atol=1e-7)


def test_a_nucleus_by_hand():
    """.5 .3 .15 .05: a nucleus of .6 is the first two, of .8 too, of .81 the first three."""
    logits = ops.convert_to_tensor(np.log([[0.5, 0.3, 0.15, 0.05]]), dtype="float32")

    def size(top_p):
        return int(ops.sum(filtered_distribution(logits, 1.0, None, top_p, ())[0] > 0))

    assert [size(p) for p in (0.4, 0.6, 0.799, 0.81, 0.96)] == [1, 2, 2, 3, 4]


def test_draw_inverts_the_cumulative_distribution():
    probabilities = ops.convert_to_tensor([[0.0, 0.5, 0.0, 0.25, 0.0]] * 5, dtype="float32")
    numbers = ops.convert_to_tensor([[0.0], [0.66], [0.67], [0.9], [1 - 2.0**-23]], dtype="float32")
    assert ops.convert_to_numpy(draw(probabilities, numbers))[:, 0].tolist() == [1, 1, 3, 3, 3]


def test_samples_are_as_frequent_as_their_probabilities(table_model, as_numpy):
    """20,000 samples of 7 possible outputs; the bound is five standard deviations."""
    model = table_model(seed=5, batch=2, vocabulary=5, scale=1.0)
    model.logits[..., [PAD, START]] = -30.0
    count = 20_000
    result = as_numpy(run(model, sample_count=count, maximum_length=2))
    for b in range(2):
        for _, log_probability, output in model.outputs(b, 2):
            p = np.exp(log_probability)
            row = np.array([*output, 0][:2])
            same = (result["token_ids"][b] == row).all(-1)
            assert abs(same.mean() - p) < 5 * np.sqrt(p * (1 - p) / count)
            np.testing.assert_allclose(result["log_probabilities"][b][same], log_probability, rtol=1e-4)


@pytest.mark.parametrize("kwargs", [{"temperature": 0.0}, {"temperature": 1e-4}, {"top_k": 1}, {"top_p": 1e-9}])
def test_the_limits_are_greedy(table_model, as_numpy, kwargs):
    model = table_model(seed=6, batch=20, vocabulary=6)
    limits = np.arange(20) % 4 + 1
    greedy = as_numpy(
        greedy_decode(model.step, model.state, model.memory, start_id=START, end_id=END, maximum_length=limits)
    )
    result = as_numpy(run(model, maximum_length=limits, sample_count=2, **kwargs))
    for n in range(2):
        np.testing.assert_array_equal(result["token_ids"][:, n], greedy["token_ids"][:, 0])
        np.testing.assert_allclose(result["scores"][:, n], greedy["scores"][:, 0], rtol=1e-5)


@pytest.mark.parametrize("kwargs", [{}, {"top_k": 3}, {"top_p": 0.8}])
def test_neighbours_their_order_and_the_number_of_samples_change_nothing(table_model, as_numpy, kwargs):
    model = table_model(seed=7, batch=8, vocabulary=6)
    limits = np.array([4, 1, 3, 2, 4, 4, 2, 3])
    whole = as_numpy(run(model, maximum_length=limits, sample_count=5, row_ids=np.arange(8), **kwargs))
    for order, count in (([7, 0, 3, 1, 2, 6, 5, 4], 5), ([5], 3), ([2, 2], 1)):
        some = as_numpy(
            run(
                model.rows(order),
                maximum_length=limits[order],
                sample_count=count,
                row_ids=np.array(order),
                output_length=6,
                **kwargs,
            )
        )
        np.testing.assert_array_equal(some["token_ids"][..., :4], whole["token_ids"][order][:, :count])
    # The same sentence under other row ids, and other samples of it, differ.
    copies = as_numpy(run(model.rows([0] * 8), sample_count=8, **kwargs))["token_ids"]
    assert len({copies[b].tobytes() for b in range(8)}) > 4
    assert len({copies[0, n].tobytes() for n in range(8)}) > 1


def test_seeds(table_model, as_numpy):
    model = table_model(seed=8, batch=6, vocabulary=6)

    def tokens(seed):
        return as_numpy(run(model, seed=seed, sample_count=6))["token_ids"].tolist()

    assert tokens(1) == tokens(1)
    assert tokens(1) != tokens(2)
    assert tokens(1) != tokens(1 + 2**32)
    generator, again = keras.random.SeedGenerator(1), keras.random.SeedGenerator(1)
    first, second = tokens(generator), tokens(generator)
    assert first != second
    assert [tokens(again), tokens(again)] == [first, second]


def test_threefry_gives_the_published_numbers():
    """The known answers that its authors publish with Random123, for 20 rounds."""
    pi = (0x13198A2E, 0x03707344, 0x243F6A88, 0x85A308D3)
    for words, answer in (
        ((0, 0, 0, 0), (0x6B200159, 0x99BA4EFE)),
        ((-1, -1, -1, -1), (0x1CB996FC, 0xBB002BE7)),
        (pi, (0xC4923A9C, 0x483DF7A0)),
    ):
        words = [seed_key(word)[0] for word in words]
        found = threefry(words[:2], words[2:])
        assert tuple(int(word) & 0xFFFFFFFF for word in found) == answer


def test_uniform_numbers_are_uniform_and_uncorrelated():
    numbers = ops.convert_to_numpy(uniform(seed_key(3), ops.arange(60, dtype="int32"), 5, 70))
    assert numbers.shape == (70, 60, 5)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
    assert (np.abs(counts - 1050) < 5 * np.sqrt(1050)).all()
    for axis in range(3):
        a, b = (
            np.take(numbers, range(1, numbers.shape[axis]), axis),
            np.take(numbers, range(numbers.shape[axis] - 1), axis),
        )
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.04


def test_an_empty_batch(table_model, as_numpy):
    assert as_numpy(run(table_model().rows([]), sample_count=2))["token_ids"].shape == (0, 2, 4)


@pytest.mark.parametrize(
    "kwargs,message",
    [
        ({"temperature": -0.5}, "temperature=-0.5"),
        ({"temperature": float("inf")}, "temperature=inf"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_k": 2.5}, "top_k=2.5"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"top_p": 1.1}, "top_p=1.1"),
        ({"sample_count": 0}, "sample_count=0"),
        ({"seed": None}, "seed=None"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"row_ids": np.zeros((3, 1), "int32")}, "row_ids"),
    ],
)
def test_bad_arguments_are_named(table_model, kwargs, message):
    with pytest.raises(ValueError, match=message):
        run(table_model(), **kwargs)

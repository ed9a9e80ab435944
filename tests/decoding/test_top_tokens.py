"""The search for the best tokens against a full sort, with ties and odd sizes."""

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding.top_tokens import best_token, top_k, top_tokens


def slow_top(row, count):
    return sorted(range(len(row)), key=lambda i: (-row[i], i))[:count]


@pytest.mark.parametrize("levels", [3, 50, None])
@pytest.mark.parametrize("size", [5, 100, 1023, 1024, 2048, 3001, 8000])
def test_top_tokens(size, levels):
    """Few levels make many ties; 3001 is a prime, so its chunks need padding."""
    random = np.random.default_rng(size)
    logits = random.normal(size=(2, 3, size)).astype("float32")
    if levels:
        logits = np.round(logits * levels / 8).astype("float32") + 0.0  # no -0, which JAX puts behind 0
    forbidden = (0, 2, int(logits[0, 0].argmax()) or 1)
    log_probabilities, ids = map(ops.convert_to_numpy, top_tokens(ops.convert_to_tensor(logits), 4, forbidden))
    best, best_log = map(ops.convert_to_numpy, best_token(ops.convert_to_tensor(logits), forbidden))
    exact = logits.astype("float64")
    exact = exact - np.log(np.exp(exact).sum(-1, keepdims=True))
    count = min(size, 4 + len(forbidden))
    assert ids.shape == (2, 3, count)
    for b, k in np.ndindex(2, 3):
        expected = slow_top(logits[b, k], count)
        assert ids[b, k].tolist() == expected
        allowed = [i for i in expected if i not in forbidden]
        for i, value in zip(expected, log_probabilities[b, k]):
            assert value == -np.inf if i in forbidden else abs(value - exact[b, k, i]) < 1e-5
        assert best[b, k] == allowed[0]
        assert abs(best_log[b, k] - exact[b, k, allowed[0]]) < 1e-5


def test_extreme_logits():
    """A certain token has log-probability 0 and not more; one at minus infinity stays there; nothing is NaN."""
    logits = np.zeros((1, 3, 6), "float32")
    logits[0, 0, 4] = 1e4
    logits[0, 1, 4] = -np.inf
    logits[0, 2] = -1e4
    log_probabilities, ids = map(ops.convert_to_numpy, top_tokens(ops.convert_to_tensor(logits), 6, ()))
    assert not np.isnan(log_probabilities).any()
    assert (log_probabilities <= 0).all()
    assert ids[0, 0, 0] == 4
    assert log_probabilities[0, 0, 0] == 0
    assert log_probabilities[0, 0, 1] == pytest.approx(-1e4)
    assert ids[0, 1, -1] == 4
    assert log_probabilities[0, 1, -1] == -np.inf
    np.testing.assert_allclose(log_probabilities[0, 2], -np.log(6), rtol=1e-6)


def test_top_k_orders_equal_values_by_position():
    x = np.array([[1, 3, 3, 0, 3, 1], [0, 0, 0, 0, 0, 0], [5, 4, 3, 2, 1, 0]], "float32")
    values, positions = top_k(ops.convert_to_tensor(x), 4)
    assert ops.convert_to_numpy(positions).tolist() == [[1, 2, 4, 0], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert ops.convert_to_numpy(values)[0].tolist() == [3, 3, 3, 1]

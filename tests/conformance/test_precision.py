"""In half precision: finite, near to float32, and float32 where it is promised."""

import keras
import numpy as np
import pytest
from conformance.row import built_pair, call, numbers
from conformance.rows import LAYERS, LOSSES, METRICS, MODELS

# Largest difference allowed, of outputs of about 1: bfloat16 has 8 bits, float16 has 11, and errors add up.
TOLERANCE = {"mixed_bfloat16": 6e-2, "bfloat16": 8e-2, "mixed_float16": 1e-2, "float16": 2e-2}


# Models mix only: variables in bfloat16 itself cannot be drawn orthogonal (TensorFlow has no QR for it).
CASES = [(row, policy) for row in LAYERS for policy in TOLERANCE]
CASES += [(row, policy) for row in MODELS for policy in TOLERANCE if policy.startswith("mixed")]


@pytest.mark.parametrize("row, policy", CASES, ids=str)
def test_near_to_float32(row, policy):
    reference, instance = built_pair(row, dtype=policy)
    outputs = call(instance, row.sample())
    for number in row.float32_outputs:
        assert keras.backend.standardize_dtype(outputs[number].dtype) == "float32"
    for got, expected in zip(numbers(outputs), numbers(call(reference, row.sample()))):
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, expected, atol=TOLERANCE[policy] * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("row", [row for row in LAYERS if row.rows_of_weights], ids=str)
def test_softmax_is_in_float32(row, policy):
    """In bfloat16 a row of weights would sum to 1 only within 0.01."""
    outputs = numbers(call(row.make(dtype=policy), row.sample()))
    for number in row.rows_of_weights:
        np.testing.assert_allclose(outputs[number].sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("row", [*LOSSES, *METRICS], ids=str)
def test_losses_and_metrics_compute_in_float32(row, dtype):
    """A low-precision prediction is taken as it is, and everything after that is float32."""
    (y_true, y_pred), kwargs = row.sample()
    low = keras.ops.cast(y_pred, dtype)
    (got,) = call(row.make(), ((y_true, low), kwargs))
    (expected,) = call(row.make(), ((y_true, keras.ops.cast(low, "float32")), kwargs))
    assert keras.backend.standardize_dtype(got.dtype) == "float32"
    np.testing.assert_allclose(numbers([got])[0], numbers([expected])[0], rtol=1e-6)


@pytest.mark.parametrize("row", [row for row in LAYERS if row.rows_of_weights], ids=str)
def test_scores_are_in_float32(row):
    """Large inputs in float16: a score or softmax in float16 overflows, or loses its ties."""
    args, kwargs = row.sample()
    args = keras.tree.map_structure(lambda x: x * 60, args)
    for value in numbers(call(row.make(dtype="mixed_float16"), (args, kwargs))):
        assert np.isfinite(value).all()

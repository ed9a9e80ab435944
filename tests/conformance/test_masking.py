"""Padding, more of it or another content of it, changes nothing; nothing but padding gives no NaN."""

import keras
import numpy as np
import pytest
from conformance.row import as_tensors, assert_same, call, numbers
from conformance.rows import ROWS

MASKED = [row for row in ROWS if not row.position_wise]


@pytest.mark.parametrize("row", MASKED, ids=str)
def test_padding_changes_nothing(row):
    instance = row.make()
    expected = row.real(numbers(call(instance, row.sample())))
    for options in ({"content": 1}, {"padding": 1}, {"padding": 3, "content": 2}):
        got = row.real(numbers(call(instance, row.sample(**options))))
        assert_same(got, expected, atol=1e-5)


@pytest.mark.parametrize("row", [row for row in MASKED if row.kind in ("layer", "model")], ids=str)
def test_neighbours_in_the_batch_change_nothing(row):
    """An empty last sequence leaves the outputs of the first as they are."""
    instance = row.make()
    whole = numbers(call(instance, row.sample()))
    emptied = numbers(call(instance, row.sample(empty=True)))
    assert_same([x[:1] for x in emptied], [x[:1] for x in whole], atol=1e-5)
    assert any((a[1:] != b[1:]).any() for a, b in zip(whole, emptied)), "the sample is not emptied"


# Losses and metrics compute in float32 under every policy.
CASES = [(row, None) for row in ROWS if row.kind in ("loss", "metric")]
CASES += [
    (row, policy)
    for row in ROWS
    if row.kind in ("layer", "model")
    for policy in ("float32", "mixed_bfloat16", "mixed_float16")
]


@pytest.mark.parametrize("row, policy", CASES, ids=str)
def test_a_sequence_of_padding_alone(row, policy):
    """Finite outputs and gradients, and rows of weights that are zero and not NaN."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    instance = row.make(dtype=policy) if policy else row.make()
    args, kwargs = as_tensors(row.sample(padding=1, empty=True))
    watched = [x for x in keras.tree.flatten((args, kwargs)) if tf.is_tensor(x) and x.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = call(instance, (args, kwargs))
        loss = tf.add_n([tf.reduce_sum(tf.square(tf.cast(x, "float32"))) for x in outputs])
    for x in numbers(outputs):
        assert np.isfinite(x).all()
    for number in row.rows_of_weights:
        weights = numbers(outputs)[number]
        sums = weights[-1].sum(-1)
        assert (np.isclose(sums, 0, atol=1e-6) | np.isclose(sums, 1, atol=1e-4)).all()
    if row.kind == "metric":
        return
    variables = getattr(instance, "trainable_variables", [])
    gradients = [g for g in tape.gradient(loss, [*watched, *variables]) if g is not None]
    assert gradients or not [*watched, *variables]
    for gradient in gradients:
        assert np.isfinite(tf.cast(tf.convert_to_tensor(gradient), "float32").numpy()).all()

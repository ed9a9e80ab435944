"""Steps made for the live hypotheses only give what steps for all of them give."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import RowStep, beam_search
from keras_attention.decoding.row_step import ROWS_UNIT, choose_rows
from keras_attention.models import RNNSearch

not_jax = pytest.mark.skipif(keras.backend.backend() == "jax", reason="shapes change from step to step")
BEAM = {"start_id": 2, "end_id": 3, "beam_width": 4, "n_best": 4, "length_normalization": 0.6, "output_length": 4}


def row_step(model, counts=None):
    """Return a `RowStep` of a `TableModel`; `counts` collects how many rows were asked for."""

    def advance(token_ids, state, memory, slots, rows, places):
        if rows is not None and counts is not None:
            counts.append(rows.shape[0])
        if rows is None:
            rows = places = ops.arange(ops.shape(token_ids)[0], dtype="int32")
        prefix = state["prefix"]
        prefix = ops.where(prefix < 0, 0, prefix * model.vocabulary + token_ids + 1)
        depth = ops.shape(memory["logits"])[1]
        found = ops.minimum(ops.maximum(prefix, 0), depth - 1) + rows // slots * depth
        logits = ops.take(ops.reshape(memory["logits"], (-1, model.vocabulary)), found, axis=0)
        weights = ops.take(ops.reshape(memory["weights"], (-1, model.source)), ops.take(found, places), axis=0)
        if counts is not None:  # what must not be read is poison: rows that fill up, and the places of those left out
            logits = ops.where(ops.expand_dims(token_ids == 0, -1), np.nan, logits)
            left_out = ops.take(rows, places) != ops.arange(ops.shape(places)[0], dtype="int32")
            weights = ops.where(ops.expand_dims(left_out, -1), np.nan, weights)
        return logits, {"prefix": prefix}, ops.reshape(weights, (-1, slots, model.source))

    return RowStep(advance)


def test_rows_by_hand():
    """Of 20 hypotheses 3 live: 16 rows, the live ones first, and each finds its way back."""
    live = np.zeros((4, 5), bool)
    live[0, 2] = live[1, 0] = live[3, 4] = True
    rows, places = (ops.convert_to_numpy(x) for x in choose_rows(ops.convert_to_tensor(live)))
    assert rows[:3].tolist() == [2, 5, 19]
    assert len(rows) == ROWS_UNIT
    assert places[[2, 5, 19]].tolist() == [0, 1, 2]
    assert places.shape == (20,)
    assert 0 <= places.min() <= places.max() < len(rows)


@pytest.mark.parametrize("live, expected", [(0, 0), (1, 16), (16, 16), (17, 32), (39, 40), (40, 40)])
def test_number_of_rows(live, expected):
    """A multiple of 16, and never more than there are."""
    rows, places = choose_rows(ops.convert_to_tensor(np.arange(40).reshape(8, 5) < live))
    assert rows.shape[0] == expected
    assert sorted(set(ops.convert_to_numpy(rows).tolist())) == sorted(ops.convert_to_numpy(rows).tolist())
    places = ops.convert_to_numpy(places)
    assert (places >= 0).all()
    assert (places < max(1, expected)).all()


@not_jax
@pytest.mark.parametrize("batch", [1, 3, 17])
@pytest.mark.parametrize("halvings", [0, 2])
@pytest.mark.parametrize("coverage", [0.0, 0.2])
def test_live_rows_change_nothing(table_model, as_numpy, batch, halvings, coverage):
    model = table_model(seed=batch, batch=batch, vocabulary=7)
    options = {**BEAM, "maximum_length": np.arange(batch) % 5, "source_mask": model.mask, "return_alignment": True}
    options["coverage_penalty"] = coverage
    expected = as_numpy(beam_search(model.step, model.state, model.memory, **options))
    counts = []
    options["halvings"] = halvings
    for live_rows in (False, True):
        step = row_step(model, counts if live_rows else None)
        found = as_numpy(beam_search(step, model.state, model.memory, live_rows=live_rows, **options))
        for key in expected:
            np.testing.assert_allclose(found[key], expected[key], rtol=1e-6, err_msg=key)
    if batch == 17:
        assert len(counts) > 0
        assert max(counts) < 17 * 4


@pytest.mark.parametrize("leaf", [np.zeros((2, 1, 0), "float32"), np.zeros((2, 1, 3), "float32")])
def test_leaves_of_any_width(leaf):
    """The state may hold nothing at all, or in a graph something as wide as the source."""
    table = ops.convert_to_tensor(np.eye(6, k=1, dtype="float32"))

    def advance(token_ids, state, memory, slots, rows, places):
        return ops.take(table, token_ids, axis=0), {"kept": state["kept"] + 1.0}, None

    def decode(leaf, live_rows):
        options = {"start_id": 2, "end_id": 3, "maximum_length": 4, "beam_width": 2, "output_length": 4}
        return beam_search(RowStep(advance), {"kept": leaf}, None, live_rows=live_rows, **options)["token_ids"]

    functions = [decode]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec((None, 1, None))]
        functions.append(lambda x, live: tf.function(lambda y: decode(y, live), input_signature=signature)(x))
    for function in functions:
        for live_rows in (False, True) if keras.backend.backend() != "jax" else (False,):
            found = ops.convert_to_numpy(function(ops.convert_to_tensor(leaf), live_rows))
            assert found[:, 0].tolist() == [[3, 0, 0, 0]] * 2


@not_jax
def test_any_other_step_is_called_as_ever(table_model, as_numpy):
    model = table_model(seed=4, batch=5, vocabulary=7)
    expected = as_numpy(beam_search(model.step, model.state, model.memory, maximum_length=4, **BEAM))
    found = as_numpy(beam_search(model.step, model.state, model.memory, maximum_length=4, live_rows=True, **BEAM))
    np.testing.assert_array_equal(found["token_ids"], expected["token_ids"])


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="other backends have such shapes")
def test_refused_on_jax(table_model):
    model = table_model()
    with pytest.raises(ValueError, match="JAX"):
        beam_search(row_step(model), model.state, model.memory, maximum_length=4, live_rows=True, **BEAM)


@not_jax
def test_one_trace_for_every_batch(table_model, as_numpy):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("graphs are TensorFlow's")
    model = table_model(seed=1, batch=9, vocabulary=7)
    counts = []

    @tf.function(input_signature=[tf.TensorSpec((None, None, 7)), tf.TensorSpec((None, None, 3))])
    def decode(logits, weights):
        return beam_search(
            row_step(model, counts),
            {"prefix": tf.fill((tf.shape(logits)[0], 1), -1)},
            {"logits": logits, "weights": weights},
            maximum_length=4,
            halvings=1,
            live_rows=True,
            **BEAM,
        )["token_ids"]

    expected = as_numpy(beam_search(model.step, model.state, model.memory, maximum_length=4, **BEAM))
    for count in (9, 1, 4, 0):
        found = decode(tf.constant(model.logits[:count]), tf.constant(model.weights[:count]))
        np.testing.assert_array_equal(found, expected["token_ids"][:count])
    assert decode.experimental_get_tracing_count() == 1
    assert len(counts) == 2  # of the whole batch and of its half, traced once each


@not_jax
@pytest.mark.parametrize("reset_after", [False, True])
def test_rows_of_rnn_search(reset_after):
    """Of 12 hypotheses 5 live: their logits and states are those of a step for all."""
    keras.utils.set_random_seed(3)
    model = RNNSearch(11, 12, embedding_dim=6, encoder_units=4, decoder_units=5, attention_units=3, maxout_units=3,
                      reset_after=reset_after)  # fmt: skip
    memory = model.encode(np.array([[4, 5, 6, 3], [7, 3, 0, 0], [8, 9, 3, 0]]))
    step, memory = model.prepare_decoding(memory)
    state = keras.random.normal((3, 4, 5), seed=1)
    tokens = ops.convert_to_tensor(np.arange(12).reshape(3, 4), dtype="int32")
    logits, new_state, weights = step(tokens, state, memory)
    rows = np.array([1, 4, 5, 8, 11], "int32")
    places = np.zeros(12, "int32")
    places[rows] = np.arange(5)
    rows, places = ops.convert_to_tensor(rows), ops.convert_to_tensor(places)
    found = step.on_rows(
        ops.take(ops.reshape(tokens, (-1,)), rows), ops.take(ops.reshape(state, (12, 5)), rows, axis=0), memory, 4,
        rows, places,
    )  # fmt: skip
    pick = lambda x: ops.convert_to_numpy(ops.take(ops.reshape(x, (12, -1)), rows, axis=0))  # noqa: E731
    for ours, expected in zip(found[:2], (logits, new_state)):
        np.testing.assert_allclose(ops.convert_to_numpy(ours), pick(expected), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pick(found[2]), pick(weights), rtol=1e-5, atol=1e-6)

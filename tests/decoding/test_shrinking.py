"""A batch that is halved as its sentences end gives what the whole batch gives."""

import keras
import numpy as np
import pytest

from keras_attention.decoding import beam_search, greedy_decode
from keras_attention.decoding.shrinking import shrinking_loop

BEAM = {"beam_width": 3, "n_best": 3, "length_normalization": 0.6}


@pytest.mark.parametrize("batch", [1, 2, 3, 17])
@pytest.mark.parametrize(
    "driver, options",
    [(greedy_decode, {}), (beam_search, BEAM), (beam_search, {**BEAM, "coverage_penalty": 0.2})],
    ids=["greedy", "beam", "coverage"],
)
@pytest.mark.parametrize("halvings", [1, 3])
def test_halvings_change_nothing(table_model, as_numpy, batch, driver, options, halvings):
    model = table_model(seed=batch, batch=batch, vocabulary=6)
    options = {
        "start_id": 2,
        "end_id": 3,
        "maximum_length": np.arange(batch) % 5,
        "output_length": 4,
        "source_mask": model.mask,
        "return_alignment": True,
        **options,
    }
    expected = as_numpy(driver(model.step, model.state, model.memory, **options))
    found = as_numpy(driver(model.step, model.state, model.memory, halvings=halvings, **options))
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-6, err_msg=key)


def test_what_has_ended_stops_costing():
    """Counts the rows that steps were made for: sentences of 1 to 8 steps, counted down one at a time."""
    if keras.backend.backend() == "jax":
        pytest.skip("JAX traces the step once and does not call it again")
    sizes = []

    def advance(loop, given):
        sizes.append(loop["left"].shape[0])
        return {"left": loop["left"] - given}

    left = np.arange(1, 9, dtype="int32")
    for halvings in (0, 2):
        sizes.clear()
        loop = shrinking_loop(
            lambda loop: loop["left"] > 0,
            advance,
            {"left": keras.ops.convert_to_tensor(left)},
            keras.ops.ones((8,), dtype="int32"),
            axes={"left": 0},
            dropped=(),
            halvings=halvings,
        )
        assert not (keras.ops.convert_to_numpy(loop["left"]) > 0).any()
        if halvings:
            assert sizes == [8] * 4 + [4] * 2 + [2] * 2
        else:
            assert sizes == [8] * 8


def test_one_trace_for_every_batch(table_model, as_numpy):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("graphs are TensorFlow's")
    model = table_model(seed=1, batch=9, vocabulary=6)
    traces = []

    @tf.function(input_signature=[tf.TensorSpec((None, None, 6)), tf.TensorSpec((None, None, None))])
    def decode(logits, weights):
        traces.append(1)
        return greedy_decode(
            model.step,
            {"prefix": tf.fill((tf.shape(logits)[0], 1), -1)},
            {"logits": logits, "weights": weights},
            start_id=2,
            end_id=3,
            maximum_length=4,
            halvings=2,
        )["token_ids"]

    expected = as_numpy(greedy_decode(model.step, model.state, model.memory, start_id=2, end_id=3, maximum_length=4))
    for count in (9, 1, 4, 0):
        found = decode(tf.constant(model.logits[:count]), tf.constant(model.weights[:count]))
        np.testing.assert_array_equal(found, expected["token_ids"][:count])
    assert len(traces) == 1


def test_wrong_halvings(table_model):
    model = table_model()
    with pytest.raises(ValueError, match="halvings=-1"):
        greedy_decode(model.step, model.state, model.memory, start_id=2, end_id=3, maximum_length=4, halvings=-1)

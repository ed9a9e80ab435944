"""What a decoding step costs, counted in the graph."""

import collections

import keras
import pytest

tf = pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("graphs are counted on TensorFlow", allow_module_level=True)

from keras_attention.decoding import greedy_decode  # noqa: E402
from keras_attention.models import RNNSearch  # noqa: E402

SIZES = {"embedding_dim": 6, "encoder_units": 4, "decoder_units": 5, "attention_units": 3, "maxout_units": 3}


def decoding_body(model, weights=None):
    """Count the operations of the decoding loop's body by type; of those on float tensors also as "float <type>"."""

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def decode(source_ids):
        memory = model.encode(source_ids)
        state = model.initial_state(memory)
        step, memory = model.prepare_decoding(memory, weights)
        return greedy_decode(step, state, memory, start_id=2, end_id=3, maximum_length=5)["token_ids"]

    graph = decode.get_concrete_function().graph
    library = {f.signature.name: f for f in graph.as_graph_def().library.function}
    loops = [n for n in graph.as_graph_def().node if n.op in ("While", "StatelessWhile")]
    bodies = [library[n.attr["body"].func.name] for n in loops]
    counted = [
        collections.Counter(n.op for n in body.node_def)
        + collections.Counter(f"float {n.op}" for n in body.node_def if n.attr["T"].type == tf.float32.as_datatype_enum)
        for body in bodies
    ]
    (body,) = [c for c in counted if c["ResourceGather"] or c["GatherV2"]]
    return body


@pytest.mark.parametrize("reset_after", [False, True])
def test_products_of_a_step(reset_after):
    """From the state, scores, from the word, context, to readout, words; and the candidate's where reset first."""
    keras.utils.set_random_seed(0)
    body = decoding_body(RNNSearch(11, 12, reset_after=reset_after, **SIZES))
    found = sum(body[name] for name in ("MatMul", "BatchMatMulV2", "BatchMatMulV3"))
    assert found == (6 if reset_after else 7)


def test_products_of_a_step_with_a_table_of_words():
    keras.utils.set_random_seed(0)
    model = RNNSearch(11, 12, reset_after=True, **SIZES)
    body = decoding_body(model, model.decoding_weights(tabulate_words=True))
    assert sum(body[name] for name in ("MatMul", "BatchMatMulV2", "BatchMatMulV3")) == 5


@pytest.mark.parametrize("tied", [False, True])
def test_a_step_puts_no_weights_together(tied):
    """No kernel is cut, joined or transposed from step to step: a concatenation of weights is made before the loop."""
    body = decoding_body(RNNSearch(11, 12, tie_embeddings=tied, **SIZES))
    assert body["float Tanh"] == 2  # of the alignment and of the candidate: the count sees floats
    assert body["float ConcatV2"] == 0
    assert body["float Transpose"] == 0


def test_operations_of_a_step():
    """What one sentence alone costs, besides reading the weights, is the number of operations of a step."""
    body = decoding_body(RNNSearch(11, 12, tie_embeddings=True, **SIZES))
    silent = ("Const", "Identity", "NoOp")
    assert sum(count for name, count in body.items() if name not in silent and not name.startswith("float ")) <= 78

"""What the loops cost, counted in the graph: no clock, so no luck."""

import collections

import keras
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the fused loops are TensorFlow's", allow_module_level=True)

from keras_attention.layers import AttentionGRU, FusedBidirectional, FusedGRU  # noqa: E402

PRODUCTS = ("MatMul", "BatchMatMulV2", "BatchMatMulV3")


def loop_bodies(function, *arguments):
    """Return, for every while loop of a traced function, a count of its body's operations by type."""
    graph = function.get_concrete_function(*arguments).graph
    library = {f.signature.name: f for f in graph.as_graph_def().library.function}
    loops = [n for n in graph.as_graph_def().node if n.op in ("While", "StatelessWhile")]
    return [collections.Counter(n.op for n in library[loop.attr["body"].func.name].node_def) for loop in loops]


def products(body):
    return sum(body[name] for name in PRODUCTS)


def gradients(layer, call):
    variables = [v.value for v in layer.trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = sum(tf.reduce_sum(x) for x in tf.nest.flatten(call()))
        return tape.gradient(loss, variables)

    return step


@pytest.mark.parametrize("reset_after, forward, backward", [(True, 4, 5), (False, 5, 6)])
def test_products_in_the_attention_loop(reset_after, forward, backward):
    """Forward: from the state, scores, context, context to gates; and the candidate where the reset comes before.

    Backward: gates to context, context to weights, v_a's gradient, the query's gradient, deltas to state; and the
    candidate's. No kernel gets its gradient in the loop.
    """
    layer = AttentionGRU(5, reset_after=reset_after)
    embeddings, annotations = (tf.constant(np.ones(shape, "float32")) for shape in ((2, 3, 4), (2, 6, 7)))
    layer.build([embeddings.shape, annotations.shape])
    bodies = loop_bodies(gradients(layer, lambda: layer([embeddings, annotations])))
    assert sorted(products(body) for body in bodies) == [forward, backward]


@pytest.mark.parametrize("reset_after", [True, False])
def test_products_in_the_gru_loop(reset_after):
    layer = FusedGRU(5, return_sequences=True, reset_after=reset_after)
    sequences = tf.constant(np.ones((2, 3, 4), "float32"))
    layer.build(sequences.shape)
    bodies = loop_bodies(gradients(layer, lambda: layer(sequences)))
    each = 1 if reset_after else 2
    assert [products(body) for body in bodies] == [each, each]


@pytest.mark.parametrize("reset_after", [True, False])
def test_both_directions_are_in_one_loop(reset_after):
    layer = FusedBidirectional(FusedGRU(5, return_sequences=True, reset_after=reset_after))
    sequences, mask = (
        tf.constant(np.ones((2, 3, 4), "float32")),
        tf.constant([[True, True, True], [True, False, False]]),
    )
    layer.build(sequences.shape)
    bodies = loop_bodies(gradients(layer, lambda: layer(sequences, mask=mask)))
    each = 2 if reset_after else 4
    assert [products(body) for body in bodies] == [each, each]


def test_passes_over_the_pairs():
    """No exponential and no tanh of a pair: the one of each is of a vector a sentence, in the forward loop only."""
    layer = AttentionGRU(5, attention_units=9)
    embeddings, annotations = (tf.constant(np.ones(shape, "float32")) for shape in ((2, 3, 4), (2, 6, 7)))
    layer.build([embeddings.shape, annotations.shape])
    bodies = loop_bodies(gradients(layer, lambda: layer([embeddings, annotations])))
    found = [body["Softsign"] + body["SoftsignGrad"] for body in bodies]
    assert sorted(found) == [1, 2]
    assert sorted(body["Exp"] for body in bodies) == [0, 1]
    assert sorted(body["Tanh"] for body in bodies) == [0, 1]

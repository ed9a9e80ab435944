import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import AttentionGRU


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def inputs(dtype="float32"):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(3, 6, 4)).astype(dtype)
    annotations = rng.normal(size=(3, 7, 3)).astype(dtype)
    state = rng.normal(size=(3, 5)).astype(dtype)
    target_mask = np.arange(6) < np.array([[6], [3], [4]])
    source_mask = np.arange(7) < np.array([[7], [0], [4]])
    return embeddings, annotations, state, target_mask, source_mask


def slow_decoder(layer, embeddings, annotations, state):
    """Bahdanau et al. 2015, appendix A.2.2, one sentence and one step at a time."""
    n = layer.units
    kernel, recurrent, context_kernel, bias = (
        ops.convert_to_numpy(w) for w in (layer.kernel, layer.recurrent_kernel, layer.context_kernel, layer.bias)
    )
    w_a = ops.convert_to_numpy(layer.attention.query_projection.kernel)
    u_a = ops.convert_to_numpy(layer.attention.key_projection.kernel)
    v_a = ops.convert_to_numpy(layer.attention.score_vector)[:, 0]
    states = np.zeros((*embeddings.shape[:2], n))
    for b in range(len(embeddings)):
        s = state[b]
        for t in range(embeddings.shape[1]):
            scores = np.array([v_a @ np.tanh(s @ w_a + h @ u_a) for h in annotations[b]])
            weights = np.exp(scores) / np.exp(scores).sum()
            c = sum(w * h for w, h in zip(weights, annotations[b]))

            def gate(i, s=s, c=c, x=embeddings[b, t]):
                columns = slice(i * n, (i + 1) * n)
                return x @ kernel[:, columns] + c @ context_kernel[:, columns] + bias[columns]

            z = sigmoid(gate(0) + s @ recurrent[:, :n])
            r = sigmoid(gate(1) + s @ recurrent[:, n : 2 * n])
            candidate = np.tanh(gate(2) + (r * s) @ recurrent[:, 2 * n :])
            s = (1 - z) * s + z * candidate
            states[b, t] = s
    return states


def test_equals_the_papers_formulas():
    embeddings, annotations, state, _, _ = inputs()
    layer = AttentionGRU(5, attention_units=4)
    states, _ = layer([embeddings, annotations], initial_state=state)
    expected = slow_decoder(layer, embeddings, annotations, state)
    np.testing.assert_allclose(ops.convert_to_numpy(states), expected, atol=1e-5)


@pytest.mark.parametrize("reset_after", [False, True])
def test_the_sequence_is_the_steps(reset_after):
    embeddings, annotations, state, _, source_mask = inputs()
    layer = AttentionGRU(5, reset_after=reset_after)
    states, contexts, weights = layer(
        [embeddings, annotations], initial_state=state, mask=[None, source_mask], return_attention_scores=True
    )
    memory = layer.precompute(annotations, source_mask)
    for t in range(embeddings.shape[1]):
        state, context, step_weights = layer.step(embeddings[:, t], state, memory)
        for whole, one in ((states, state), (contexts, context), (weights, step_weights)):
            np.testing.assert_allclose(ops.convert_to_numpy(whole)[:, t], ops.convert_to_numpy(one), atol=1e-6)


def test_hypotheses_share_one_memory():
    """k queries per sentence against one memory are k separate decoders."""
    _, annotations, _, _, source_mask = inputs()
    rng = np.random.default_rng(5)
    embeddings, states = rng.normal(size=(3, 2, 4)).astype("float32"), rng.normal(size=(3, 2, 5)).astype("float32")
    layer = AttentionGRU(5)
    layer.build([(3, None, 4), annotations.shape])
    memory = layer.precompute(annotations, source_mask)
    together = layer.step(embeddings, states, memory)
    for k in range(2):
        for a, b in zip(together, layer.step(embeddings[:, k], states[:, k], memory)):
            np.testing.assert_allclose(ops.convert_to_numpy(a)[:, k], ops.convert_to_numpy(b), atol=1e-6)


def test_a_masked_target_step_carries_the_state_on():
    embeddings, annotations, state, target_mask, _ = inputs()
    states, _ = AttentionGRU(5)([embeddings, annotations], initial_state=state, mask=[target_mask, None])
    states = ops.convert_to_numpy(states)
    np.testing.assert_array_equal(states[1, 3:], np.broadcast_to(states[1, 2], (3, 5)))
    assert not np.allclose(states[0, 3], states[0, 2])


OPTIONS = list(itertools.product([False, True], repeat=4))


@pytest.mark.parametrize("reset_after, normalize, masks, dropout", OPTIONS)
def test_the_derived_gradient_is_the_automatic_one(reset_after, normalize, masks, dropout):
    """In float64, against automatic differentiation of the plain loop; eager, in a graph, and under XLA."""
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the fused loop is TensorFlow's")
    from keras_attention.layers.attention_gru_tensorflow import attention_gru

    embeddings, annotations, state, target_mask, source_mask = inputs("float64")
    mask = [target_mask, source_mask] if masks else [None, None]
    layer = AttentionGRU(5, 4, normalize, reset_after=reset_after, dtype="float64", fused=False)
    layer.build([embeddings.shape, annotations.shape])
    if normalize:
        layer.attention.score_bias.assign(np.linspace(-1, 1, 4))
    embeddings, annotations, state = (tf.constant(x) for x in (embeddings, annotations, state))
    factors = tf.constant(np.random.default_rng(2).integers(0, 2, size=(6, 3, 7)) * 2.0)
    variables = [v.value for v in layer.trainable_variables]

    def plain(projected, memory, step_mask):
        """The plain loop with the same dropout factors, which the layer draws for itself."""
        s, states, contexts, weights = state, [], [], []
        for t in range(6):
            context, weight = layer.attention.step(s, memory)
            if dropout:
                weight = weight * factors[t]
                context = tf.einsum("bs,bsd->bd", weight, memory["value"])
            n = layer.units
            given = projected[t] + context @ layer.context_kernel.value
            recurrent = layer.recurrent_kernel.value
            gates = tf.sigmoid(given[:, : 2 * n] + s @ recurrent[:, : 2 * n])
            z, r = gates[:, :n], gates[:, n:]
            if reset_after:
                candidate = tf.tanh(given[:, 2 * n :] + r * (s @ recurrent[:, 2 * n :] + layer.recurrent_bias.value))
            else:
                candidate = tf.tanh(given[:, 2 * n :] + (r * s) @ recurrent[:, 2 * n :])
            new = (1 - z) * s + z * candidate
            s = new if step_mask is None else tf.where(step_mask[t] > 0, new, s)
            states.append(s)
            contexts.append(context)
            weights.append(weight)
        return tf.stack(states), tf.stack(contexts), tf.stack(weights)

    def fused(projected, memory, step_mask):
        return attention_gru(
            projected,
            state,
            memory,
            query_kernel=layer.attention.query_projection.kernel.value,
            score_vector=layer.attention.effective_score_vector(),
            context_kernel=layer.context_kernel.value,
            recurrent_kernel=layer.recurrent_kernel.value,
            recurrent_bias=layer.recurrent_bias.value if reset_after else None,
            step_mask=step_mask,
            dropout_mask=factors if dropout else None,
        )

    def outputs_and_gradients(run):
        with tf.GradientTape() as tape:
            tape.watch([embeddings, annotations, state])
            projected = tf.transpose(embeddings, [1, 0, 2]) @ layer.kernel.value + layer.bias.value
            step_mask = None
            if mask[0] is not None:
                step_mask = tf.cast(tf.transpose(mask[0])[..., None], tf.float64)
            outputs = run(projected, layer.precompute(annotations, mask[1]), step_mask)
            loss = sum(tf.reduce_sum(tf.sin((i + 1.0) * x)) for i, x in enumerate(outputs))
        return [*outputs, *tape.gradient(loss, [embeddings, annotations, state, *variables])]

    expected = outputs_and_gradients(plain)
    ways = {
        "eager": outputs_and_gradients,
        "graph": tf.function(outputs_and_gradients),
        "xla": tf.function(outputs_and_gradients, jit_compile=True),
    }
    for name, way in ways.items():
        for a, b in zip(expected, way(fused), strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), atol=1e-10, err_msg=name)


@pytest.mark.parametrize("reset_after", [False, True])
def test_fused_and_plain_layer_agree(reset_after):
    embeddings, annotations, state, target_mask, source_mask = inputs()
    fused = AttentionGRU(5, reset_after=reset_after)
    plain = AttentionGRU(5, reset_after=reset_after, fused=False)
    for layer in (fused, plain):
        layer.build([embeddings.shape, annotations.shape])
    plain.set_weights(fused.get_weights())
    call = {"initial_state": state, "mask": [target_mask, source_mask], "return_attention_scores": True}
    for a, b in zip(fused([embeddings, annotations], **call), plain([embeddings, annotations], **call)):
        np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=1e-6)


def test_extreme_scores_stay_finite():
    """Arguments of +-200 to the tanh: far outside what exp holds in float32."""
    embeddings, annotations, state, _, _ = inputs()
    layer = AttentionGRU(5)
    layer.build([embeddings.shape, annotations.shape])
    for kernel in (layer.attention.query_projection.kernel, layer.attention.key_projection.kernel):
        kernel.assign(kernel * 200)
    _, _, weights = layer([embeddings, annotations], initial_state=state, return_attention_scores=True)
    weights = ops.convert_to_numpy(weights)
    assert np.all(np.isfinite(weights))
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


def test_wrong_shapes():
    with pytest.raises(ValueError, match="embeddings"):
        AttentionGRU(5).build([(2, 4), (2, 3, 4)])
    with pytest.raises(ValueError, match="units=0"):
        AttentionGRU(0)

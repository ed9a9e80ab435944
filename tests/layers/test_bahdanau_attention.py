import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import BahdanauAttention


def slow_attention(layer, query, value, mask):
    """The paper's formula, one number at a time."""
    w_a = ops.convert_to_numpy(layer.query_projection.kernel)
    u_a = ops.convert_to_numpy(layer.key_projection.kernel)
    v_a = ops.convert_to_numpy(layer.score_vector)[:, 0]
    bias = 0.0
    if layer.normalize:
        v_a = float(layer.score_gain) * v_a / np.sqrt(np.sum(v_a**2))
        bias = ops.convert_to_numpy(layer.score_bias)
    weights = np.zeros((query.shape[0], query.shape[1], value.shape[1]))
    contexts = np.zeros((query.shape[0], query.shape[1], value.shape[2]))
    for b in range(query.shape[0]):
        for i in range(query.shape[1]):
            real = [j for j in range(value.shape[1]) if mask[b, j]]
            scores = [np.sum(v_a * np.tanh(query[b, i] @ w_a + value[b, j] @ u_a + bias)) for j in real]
            total = sum(np.exp(score) for score in scores)
            for j, score in zip(real, scores):
                weights[b, i, j] = np.exp(score) / total
                contexts[b, i] += weights[b, i, j] * value[b, j]
    return contexts, weights


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    query = rng.normal(size=(3, 2, 4)).astype("float32")
    value = rng.normal(size=(3, 5, 6)).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
    return query, value, mask


@pytest.mark.parametrize("normalize", [False, True])
def test_equals_the_slow_loop(inputs, normalize):
    query, value, mask = inputs
    layer = BahdanauAttention(7, normalize=normalize)
    layer.build([query.shape, value.shape])
    if normalize:
        layer.score_bias.assign(np.linspace(-1, 1, 7))
        layer.score_gain.assign(1.7)
    context, weights = layer([query, value], mask=[None, mask], return_attention_scores=True)
    expected_context, expected_weights = slow_attention(layer, query, value, mask)
    np.testing.assert_allclose(ops.convert_to_numpy(weights), expected_weights, atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(context), expected_context, atol=1e-6)


def test_by_hand():
    """Two keys, one unit: scores tanh(0 + 0) = 0 and tanh(0 + 100) = 1, so weights 1 / (1 + e) and e / (1 + e)."""
    layer = BahdanauAttention(1)
    query, value = np.zeros((1, 1, 1), "float32"), np.array([[[0.0], [100.0]]], "float32")
    layer.build([query.shape, value.shape])
    layer.set_weights([np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1))])
    context, weights = layer([query, value], return_attention_scores=True)
    np.testing.assert_allclose(ops.convert_to_numpy(weights)[0, 0], [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(context)[0, 0], [100 * np.e / (1 + np.e)], rtol=1e-6)


def test_one_step_is_a_row_of_the_sequence(inputs):
    query, value, mask = inputs
    layer = BahdanauAttention(7)
    whole, weights = layer([query, value], mask=[None, mask], return_attention_scores=True)
    one, one_weights = layer([query[:, 1], value], mask=[None, mask], return_attention_scores=True)
    np.testing.assert_allclose(ops.convert_to_numpy(one), ops.convert_to_numpy(whole)[:, 1], atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(one_weights), ops.convert_to_numpy(weights)[:, 1], atol=1e-6)
    memory = layer.precompute(value, mask)
    stepped, _ = layer.step(query[:, 1], memory)
    np.testing.assert_allclose(ops.convert_to_numpy(stepped), ops.convert_to_numpy(one), atol=1e-6)


def test_a_masked_query_has_a_zero_context(inputs):
    query, value, mask = inputs
    context = BahdanauAttention(7)([query, value], mask=[np.array([[1, 0]] * 3, bool), mask])
    context = ops.convert_to_numpy(context)
    assert np.all(context[:, 1] == 0)
    assert np.any(context[:, 0] != 0)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_row_without_a_real_key_is_zero(inputs, dtype):
    query, value, mask = inputs
    layer = BahdanauAttention(7, dtype=dtype)
    context, weights = layer([query, value * 100], mask=[None, mask], return_attention_scores=True)
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    assert np.all(ops.convert_to_numpy(weights)[2] == 0)
    assert np.all(ops.convert_to_numpy(ops.cast(context, "float32"))[2] == 0)
    assert np.all(np.isfinite(ops.convert_to_numpy(ops.cast(context, "float32"))))


def test_dropout_scales_what_it_keeps(inputs):
    query, value, mask = inputs
    layer = BahdanauAttention(7, dropout=0.5, seed=3)
    _, weights = layer([query, value], mask=[None, mask], return_attention_scores=True, training=False)
    _, dropped = layer([query, value], mask=[None, mask], return_attention_scores=True, training=True)
    weights, dropped = ops.convert_to_numpy(weights)[:2], ops.convert_to_numpy(dropped)[:2]
    kept = dropped != 0
    assert 0 < kept.sum() < (weights > 0).sum()
    np.testing.assert_allclose(dropped[kept], 2 * weights[kept], rtol=1e-5)


def test_trains_in_somebodys_functional_model():
    """Copying the marked word needs attention: the loss falls far below that of guessing."""
    rng = np.random.default_rng(1)
    ids = rng.integers(1, 9, size=(256, 6))
    where = rng.integers(0, 6, size=256)
    keys = np.eye(6)[np.broadcast_to(np.arange(6), (256, 6))]
    value = np.concatenate([np.eye(9)[ids], keys], axis=-1).astype("float32")
    query = np.eye(6)[where].astype("float32")
    query_in, value_in = keras.Input((6,)), keras.Input((6, 15))
    context = BahdanauAttention(16)([query_in, value_in])
    model = keras.Model([query_in, value_in], keras.layers.Dense(9)(context))
    model.compile(keras.optimizers.Adam(0.03), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit([query, value], ids[np.arange(256), where], epochs=40, batch_size=64, verbose=0)
    assert history.history["loss"][-1] < 0.3 < 1.5 < history.history["loss"][0]


def test_gradients_are_finite_where_nothing_is_real(inputs):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("uses tf.GradientTape")
    query, value, mask = (tf.constant(x) for x in inputs)
    for dtype in ("float32", "mixed_float16"):
        layer = BahdanauAttention(7, normalize=True, dtype=dtype)
        layer.build([query.shape, value.shape])
        with tf.GradientTape() as tape:
            tape.watch([query, value])
            loss = tf.reduce_sum(tf.cast(layer([query, value], mask=[None, mask]), "float32") ** 2)
        gradients = tape.gradient(loss, [query, value, *(v.value for v in layer.trainable_variables)])
        for gradient in gradients:
            assert np.all(np.isfinite(tf.cast(gradient, "float32").numpy()))
        assert np.all(gradients[1].numpy()[2] == 0)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"units": 0}, "units=0"),
        ({"units": 2.5}, "units=2.5"),
        ({"units": 3, "dropout": 1.0}, "dropout=1.0"),
    ],
)
def test_bad_arguments(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        BahdanauAttention(**arguments)


def test_not_built():
    layer = BahdanauAttention(3)
    with pytest.raises(ValueError, match=r"precompute.* needs a built layer"):
        layer.precompute(np.zeros((1, 2, 3), "float32"))
    with pytest.raises(ValueError, match=r"step.* needs a built layer"):
        layer.step(np.zeros((1, 3), "float32"), {})


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"\[query, value\]"):
        BahdanauAttention(3).build((2, 3, 4))
    with pytest.raises(ValueError, match="query_shape"):
        BahdanauAttention(3).build([(2, 3, 4, 5), (2, 3, 4)])

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import LuongAttention

MODES = ("dot", "scaled_dot", "general")


def sample(query_width=3, value_width=3, batch=2, query_length=4, value_length=5, seed=0):
    random = np.random.default_rng(seed)
    query = random.normal(size=(batch, query_length, query_width)).astype("float32")
    value = random.normal(size=(batch, value_length, value_width)).astype("float32")
    mask = np.arange(value_length) < np.array([value_length, 2])[:batch, None]
    return query, value, mask


def slow_attention(query, value, mask, score):
    """One query and one key at a time, as the paper writes it."""
    batch, query_length = query.shape[:2]
    weights = np.zeros((batch, query_length, value.shape[1]))
    context = np.zeros((batch, query_length, value.shape[2]))
    for b in range(batch):
        real = np.flatnonzero(mask[b])
        for i in range(query_length):
            exponentials = np.exp([score(query[b, i], value[b, j]) for j in real])
            for j, e in zip(real, exponentials):
                weights[b, i, j] = e / exponentials.sum()
                context[b, i] += weights[b, i, j] * value[b, j]
    return context, weights


@pytest.mark.parametrize("mode", MODES)
def test_against_a_slow_loop(mode):
    query, value, mask = sample(4, 4)
    layer = LuongAttention(mode)
    context, weights = layer([query, value], mask=[None, mask], return_attention_scores=True)
    score = {
        "dot": lambda s, h: s @ h,
        "scaled_dot": lambda s, h: s @ h / 2,
        "general": lambda s, h: s @ ops.convert_to_numpy(layer.kernel).T @ h,
    }[mode]
    expected_context, expected_weights = slow_attention(query, value, mask, score)
    np.testing.assert_allclose(ops.convert_to_numpy(weights), expected_weights, atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(context), expected_context, atol=1e-5)


def test_by_hand():
    """Scores 0 and ln 3 give weights 1/4 and 3/4."""
    query = np.array([[[1.0, 0.0]]], "float32")
    value = np.array([[[0.0, 8.0], [np.log(3), 4.0], [50.0, 0.0]]], "float32")
    mask = np.array([[True, True, False]])
    context, weights = LuongAttention("dot")([query, value], mask=[None, mask], return_attention_scores=True)
    np.testing.assert_allclose(ops.convert_to_numpy(weights), [[[0.25, 0.75, 0]]], rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(context), [[[0.75 * np.log(3), 0.25 * 8 + 0.75 * 4]]], rtol=1e-6)


@pytest.mark.parametrize("mode", ["dot", "scaled_dot"])
def test_same_as_keras_attention(mode):
    query, value, mask = sample(4, 4)
    reference = keras.layers.Attention(use_scale=mode == "scaled_dot")
    reference.build([query.shape, value.shape])
    if mode == "scaled_dot":
        reference.scale.assign(0.5)
    query_mask = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)
    expected = reference([query, value], mask=[query_mask, mask])
    got = LuongAttention(mode)([query, value], mask=[query_mask, mask])
    np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(expected), atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_steps_equal_the_call(mode):
    query, value, mask = sample(4, 4)
    layer = LuongAttention(mode)
    context, weights = layer([query, value], mask=[None, mask], return_attention_scores=True)
    memory = layer.precompute(value, mask)
    assert type(memory) is dict
    for i in range(query.shape[1]):
        step_context, step_weights = layer.step(query[:, i], memory)
        np.testing.assert_allclose(step_context, context[:, i], atol=1e-6)
        np.testing.assert_allclose(step_weights, weights[:, i], atol=1e-6)
        np.testing.assert_allclose(layer([query[:, i], value], mask=[None, mask]), context[:, i], atol=1e-6)


def test_general_takes_any_widths_and_the_others_say_why_not():
    query, value, _ = sample(3, 5)
    context, weights = LuongAttention("general")([query, value], return_attention_scores=True)
    assert tuple(context.shape) == (2, 4, 5)
    assert tuple(weights.shape) == (2, 4, 5)
    for mode in ("dot", "scaled_dot"):
        with pytest.raises(ValueError, match=r"widths .* equal.*query_shape=\(2, 4, 3\), value_shape=\(2, 5, 5\)"):
            LuongAttention(mode)([query, value])
        with pytest.raises(ValueError, match="equal"):
            LuongAttention(mode)([keras.Input((4, 3)), keras.Input((5, 5))])


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
@pytest.mark.parametrize("mode", MODES)
def test_a_row_without_a_real_key(mode, policy):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    query, value, _ = sample(3, 3)
    mask = np.array([[False] * 5, [True] * 5])
    layer = LuongAttention(mode, dtype=policy)
    value = tf.constant(value)
    with tf.GradientTape() as tape:
        tape.watch(value)
        context, weights = layer([query, value], mask=[None, mask], return_attention_scores=True)
        loss = ops.sum(ops.square(ops.cast(context, "float32"))) + ops.sum(ops.square(weights))
    gradients = tape.gradient(loss, [value, *layer.trainable_variables])
    assert not ops.convert_to_numpy(ops.cast(context, "float32"))[0].any()
    assert not ops.convert_to_numpy(weights)[0].any()
    np.testing.assert_allclose(ops.convert_to_numpy(weights)[1].sum(-1), 1, rtol=1e-5)
    assert all(np.isfinite(ops.cast(g, "float32").numpy()).all() for g in gradients)
    assert not gradients[0][0].numpy().any()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_scores_and_weights_are_float32_and_the_methods_follow_the_policy(policy):
    # 400 equal products of 200 make 80,000: beyond float16. The two scores differ by 200.
    query = np.full((1, 1, 400), 20.0, "float32")
    value = np.full((1, 2, 400), 10.0, "float32")
    value[0, 1, 0] = 0.0
    layer = LuongAttention("dot", dtype=policy)
    context, weights = layer([query, value], return_attention_scores=True)
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    assert keras.backend.standardize_dtype(context.dtype) == layer.compute_dtype
    np.testing.assert_allclose(ops.convert_to_numpy(weights), [[[1, 0]]], atol=1e-6)
    step_context, step_weights = layer.step(query[:, 0], layer.precompute(value))
    assert keras.backend.standardize_dtype(step_weights.dtype) == "float32"
    assert keras.backend.standardize_dtype(step_context.dtype) == layer.compute_dtype
    np.testing.assert_array_equal(step_weights, weights[:, 0])


def test_dropout_falls_on_the_weights_in_training_only():
    query, value, mask = sample(batch=1, query_length=50, value_length=40)
    mask = np.ones((1, 40), bool)
    layer = LuongAttention("general", dropout=0.25, seed=3)
    _, weights = layer([query, value], mask=[None, mask], return_attention_scores=True)
    np.testing.assert_allclose(ops.convert_to_numpy(weights).sum(-1), 1, rtol=1e-5)
    dropped_context, dropped = layer([query, value], mask=[None, mask], return_attention_scores=True, training=True)
    dropped, weights = ops.convert_to_numpy(dropped), ops.convert_to_numpy(weights)
    assert 0.15 < (dropped == 0).mean() < 0.35
    np.testing.assert_allclose(dropped[dropped > 0], weights[dropped > 0] / 0.75, rtol=1e-5)
    np.testing.assert_allclose(dropped_context, dropped @ value, atol=1e-5)
    _, stepped = layer.step(query[:, 0], layer.precompute(value), training=True)
    assert (ops.convert_to_numpy(stepped) == 0).any()


def test_padded_queries_have_a_zero_context_and_the_mask_goes_on():
    query, value, mask = sample()
    query_mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
    layer = LuongAttention()
    context = layer([query, value], mask=[query_mask, mask])
    assert not ops.convert_to_numpy(context)[0, 2:].any()
    assert ops.convert_to_numpy(context)[1].all()
    np.testing.assert_array_equal(keras.src.backend.get_keras_mask(context), query_mask)
    assert layer.compute_mask([query, value], [None, mask]) is None
    assert layer.compute_mask([query[:, 0], value], [query_mask, mask]) is None


def test_masks_arrive_from_embeddings():
    """Ids with padding 0 through two Embedding(mask_zero=True) equal the masks given by hand."""
    source = np.array([[3, 4, 0, 0], [1, 2, 3, 4]])
    target = np.array([[1, 2, 0], [2, 0, 0]])
    embed_source, embed_target = (keras.layers.Embedding(5, 6, mask_zero=True) for _ in range(2))
    layer = LuongAttention()
    source_ids, target_ids = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    outputs = layer([embed_target(target_ids), embed_source(source_ids)], return_attention_scores=True)
    model = keras.Model([source_ids, target_ids], outputs)
    context, weights = model([source, target])
    by_hand, weights_by_hand = layer(
        [ops.copy(embed_target(target)), ops.copy(embed_source(source))],
        mask=[target != 0, source != 0],
        return_attention_scores=True,
    )
    np.testing.assert_allclose(context, by_hand, atol=1e-6)
    np.testing.assert_allclose(weights, weights_by_hand, atol=1e-6)
    assert not ops.convert_to_numpy(weights)[0, :, 2:].any()


def test_symbolic_shapes_are_the_real_shapes():
    for policy in ("float32", "mixed_bfloat16"):
        layer = LuongAttention(dtype=policy)
        for query_shape in ((3,), (4, 3)):
            query, value = keras.Input(query_shape), keras.Input((5, 6))
            symbolic = layer([query, value], return_attention_scores=True)
            real = layer([np.ones((2, *query_shape)), np.ones((2, 5, 6))], return_attention_scores=True)
            for s, r in zip(symbolic, real):
                assert (2, *s.shape[1:]) == tuple(r.shape)
                assert s.dtype == keras.backend.standardize_dtype(r.dtype)
            assert layer([query, value]).shape == symbolic[0].shape
            assert layer.compute_output_shape([(2, *query_shape), (2, 5, 6)]) == tuple(real[0].shape)


def test_inside_a_functional_model_under_fit_and_a_round_trip(tmp_path):
    """Learns to copy the value whose key the query names."""
    keras.utils.set_random_seed(0)
    query, value = keras.Input((2, 4)), keras.Input((3, 6))
    value_mask = keras.Input((3,), dtype="bool")
    context = LuongAttention("general", dropout=0.01, seed=1)([query, value], mask=[None, value_mask])
    model = keras.Model([query, value, value_mask], keras.layers.Dense(2)(context))
    model.compile("adam", "mse")
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(8, 2, 4)), random.normal(size=(8, 3, 6)), random.random((8, 3)) < 0.7]
    inputs = [inputs[0].astype("float32"), inputs[1].astype("float32"), inputs[2]]
    targets = random.normal(size=(8, 2, 2)).astype("float32")
    losses = model.fit(inputs, targets, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-6)


def test_config_round_trip():
    layer = LuongAttention("general", 0.2, "he_normal", "l2", seed=7, name="luong", dtype="mixed_bfloat16")
    again = LuongAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.score_mode, again.dropout, again.seed) == ("general", 0.2, 7)
    assert isinstance(again.kernel_initializer, keras.initializers.HeNormal)
    assert isinstance(again.kernel_regularizer, keras.regularizers.L2)


def test_weights_of_each_mode():
    query, value, _ = sample(4, 4)
    for mode, shapes in (("dot", []), ("scaled_dot", []), ("general", [(4, 4)])):
        layer = LuongAttention(mode)
        layer([query, value])
        assert [tuple(w.shape) for w in layer.weights] == shapes


def test_errors():
    query, value, mask = sample(3, 5)
    with pytest.raises(ValueError, match="score_mode='add'"):
        LuongAttention("add")
    with pytest.raises(ValueError, match=r"dropout=1\.0"):
        LuongAttention(dropout=1.0)
    layer = LuongAttention()
    with pytest.raises(ValueError, match=r"precompute.*built"):
        layer.precompute(value, mask)
    with pytest.raises(ValueError, match=r"step.*built"):
        layer.step(query[:, 0], {})
    with pytest.raises(ValueError, match=r"\[query, value\]"):
        layer(query)
    with pytest.raises(ValueError, match=r"\[query, value\]"):
        layer([query, value, value])
    with pytest.raises(ValueError, match=r"value_shape=\(2, 5\)"):
        layer([query, value[:, :, 0]])
    layer([query, value])
    with pytest.raises(ValueError, match=r"\[query_mask, value_mask\]"):
        layer([query, value], mask=mask)
    with pytest.raises(ValueError, match=r"built for a query of width 3.*query_shape=\(2, 4, 2\)"):
        layer([query[..., :2], value])

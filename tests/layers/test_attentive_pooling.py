import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import AttentivePooling


def sample(batch=2, question_length=3, answer_length=4, question_width=3, answer_width=2, seed=0):
    random = np.random.default_rng(seed)
    question = random.normal(size=(batch, question_length, question_width)).astype("float32")
    answer = random.normal(size=(batch, answer_length, answer_width)).astype("float32")
    question_mask = np.arange(question_length) < np.array([question_length, 2])[:batch, None]
    answer_mask = np.arange(answer_length) < np.array([3, answer_length])[:batch, None]
    return question, answer, question_mask, answer_mask


def softmax(scores):
    e = np.exp(scores - max(scores))
    return e / e.sum()


def slow_pooling(question, answer, question_mask, answer_mask, kernel, scale=1.0):
    """One pair, one word with one word at a time, as the paper writes it; only real words are looked at."""
    rows, columns = np.flatnonzero(question_mask), np.flatnonzero(answer_mask)
    scores = np.array([[np.tanh(question[i] @ kernel @ answer[j]) for j in columns] for i in rows])
    question_weights, answer_weights = np.zeros(len(question)), np.zeros(len(answer))
    question_weights[rows] = softmax(scale * scores.max(axis=1))
    answer_weights[columns] = softmax(scale * scores.max(axis=0))
    return question_weights @ question, answer_weights @ answer, question_weights, answer_weights


def run(layer, question, answer, question_mask=None, answer_mask=None, **kwargs):
    vectors, weights = layer(
        [question, answer], mask=[question_mask, answer_mask], return_attention_scores=True, **kwargs
    )
    return [ops.convert_to_numpy(x) for x in (*vectors, *weights)]


def test_by_hand():
    """One-hot words and U = I: G is tanh(1) where the words agree and 0 elsewhere.

    Question "a b", answer "b c d": row maxima 0 and tanh(1), column maxima tanh(1), 0, 0.
    """
    a, b, c, d = np.eye(4, dtype="float32")
    layer = AttentivePooling(kernel_initializer="identity")
    result = run(layer, np.stack([a, b])[None], np.stack([b, c, d])[None])
    high = np.exp(np.tanh(1))
    question_weights = np.array([1, high]) / (1 + high)
    answer_weights = np.array([high, 1, 1]) / (high + 2)
    np.testing.assert_allclose(result[2][0], question_weights, rtol=1e-6)
    np.testing.assert_allclose(result[3][0], answer_weights, rtol=1e-6)
    np.testing.assert_allclose(result[0][0], [*question_weights, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(result[1][0], [0, *answer_weights], rtol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_against_a_slow_loop(scale):
    question, answer, question_mask, answer_mask = sample()
    layer = AttentivePooling(score_scale=scale)
    result = run(layer, question, answer, question_mask, answer_mask)
    kernel = ops.convert_to_numpy(layer.alignment_kernel)
    assert kernel.shape == (3, 2)
    for b in range(2):
        expected = slow_pooling(question[b], answer[b], question_mask[b], answer_mask[b], kernel, scale)
        for got, want in zip(result, expected):
            np.testing.assert_allclose(got[b], want, atol=1e-5)


def test_candidates_and_all_pairs_are_pairs():
    """Both ranking forms give what the plain form gives pair by pair."""
    question, answer, question_mask, answer_mask = sample()
    layer = AttentivePooling()
    all_pairs = run(layer, question, answer, question_mask, answer_mask, all_pairs=True)
    candidates = run(
        layer,
        question,
        np.stack([answer, answer[::-1]], 1),
        question_mask,
        np.stack([answer_mask, answer_mask[::-1]], 1),
    )
    for q in range(2):
        for a in range(2):
            pair = run(layer, question[q : q + 1], answer[a : a + 1], question_mask[q : q + 1], answer_mask[a : a + 1])
            for got, other, want in zip(all_pairs, candidates, pair):
                np.testing.assert_allclose(got[q, a], want[0], atol=1e-6)
                np.testing.assert_allclose(other[q, 0 if a == q else 1], want[0], atol=1e-6)


def test_gradients_against_finite_differences():
    """Of a weighted sum of everything that is returned, to U and to both sides, in the slow loop in float64."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    question, answer, question_mask, answer_mask = sample()
    layer = AttentivePooling()
    layer.build([question.shape, answer.shape])
    random = np.random.default_rng(1)
    factors = [random.normal(size=s) for s in ((2, 3), (2, 2), (2, 3), (2, 4))]

    def slow(question, answer, kernel):
        total = 0.0
        for b in range(2):
            parts = slow_pooling(question[b], answer[b], question_mask[b], answer_mask[b], kernel)
            total += sum((f[b] * p).sum() for f, p in zip(factors, parts))
        return total

    q, a = tf.constant(question), tf.constant(answer)
    with tf.GradientTape() as tape:
        tape.watch([q, a])
        vectors, weights = layer([q, a], mask=[question_mask, answer_mask], return_attention_scores=True)
        total = tf.add_n([tf.reduce_sum(x * f) for x, f in zip((*vectors, *weights), factors)])
    gradients = tape.gradient(total, [q, a, layer.alignment_kernel])
    values = [x.astype("float64") for x in (question, answer, ops.convert_to_numpy(layer.alignment_kernel))]
    for number, gradient in enumerate(gradients):
        numeric = np.zeros(values[number].shape)
        for index in np.ndindex(numeric.shape):
            up, down = ([x.copy() for x in values] for _ in range(2))
            up[number][index] += 1e-5
            down[number][index] -= 1e-5
            numeric[index] = (slow(*up) - slow(*down)) / 2e-5
        np.testing.assert_allclose(gradient, numeric, atol=2e-4)
        assert np.abs(numeric).max() > 0.05


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("side", [0, 1])
def test_an_empty_side(side, dtype):
    """A zero vector and zero weights there, the mean of the real words on the other side, finite gradients."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    question, answer, question_mask, answer_mask = sample()
    masks = [question_mask, answer_mask]
    masks[side] = np.zeros_like(masks[side])
    layer = AttentivePooling(dtype=dtype)
    q, a = tf.constant(question), tf.constant(answer)
    with tf.GradientTape() as tape:
        tape.watch([q, a])
        vectors, weights = layer([q, a], mask=masks, return_attention_scores=True)
        total = tf.add_n([tf.reduce_sum(tf.cast(x, "float32")) for x in (*vectors, *weights)])
    for gradient in tape.gradient(total, [q, a, layer.alignment_kernel]):
        assert np.isfinite(gradient).all()
    assert not np.any(vectors[side])
    assert not np.any(weights[side])
    other = 1 - side
    even = masks[other] / masks[other].sum(1, keepdims=True)
    np.testing.assert_allclose(weights[other], even, atol=1e-6)


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_without_positions(side):
    """Of length 0 is as of nothing but padding."""
    features = [np.ones((2, 3, 4), "float32"), np.arange(24, dtype="float32").reshape(2, 3, 4)]
    features[side] = features[side][:, :0]
    vectors, weights = AttentivePooling()(features, return_attention_scores=True)
    assert [tuple(w.shape) for w in weights] == [tuple(x.shape[:2]) for x in features]
    np.testing.assert_array_equal(ops.convert_to_numpy(vectors[side]), np.zeros((2, 4)))
    np.testing.assert_allclose(ops.convert_to_numpy(vectors[1 - side]), features[1 - side].mean(axis=1), rtol=1e-6)


def test_an_empty_batch():
    vectors = AttentivePooling()([np.ones((0, 3, 4), "float32"), np.ones((0, 5, 6), "float32")])
    assert [tuple(v.shape) for v in vectors] == [(0, 4), (0, 6)]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_padding_and_its_content_change_nothing(dtype):
    question, answer, question_mask, answer_mask = sample()
    layer = AttentivePooling(score_scale=4.0, dtype=dtype)
    before = run(layer, question, answer, question_mask, answer_mask)

    def pad(x, mask):
        x = np.where(mask[..., None], x, 500.0)
        more = np.full((len(x), 3, x.shape[-1]), -700.0)
        return np.concatenate([x, more], 1).astype("float32"), np.pad(mask, ((0, 0), (0, 3)))

    (question, question_mask), (answer, answer_mask) = pad(question, question_mask), pad(answer, answer_mask)
    after = run(layer, question, answer, question_mask, answer_mask)
    for x, y in zip(before, after):
        np.testing.assert_allclose(y[..., : x.shape[-1]].astype("float32"), x.astype("float32"), atol=1e-6)
        assert not np.any(y[..., x.shape[-1] :])


@pytest.mark.parametrize("all_pairs", [False, True])
def test_what_is_not_finite_at_padding_does_not_get_through(all_pairs):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    question, answer, question_mask, answer_mask = sample()
    layer = AttentivePooling()
    expected = run(layer, question, answer, question_mask, answer_mask, all_pairs=all_pairs)
    q = tf.constant(np.where(question_mask[..., None], question, np.inf))
    a = tf.constant(np.where(answer_mask[..., None], answer, np.nan))
    with tf.GradientTape() as tape:
        tape.watch([q, a])
        vectors, weights = layer(
            [q, a], mask=[question_mask, answer_mask], return_attention_scores=True, all_pairs=all_pairs
        )
        total = tf.add_n([tf.reduce_sum(x) for x in (*vectors, *weights)])
    for got, want in zip((*vectors, *weights), expected):
        np.testing.assert_array_equal(got, want)
    for gradient in tape.gradient(total, [q, a, layer.alignment_kernel]):
        assert np.isfinite(gradient).all()


def test_tanh_after_the_maximum_is_the_maximum_of_tanh():
    """Scores far into saturation, where rounding could tell the two apart."""
    random = np.random.default_rng(0)
    question, answer = (random.normal(size=(1, n, 8)).astype("float32") * 3 for n in (6, 9))
    layer = AttentivePooling(kernel_initializer="identity")
    result = run(layer, question, answer)
    expected = slow_pooling(question[0], answer[0], np.ones(6), np.ones(9), np.eye(8))
    for got, want in zip(result, expected):
        np.testing.assert_allclose(got[0], want, atol=1e-5)


def test_inside_a_functional_model_and_saved(tmp_path):
    question, answer = keras.Input((None, 3)), keras.Input((None, None, 2))
    mask = keras.Input((None,), dtype="bool")
    layer = AttentivePooling(2.0, kernel_initializer="he_normal", name="pooling")
    (q, a), (question_weights, answer_weights) = layer(
        [question, answer], mask=[mask, None], return_attention_scores=True
    )
    assert q.shape == (None, None, 3)
    assert answer_weights.shape == (None, None, None)
    model = keras.Model([question, answer, mask], [q, a, question_weights])
    inputs = [np.ones((2, 3, 3), "float32"), np.ones((2, 4, 5, 2), "float32"), np.array([[1, 1, 0], [1, 0, 0]], bool)]
    expected = model.predict(inputs, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_layer("pooling").get_config() == layer.get_config()
    for x, y in zip(again.predict(inputs, verbose=0), expected):
        np.testing.assert_array_equal(x, y)


def test_errors():
    x = np.ones((2, 3, 4), "float32")
    with pytest.raises(ValueError, match=r"\[question, answer\]"):
        AttentivePooling()(x)
    with pytest.raises(ValueError, match=r"\[question, answer\]"):
        AttentivePooling()([x[0], x])
    with pytest.raises(ValueError, match=r"answers, answer_length"):
        AttentivePooling()([x, x[None]], all_pairs=True)
    with pytest.raises(ValueError, match="score_scale=0"):
        AttentivePooling(score_scale=0)
    layer = AttentivePooling()
    layer([x, x])
    with pytest.raises(ValueError, match=r"widths \(4, 4\).*Received: widths \(4, 3\)"):
        layer([x, x[..., :3]])
    for mask in (np.ones((2, 3), bool), [np.ones((2, 3), bool)]):
        with pytest.raises(ValueError, match=r"\[question_mask, answer_mask\]"):
            layer([x, x], mask=mask)

"""What the four models share: two encoders times two poolings behind one face."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM

MODELS = [
    (QACNN, {"filters": 5, "window": 2}),
    (QABiLSTM, {"units": 3}),
    (APCNN, {"filters": 5}),
    (APBiLSTM, {"units": 3}),
]
AP_MODELS = MODELS[2:]
every_model = pytest.mark.parametrize(("cls", "sizes"), MODELS, ids=lambda x: getattr(x, "__name__", ""))
ap_models = pytest.mark.parametrize(("cls", "sizes"), AP_MODELS, ids=lambda x: getattr(x, "__name__", ""))


def make(cls, sizes, **options):
    """A model whose weights are far from zero, biases too."""
    model = cls(20, embedding_width=4, **sizes, **options)
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape) * 0.6)
    return model


def sample(seed=0):
    """Three questions of 4, 2 and no words, each with three candidates, one of them empty."""
    random = np.random.default_rng(seed)
    question_ids, answer_ids = random.integers(1, 20, (3, 4)), random.integers(1, 20, (3, 3, 6))
    question_ids[1, 2:], question_ids[2] = 0, 0
    answer_ids[0, 1, 3:], answer_ids[1, 2] = 0, 0
    return {"question_ids": question_ids, "answer_ids": answer_ids}


def similarities(model, inputs):
    return ops.convert_to_numpy(model(inputs))


def parameters(model, name):
    return next(ops.convert_to_numpy(w) for w in model.weights if w.path.endswith(name)).astype("float64")


def features_by_hand(model, ids):
    """Features of one sentence without padding, from the layers' weights."""
    vectors = parameters(model, "embedding/embeddings")[ids]
    if "cnn" in model.name:
        kernel, bias = parameters(model, "convolution/kernel"), parameters(model, "convolution/bias")
        window, left = len(kernel), (len(kernel) - 1) // 2
        padded = np.pad(vectors, ((left, window - 1 - left), (0, 0)))
        return np.array([sum(padded[t + k] @ kernel[k] for k in range(window)) for t in range(len(ids))]) + bias

    def lstm(direction, x):
        kernel, recurrent, bias = (
            parameters(model, f"{direction}/lstm_cell/{name}") for name in ("kernel", "recurrent_kernel", "bias")
        )
        h = c = np.zeros(len(recurrent))
        out = []
        for row in x:
            i, f, g, o = np.split(row @ kernel + h @ recurrent + bias, 4)
            i, f, o = (1 / (1 + np.exp(-z)) for z in (i, f, o))
            c = f * c + i * np.tanh(g)
            h = o * np.tanh(c)
            out.append(h)
        return np.array(out)

    bilstm = model.sequence_encoder.encoder
    forward, backward = bilstm.forward_layer.name, bilstm.backward_layer.name
    return np.concatenate([lstm(forward, vectors), lstm(backward, vectors[::-1])[::-1]], axis=1)


def similarity_by_hand(model, question_ids, answer_ids):
    """The paper's formulas on one pair, on the real words alone."""
    question, answer = (features_by_hand(model, ids[ids > 0]) for ids in (question_ids, answer_ids))
    if model.name.startswith("qa"):
        q, a = np.tanh(question.max(axis=0)), np.tanh(answer.max(axis=0))
    else:
        scores = np.tanh(question @ parameters(model, "alignment_kernel") @ answer.T)
        question_weights, answer_weights = np.exp(scores.max(axis=1)), np.exp(scores.max(axis=0))
        q, a = question_weights @ question, answer_weights @ answer
    return q @ a / np.linalg.norm(q) / np.linalg.norm(a)


@every_model
def test_against_the_papers_formulas(cls, sizes):
    model, inputs = make(cls, sizes), sample()
    got = similarities(model, inputs)
    assert got.shape == (3, 3)
    for q in range(3):
        for c in range(3):
            question_ids, answer_ids = inputs["question_ids"][q], inputs["answer_ids"][q, c]
            if not question_ids.any() or not answer_ids.any():
                assert got[q, c] == 0.0
            else:
                expected = similarity_by_hand(model, question_ids, answer_ids)
                np.testing.assert_allclose(got[q, c], expected, atol=1e-5)
                assert abs(expected) > 1e-3


@every_model
def test_padding_changes_nothing(cls, sizes):
    model, inputs = make(cls, sizes), sample()
    longer = {"question_ids": np.pad(inputs["question_ids"], ((0, 0), (0, 5)))}
    longer["answer_ids"] = np.pad(inputs["answer_ids"], ((0, 0), (0, 0), (0, 3)))
    np.testing.assert_allclose(similarities(model, longer), similarities(model, inputs), atol=1e-6)


@every_model
def test_every_face_gives_the_same_similarities(cls, sizes):
    model, inputs = make(cls, sizes), sample()
    expected = similarities(model, inputs)
    answers = inputs["answer_ids"].reshape(9, 6)
    in_batch = similarities(model.in_batch_model, {"question_ids": inputs["question_ids"], "answer_ids": answers})
    assert in_batch.shape == (3, 9)
    encoded_questions, encoded = model.encode_questions(inputs["question_ids"]), model.encode_answers(answers, 4)
    pooled = model.score_pools(encoded_questions, encoded, np.array([[0, 1, 2], [3, 4, -1], [6, 7, 8]]))
    half = {k: v.astype("float16") if v.dtype == "float32" else v for k, v in encoded.items()}
    for q in range(3):
        own = slice(3 * q, 3 * q + 3)
        np.testing.assert_allclose(in_batch[q, own], expected[q], atol=1e-6)
        question = {k: v[q] for k, v in encoded_questions.items()}
        scored = model.score(question, {k: v[own] for k, v in encoded.items()})
        np.testing.assert_allclose(scored, expected[q], atol=1e-6)
        scored = model.score({k: v[None] for k, v in question.items()}, {k: v[own] for k, v in half.items()})
        np.testing.assert_allclose(scored, expected[q], atol=2e-3)
        np.testing.assert_allclose(pooled[q, : 2 if q == 1 else 3], expected[q][: 2 if q == 1 else 3], atol=1e-6)
    assert pooled[1, 2] == 0.0


@pytest.mark.parametrize("batch_size", [1, 4, 100])
@every_model
def test_encoded_by_length_is_encoded(cls, sizes, batch_size):
    model, answers = make(cls, sizes), sample()["answer_ids"].reshape(9, 6)
    encoded, found = model.encode_answers(answers), model.encode_by_length(answers, batch_size)
    if "vector" in found:
        np.testing.assert_allclose(found["vector"], encoded["vector"], atol=1e-6)
    else:
        np.testing.assert_array_equal(found["lengths"], (answers != 0).sum(axis=1))
        np.testing.assert_allclose(found["features"], encoded["features"][encoded["mask"]], atol=1e-6)


@pytest.mark.parametrize("scale", [20.0, 100.0])
@ap_models
def test_pool_scores_with_a_score_scale(cls, sizes, scale):
    """Scores of -1 and 1 lie e^200 apart with the larger one, which float32 does not hold."""
    model, inputs = make(cls, sizes, score_scale=scale), sample()
    encoded = model.encode_answers(inputs["answer_ids"].reshape(9, 6))
    pooled = model.score_pools(model.encode_questions(inputs["question_ids"]), encoded, np.arange(9).reshape(3, 3))
    np.testing.assert_allclose(pooled, similarities(model, inputs), atol=5e-5)
    assert not np.allclose(pooled, similarities(make(cls, sizes), inputs), atol=1e-3)


@ap_models
def test_attention_model_gives_the_weights_behind_the_similarities(cls, sizes):
    model, inputs = make(cls, sizes), sample()
    question_weights, answer_weights = (ops.convert_to_numpy(w) for w in model.attention_model(inputs))
    assert question_weights.shape == (3, 3, 4)
    real = inputs["answer_ids"] != 0
    np.testing.assert_array_equal(answer_weights > 0, real)
    np.testing.assert_allclose(answer_weights.sum(-1), real.any(-1), atol=1e-6)
    np.testing.assert_allclose(question_weights[:2].sum(-1), 1, atol=1e-6)


@every_model
def test_saved_and_loaded(cls, sizes, tmp_path):
    matrix = np.random.default_rng(5).normal(size=(20, 4))
    model = make(cls, sizes, embedding_matrix=matrix, train_embeddings=False, dropout=0.1, word_dropout=0.2)
    expected = similarities(model, sample())
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is cls
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(similarities(again, sample()), expected)
    np.testing.assert_allclose(parameters(again, "embedding/embeddings"), matrix, rtol=1e-6)
    model.save_weights(tmp_path / "model.weights.h5")
    other = make(cls, sizes, dropout=0.1, word_dropout=0.2)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(similarities(other, sample()), expected)


@every_model
def test_making_the_other_faces_adds_no_weights(cls, sizes, tmp_path):
    model = make(cls, sizes)
    count = len(model.weights)
    model.save(tmp_path / "before.keras")
    model.in_batch_model, model.encoder_model, model.scorer_model  # noqa: B018
    assert len(model.weights) == count == len(model.in_batch_model.weights)
    model.save(tmp_path / "after.keras")
    again = keras.saving.load_model(tmp_path / "after.keras")
    np.testing.assert_array_equal(similarities(again, sample()), similarities(model, sample()))


@every_model
def test_word_vectors(cls, sizes):
    """Given ones are taken as they are; frozen ones are not among the trained weights."""
    matrix = np.arange(80.0).reshape(20, 4)
    model = cls(20, embedding_width=4, embedding_matrix=matrix, **sizes)
    np.testing.assert_array_equal(parameters(model, "embedding/embeddings"), matrix)
    frozen = cls(20, embedding_width=4, embedding_matrix=matrix, train_embeddings=False, **sizes)
    assert len(frozen.trainable_weights) == len(model.trainable_weights) - 1
    with pytest.raises(ValueError, match=r"embedding_matrix of shape \(20, 5\)"):
        cls(20, embedding_width=4, embedding_matrix=np.ones((20, 5)), **sizes)


@every_model
def test_dropout_only_in_training(cls, sizes):
    inputs = sample()
    for option in ("embedding_dropout", "word_dropout", "dropout"):
        model = make(cls, sizes, **{option: 0.5})
        still = similarities(model, inputs)
        np.testing.assert_array_equal(still, similarities(make(cls, sizes), inputs))
        noisy = ops.convert_to_numpy(model(inputs, training=True))
        assert not np.allclose(noisy[:2], still[:2], atol=1e-3)
        in_batch = {"question_ids": inputs["question_ids"], "answer_ids": inputs["answer_ids"][:, 0]}
        noisy = ops.convert_to_numpy(model.in_batch_model(in_batch, training=True))
        assert not np.allclose(noisy[:2], similarities(model.in_batch_model, in_batch)[:2], atol=1e-3)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@every_model
def test_gradients_are_finite_with_empty_sides(cls, sizes, policy):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written with tf.GradientTape")
    import tensorflow as tf

    model, inputs = make(cls, sizes, dtype=policy), sample()
    in_batch = {"question_ids": inputs["question_ids"], "answer_ids": inputs["answer_ids"][:, 2]}
    for face, batch in ((model, inputs), (model.in_batch_model, in_batch)):
        with tf.GradientTape() as tape:
            similarity = face(batch, training=True)
            total = tf.reduce_sum(similarity**2)
        assert similarity.dtype == tf.float32
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, model.trainable_weights)]
        assert all(np.isfinite(g).all() for g in gradients)
        assert any(np.any(g) for g in gradients)
    empty = {"question_ids": np.zeros((2, 3), int), "answer_ids": inputs["answer_ids"][:2]}
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(empty))
    for gradient in tape.gradient(total, model.trainable_weights):
        assert not np.any(tf.convert_to_tensor(gradient))


@pytest.mark.parametrize(
    ("cls", "parameters"),
    [
        (QACNN, 20 * 100 + 2 * 100 * 4000 + 4000),
        (APCNN, 20 * 100 + 3 * 100 * 400 + 400 + 400 * 400),
        (QABiLSTM, 20 * 100 + 2 * 4 * 141 * (100 + 141 + 1)),
        (APBiLSTM, 20 * 100 + 2 * 4 * 141 * (100 + 141 + 1) + 282 * 282),
    ],
)
def test_the_papers_sizes(cls, parameters):
    assert cls(20, **cls.PAPER_SIZES).count_params() == parameters


def test_pools_are_checked():
    model = make(*MODELS[0])
    encoded = model.encode_answers(np.ones((2, 3), int))
    for pools in (np.array([[0, 2]] * 2), np.array([[0, 1]]), np.array([0, 1])):
        with pytest.raises(ValueError, match="`pools` must be"):
            model.score_pools(encoded, encoded, pools)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        model.encode_answers(np.ones(3, int))


@every_model
def test_clone_model(cls, sizes):
    """Keras' own way to a model of the same layers with new weights."""
    model = make(cls, sizes)
    clone = keras.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(clone(sample())), similarities(model, sample()), atol=1e-6)

"""What holds for all three translation models."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.models import RNNEncoderDecoder, RNNSearch, Seq2Seq
from keras_attention.models.translation import rnn_search_decoding

SMALL = {
    Seq2Seq: {"embedding_dim": 6, "units": 5, "layers_count": 2},
    RNNEncoderDecoder: {"embedding_dim": 6, "encoder_units": 4, "decoder_units": 5, "maxout_units": 3},
    RNNSearch: {"embedding_dim": 6, "encoder_units": 4, "decoder_units": 5, "attention_units": 3, "maxout_units": 3},
}
SOURCE = np.array([[5, 6, 7, 3], [8, 3, 0, 0]])
TARGET = np.array([[2, 4, 9, 10], [2, 5, 0, 0]])


def make(cls, **options):
    keras.utils.set_random_seed(0)
    return cls(11, 12, **{**SMALL[cls], **options})


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cls", SMALL)
def test_the_sequence_is_the_steps(cls, tied):
    model = make(cls, tie_embeddings=tied)
    logits = ops.convert_to_numpy(model({"source_ids": SOURCE, "target_ids": TARGET}))
    memory = model.encode(SOURCE)
    state = model.initial_state(memory)
    for t in range(TARGET.shape[1]):
        step, state, weights = model.decode_step(TARGET[:, t : t + 1], state, memory)
        np.testing.assert_allclose(ops.convert_to_numpy(step)[:, 0], logits[:, t], atol=1e-5)
        assert (weights is not None) == model.has_alignment
        if weights is not None:
            weights = ops.convert_to_numpy(weights)
            np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
            assert np.all(weights[1, :, 2:] == 0)


@pytest.mark.parametrize("weights_made", [None, False, True], ids=["made here", "made before", "with a table of words"])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("options", [{}, {"reset_after": True}, {"normalize_attention": True}], ids=str)
def test_the_prepared_step_is_the_step(options, tied, weights_made):
    model = make(RNNSearch, tie_embeddings=tied, **options)
    for weight in model.trainable_variables:  # biases too
        weight.assign_add(np.random.default_rng(0).normal(size=weight.shape).astype("float32") * 0.1)
    source, target = np.vstack([SOURCE, np.zeros((1, 4), int)]), np.vstack([TARGET, TARGET[:1]])  # one that is empty
    memory = model.encode(source)
    state = prepared_state = model.initial_state(memory)
    made = None if weights_made is None else model.decoding_weights(tabulate_words=weights_made)
    assert ("words" in (made or {})) == bool(weights_made)
    prepared, prepared_memory = model.prepare_decoding(memory, made)
    for t in range(target.shape[1]):
        logits, state, weights = model.decode_step(target[:, t : t + 1], state, memory)
        found, prepared_state, found_weights = prepared(target[:, t : t + 1], prepared_state, prepared_memory)
        for a, b in ((found, logits), (prepared_state, state), (found_weights, weights)):
            np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=1e-5)


def test_no_table_of_words_above_its_limit(monkeypatch):
    model = make(RNNSearch)
    width = 3 * model.decoder_units + 2 * model.maxout_units
    table = model.decoding_weights(tabulate_words=True)["words"]
    assert tuple(table.shape) == (model.target_vocabulary_size, width)
    monkeypatch.setattr(rnn_search_decoding, "LARGEST_TABLE", model.target_vocabulary_size * width - 1)
    assert "words" not in model.decoding_weights(tabulate_words=True)


@pytest.mark.parametrize("cls", SMALL)
def test_hypotheses_share_one_memory(cls):
    """Two hypotheses of a sentence in one call are two calls, though the memory is there once."""
    model = make(cls)
    memory = model.encode(SOURCE)
    start = model.initial_state(memory)
    tokens = np.array([[4, 7], [9, 5]])
    both = keras.tree.map_structure(lambda x: ops.concatenate([x, x], axis=1), start)
    together, _, _ = model.decode_step(tokens, both, memory)
    for k in range(2):
        alone, _, _ = model.decode_step(tokens[:, k : k + 1], start, memory)
        np.testing.assert_allclose(ops.convert_to_numpy(together)[:, k], ops.convert_to_numpy(alone)[:, 0], atol=1e-5)


@pytest.mark.parametrize("cls", SMALL)
def test_no_step_sees_a_later_target(cls):
    model = make(cls)
    logits = ops.convert_to_numpy(model({"source_ids": SOURCE, "target_ids": TARGET}))
    changed = TARGET.copy()
    changed[:, 2:] = 11
    again = ops.convert_to_numpy(model({"source_ids": SOURCE, "target_ids": changed}))
    np.testing.assert_allclose(again[:, :2], logits[:, :2], atol=1e-6)
    assert not np.allclose(again[:, 2:], logits[:, 2:])


@pytest.mark.parametrize("cls", SMALL)
def test_learns_to_copy(cls):
    """A short sentence repeated: loss falls to a small part of log(vocabulary) in some seconds."""
    model = make(
        cls,
        **(
            {"embedding_dim": 16}
            | ({"units": 32, "layers_count": 1} if cls is Seq2Seq else {"decoder_units": 32, "encoder_units": 32})
        ),
    )
    rng = np.random.default_rng(0)
    words = rng.integers(4, 8, size=(512, 3))
    source = np.concatenate([words, np.full((512, 1), 3)], axis=1)
    target = np.concatenate([np.full((512, 1), 2), words], axis=1)
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=keras.backend.backend() == "jax",
    )
    history = model.fit({"source_ids": source, "target_ids": target}, source, epochs=12, batch_size=32, verbose=0)
    assert history.history["loss"][-1] < 0.35


@pytest.mark.parametrize("cls", SMALL)
def test_bad_arguments(cls):
    with pytest.raises(ValueError, match="source_vocabulary_size=0"):
        cls(0, 12)
    with pytest.raises(ValueError, match="dropout=1"):
        cls(11, 12, dropout=1.0)


@pytest.mark.parametrize("cls", SMALL)
def test_the_papers_initialisation(cls):
    model = make(cls, paper_initialization=True)
    if cls is RNNSearch:
        assert np.all(ops.convert_to_numpy(model.decoder.attention.score_vector) == 0)
        assert np.abs(ops.convert_to_numpy(model.decoder.attention.key_projection.kernel)).max() < 0.006
        recurrent = ops.convert_to_numpy(model.decoder.recurrent_kernel)
        for i in range(3):
            block = recurrent[:, 5 * i : 5 * (i + 1)]
            np.testing.assert_allclose(block.T @ block, np.eye(5), atol=1e-5)
    elif cls is Seq2Seq:
        for layer in model.encoder_layers:
            kernel = ops.convert_to_numpy(layer.cell.kernel)
            assert 0.04 < np.abs(kernel).max() <= 0.08
    else:
        assert np.abs(ops.convert_to_numpy(model.decoder.cell.kernel)).max() < 0.06


@pytest.mark.parametrize("cls", SMALL)
def test_given_word_vectors_take_the_place_of_random_ones(cls):
    model = make(cls)
    before = ops.convert_to_numpy(model.source_embedding.embeddings).copy()
    vectors = np.zeros((11, 6))
    vectors[5] = [3, 0, 0, 0, 0, 0]
    model.load_word_vectors(source_vectors=vectors, length=0.5)
    after = ops.convert_to_numpy(model.source_embedding.embeddings)
    np.testing.assert_allclose(after[5], [0.5, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(np.delete(after, 5, 0), np.delete(before, 5, 0))
    usual = np.linalg.norm(after, axis=1).mean()
    model.load_word_vectors(source_vectors=vectors)
    assert np.linalg.norm(ops.convert_to_numpy(model.source_embedding.embeddings)[5]) == pytest.approx(usual)


def test_word_vectors_of_another_shape_are_refused():
    model = make(RNNSearch)
    with pytest.raises(ValueError, match=r"`target_vectors` must have shape \(12, 6\).*\(12, 5\)"):
        model.load_word_vectors(target_vectors=np.ones((12, 5)))


@pytest.mark.parametrize("tied", [False, True])
def test_a_model_that_begins_as_a_lexicon_translates_word_by_word(tied):
    keras.utils.set_random_seed(3)
    size = 12
    lexicon = np.random.default_rng(0).permutation(size)  # source word i means target word lexicon[i]
    vectors = np.eye(size)
    model = RNNSearch(
        size, size, embedding_dim=size, encoder_units=8, decoder_units=6, maxout_units=14, tie_embeddings=tied
    )
    options = {"source_vectors": vectors[lexicon], "target_vectors": vectors, "gain": 200.0}
    words = np.arange(1, size)
    inputs = {"source_ids": np.repeat(words[:, None], 4, axis=1), "target_ids": np.full((size - 1, 1), 2)}
    before = ops.convert_to_numpy(model(inputs))[:, 0].argmax(-1)
    model.begin_as_lexicon(**options)
    found = ops.convert_to_numpy(model(inputs))[:, 0].argmax(-1)
    np.testing.assert_array_equal(found, lexicon[words])
    assert not np.array_equal(before, found)


def test_a_lexicon_needs_room_in_the_annotations():
    model = make(RNNSearch, embedding_dim=9)
    with pytest.raises(ValueError, match="embedding_dim=9, encoder_units=4"):
        model.begin_as_lexicon(np.ones((11, 9)), np.ones((12, 9)))

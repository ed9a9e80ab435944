"""Exports with ids in and out: operations of the TensorFlow core only, the same answers as from strings."""

import numpy as np
import pytest
from export import c_program
from export.cases import ANSWER_SELECTION_MODELS, TEXTS, TRANSLATION_MODELS, make, make_selector, make_translator

from keras_attention.export.stock_operations import check_operations
from keras_attention.models import APCNN, RNNSearch
from keras_attention.text import load_tokenizer

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize("cls", TRANSLATION_MODELS)
def test_a_translator(cls, tmp_path):
    translator = make_translator(cls)
    path = translator.export(tmp_path, interface="token_ids", beam_width=2)
    check_operations(path, libraries=("tensorflow",))
    signatures = tf.saved_model.load(str(path)).signatures
    assert set(signatures) == {"serving_default", "n_best"} | ({"alignment"} if cls is RNNSearch else set())
    # As a client without TensorFlow Text does it: tokenizer and end symbol, padding, the way back.
    tokenizer = load_tokenizer(path / "assets.extra" / "source_tokenizer")
    rows = [[*tokenizer.tokenize([text]).numpy()[0].tolist(), tokenizer.end_id] for text in TEXTS]
    source_ids = np.zeros((len(rows), max(map(len, rows)) + 2), "int32")
    for row, ids in zip(source_ids, rows):
        row[: len(ids)] = ids
    answer = signatures["serving_default"](source_ids=tf.constant(source_ids))
    expected = translator.translate(TEXTS, return_scores=True)
    back = load_tokenizer(path / "assets.extra" / "target_tokenizer").detokenize(answer["target_ids"])
    assert [text.decode() for text in back.numpy()] == [one.text for one in expected]
    np.testing.assert_allclose(answer["score"], [one.score for one in expected], rtol=1e-5, atol=1e-6)
    assert answer["length"].numpy().tolist() == [len(one.target_tokens) for one in expected]
    for i, ids in enumerate(rows):
        alone = signatures["serving_default"](source_ids=tf.constant([ids]))
        length = int(alone["length"][0])
        assert alone["target_ids"][0, :length].numpy().tolist() == answer["target_ids"][i, :length].numpy().tolist()
        assert not answer["target_ids"][i, length:].numpy().any()
    lists = signatures["n_best"](source_ids=tf.constant(source_ids))
    best = translator.translate(TEXTS, beam_width=2, n_best=2)
    np.testing.assert_allclose(lists["scores"], [[one.score for one in row] for row in best], rtol=1e-5, atol=1e-6)
    assert lists["target_ids"].shape[:2] == lists["lengths"].shape == (len(TEXTS), 2)
    if cls is RNNSearch:
        aligned = signatures["alignment"](source_ids=tf.constant(source_ids))
        assert aligned["alignment"].shape == (*aligned["target_ids"].shape, source_ids.shape[1])
    empty = signatures["serving_default"](source_ids=tf.zeros([0, 0], tf.int32))
    assert empty["score"].shape == (0,)


@pytest.mark.parametrize("cls", ANSWER_SELECTION_MODELS)
def test_a_selector(cls, tmp_path):
    selector = make_selector(cls)
    path = selector.export(tmp_path, interface="token_ids")
    check_operations(path, libraries=("tensorflow",))
    signatures = tf.saved_model.load(str(path)).signatures
    tokenizer = load_tokenizer(path / "assets.extra" / "tokenizer")
    question_ids = tokenizer.tokenize(TEXTS)[:, :6].to_tensor()
    answer_ids = tokenizer.tokenize(TEXTS[::-1])[:, :7].to_tensor()
    pairs = signatures["serving_default"](question_ids=question_ids, answer_ids=answer_ids)
    expected = [selector.rank(q, [a])[0].score for q, a in zip(TEXTS, TEXTS[::-1])]
    np.testing.assert_allclose(pairs["similarity"], expected, rtol=1e-5, atol=1e-6)
    ranked = signatures["rank"](question_ids=question_ids[:1], answer_ids=answer_ids)
    expected = [one.place for one in selector.rank(TEXTS[0], TEXTS[::-1])]
    assert ranked["order"].numpy().tolist() == expected


@pytest.mark.parametrize("cls", [RNNSearch, APCNN])
def test_without_python_and_without_tf_text(cls, tmp_path):
    path = make(cls).export(tmp_path / "ids", interface="token_ids")
    random = np.random.default_rng(0)
    ids = np.concatenate([random.integers(4, 20, (3, 5)), np.full((3, 1), 3)], axis=1).astype("int32")
    inputs = {"source_ids": ids} if cls is RNNSearch else {"question_ids": ids, "answer_ids": ids[::-1]}
    said = c_program.run(c_program.build(tmp_path), path, [], "serving_default", inputs, tmp_path)
    expected = tf.saved_model.load(str(path)).signatures["serving_default"](
        **{name: tf.constant(value) for name, value in inputs.items()}
    )
    assert set(said) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(said[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("cls", [RNNSearch, APCNN])
def test_another_interface_is_refused(cls, tmp_path):
    with pytest.raises(ValueError, match="interface='ids'"):
        make(cls).export(tmp_path / "new", interface="ids")
    assert not (tmp_path / "new").exists()

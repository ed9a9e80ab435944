"""The SavedModel that holds an index: questions in, the selector's own best answers out."""

import numpy as np
import pytest
from export import c_program
from export.cases import ANSWER_SELECTION_MODELS, CORPUS, TEXTS, make_selector, with_both_tokenizers

from keras_attention.export.stock_operations import check_operations
from keras_attention.models import APCNN, QACNN

tf = pytest.importorskip("tensorflow")

ANSWERS = [
    *CORPUS,
    "",
    "the cat ?",
    *(f"{a} {b}, {a}" for a in ("cat", "Dog", "chien") for b in ("ran", "vite", "ÉTÉ")),
]
QUESTIONS = ["the CAT", "", "vite chien été ?", "zebra \U0001f642", "a dog ran on the mat", "Dog-ran_on"]


def assert_answers_as(signature, selector, questions, top_k, candidate_count=100, tolerance=1e-5):
    found = signature(question=tf.constant(questions))
    answers = [[text.decode() for text in row] for row in found["answers"].numpy()]
    expected = selector.search(questions, top_k, candidate_count=candidate_count)
    np.testing.assert_allclose(found["scores"], [[one.score for one in row] for row in expected], tolerance, tolerance)
    for texts, places, scores, question in zip(answers, found["places"].numpy(), found["scores"].numpy(), questions):
        assert texts == [selector.answers[place] for place in places]
        assert len(set(places.tolist())) == top_k
        # Places of equal scores may be exchanged: each is held to the score of its pair.
        by_pair = {one.place: one.score for one in selector.rank(question, texts)}
        np.testing.assert_allclose(scores, [by_pair[i] for i in range(top_k)], tolerance, tolerance)
    return found


@pytest.mark.parametrize("cls, tokenizer", with_both_tokenizers(ANSWER_SELECTION_MODELS))
def test_it_finds_what_the_selector_finds(cls, tokenizer, tmp_path):
    selector = make_selector(cls, tokenizer).index(ANSWERS)
    path = selector.export_with_index(tmp_path / "index", top_k=3, candidate_count=5)
    signatures = tf.saved_model.load(str(path)).signatures
    assert set(signatures) == {"serving_default", "similarity", "rank", *["attention"] * selector.has_weights}
    signature = signatures["serving_default"]
    assert signature.structured_input_signature[1]["question"].shape.as_list() == [None]
    found = assert_answers_as(signature, selector, QUESTIONS, 3, 5)
    assert [value.dtype for _, value in sorted(found.items())] == [tf.string, tf.int32, tf.float32]
    assert found["places"].shape == (len(QUESTIONS), 3)
    for i, question in enumerate(QUESTIONS):
        alone = signature(question=tf.constant([question]))
        np.testing.assert_allclose(alone["scores"][0], found["scores"][i], rtol=1e-5, atol=1e-6)
    pairs = signatures["similarity"](question=tf.constant(QUESTIONS), answer=tf.constant(ANSWERS[: len(QUESTIONS)]))
    expected = [selector.rank(q, [a])[0].score for q, a in zip(QUESTIONS, ANSWERS)]
    np.testing.assert_allclose(pairs["similarity"], expected, rtol=1e-5, atol=1e-6)
    empty = signature(question=tf.constant([], tf.string))
    assert empty["answers"].shape == (0, 3)


def test_without_stored_features_the_answers_are_the_same_and_the_folder_is_smaller(tmp_path):
    selector = make_selector(APCNN).index(ANSWERS * 40)
    sizes = {}
    for encode_when_asked in (False, True):
        folder = tmp_path / str(encode_when_asked)
        path = selector.export_with_index(folder, top_k=4, candidate_count=50, encode_when_asked=encode_when_asked)
        signature = tf.saved_model.load(str(path)).signatures["serving_default"]
        assert_answers_as(signature, selector, QUESTIONS, 4, 50)
        sizes[encode_when_asked] = sum(file.stat().st_size for file in path.rglob("*"))
    assert sizes[True] < sizes[False]


@pytest.mark.parametrize("cls", [QACNN, APCNN])
def test_in_half_precision(cls, tmp_path):
    selector = make_selector(cls).index(ANSWERS, dtype="float16")
    path = selector.export_with_index(tmp_path, top_k=2)
    served = tf.saved_model.load(str(path))
    assert_answers_as(served.signatures["serving_default"], selector, QUESTIONS, 2, tolerance=5e-3)
    if cls is APCNN:  # from the ids come scores of full precision, near those of the index
        assert selector.export_with_index(tmp_path, top_k=2, encode_when_asked=True).name == "2"


def test_without_python(tmp_path):
    """The C program: the answers' texts lie in the SavedModel, not in Python."""
    selector = make_selector(APCNN).index(ANSWERS)
    path = selector.export_with_index(tmp_path / "index", top_k=3)
    check_operations(path)
    program, libraries = c_program.build(tmp_path), c_program.text_libraries()
    said = c_program.run(program, path, libraries, "serving_default", {"question": TEXTS}, tmp_path)
    expected = tf.saved_model.load(str(path)).signatures["serving_default"](question=tf.constant(TEXTS))
    assert said["answers"].tolist() == [[text.decode() for text in row] for row in expected["answers"].numpy()]
    np.testing.assert_allclose(said["scores"], expected["scores"], rtol=1e-5, atol=1e-6)


def test_more_than_there_is(tmp_path):
    selector = make_selector(APCNN).index(ANSWERS[:2])
    path = selector.export_with_index(tmp_path, top_k=10, candidate_count=100)
    found = tf.saved_model.load(str(path)).signatures["serving_default"](question=tf.constant(QUESTIONS))
    assert found["places"].shape == (len(QUESTIONS), 2)


def test_errors(tmp_path, monkeypatch):
    selector = make_selector(QACNN)
    with pytest.raises(ValueError, match="call `index"):
        selector.export_with_index(tmp_path)
    selector.index(ANSWERS)
    with pytest.raises(ValueError, match="top_k=0"):
        selector.export_with_index(tmp_path, top_k=0)
    with pytest.raises(ValueError, match="encode_when_asked=True"):
        selector.export_with_index(tmp_path, encode_when_asked=True)
    assert list(tmp_path.iterdir()) == []


def test_an_index_of_other_weights_is_not_exported(tmp_path):
    selector = make_selector(APCNN).index(ANSWERS)
    for variable in selector.model.trainable_variables:
        variable.assign(-variable + 0.3)
    with pytest.raises(RuntimeError, match="does not answer as the selector does"):
        selector.export_with_index(tmp_path, top_k=3)
    assert list(tmp_path.iterdir()) == []

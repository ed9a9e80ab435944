"""SavedModels of answer selectors: strings in, similarities out, the same as the model's."""

import numpy as np
import pytest

from keras_attention.answer_selector import AnswerSelector
from keras_attention.export import answer_selection
from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.text import SentencePieceTokenizer, WordTokenizer

tf = pytest.importorskip("tensorflow")

ANSWERS = ["the cat sat on the mat", "a dog ran", "", "le chat était là", "a dog ran", "\U0001f642 zebra", "the cat ?"]
QUESTIONS = ["the cat", "  ", "a dog ?", "le chat", "un", "the cat sat on the mat and ran", "zebra"]


def make(cls, tokenizer_class=WordTokenizer, **sizes):
    options = {"vocabulary_size": 40} if tokenizer_class is SentencePieceTokenizer else {}
    tokenizer = tokenizer_class.train(ANSWERS * 3, **options)
    model = cls(tokenizer.vocabulary_size, embedding_width=8, **sizes)
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(scale=0.7, size=variable.shape))
    return AnswerSelector(model, tokenizer, question_length=6, answer_length=5)


@pytest.mark.parametrize(
    "cls, tokenizer_class, sizes",
    [
        (QACNN, WordTokenizer, {"filters": 8}),
        (APCNN, SentencePieceTokenizer, {"filters": 8}),
        (QABiLSTM, SentencePieceTokenizer, {"units": 4}),
        (APBiLSTM, WordTokenizer, {"units": 4}),
    ],
)
def test_the_savedmodel_says_what_the_selector_says(cls, tokenizer_class, sizes, tmp_path):
    selector = make(cls, tokenizer_class, **sizes)
    path = selector.export(tmp_path)
    assert path == tmp_path / "1"
    signatures = tf.saved_model.load(str(path)).signatures
    pairs = signatures["serving_default"](question=tf.constant(QUESTIONS), answer=tf.constant(ANSWERS))
    assert pairs["similarity"].dtype == tf.float32
    expected = [selector.rank(q, [a])[0].score for q, a in zip(QUESTIONS, ANSWERS)]
    np.testing.assert_allclose(pairs["similarity"], expected, atol=1e-5)
    assert len({round(score, 4) for score in expected}) > 3
    for question in ("the cat", "", "zebra"):
        ranked = signatures["rank"](question=tf.constant([question]), answers=tf.constant(ANSWERS))
        by_selector = selector.rank(question, ANSWERS)
        similarity, order = ranked["similarity"].numpy(), ranked["order"].numpy()
        np.testing.assert_allclose(similarity[order], [one.score for one in by_selector], atol=1e-5)
        np.testing.assert_array_equal(order, np.argsort(-similarity, kind="stable"))  # equal ones as given
    nothing = signatures["serving_default"](question=tf.constant([], tf.string), answer=tf.constant([], tf.string))
    assert nothing["similarity"].shape == (0,)
    nothing = signatures["rank"](question=tf.constant(["the cat"]), answers=tf.constant([], tf.string))
    assert nothing["similarity"].shape == nothing["order"].shape == (0,)
    for questions, answers in ((QUESTIONS[:2], ANSWERS[:1]), (QUESTIONS[:1], ANSWERS[:2])):  # must not broadcast
        with pytest.raises(tf.errors.InvalidArgumentError, match="as many answers as questions"):
            signatures["serving_default"](question=tf.constant(questions), answer=tf.constant(answers))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected one question"):
        signatures["rank"](question=tf.constant(QUESTIONS[:2]), answers=tf.constant(ANSWERS))


def test_versions_count_on(tmp_path):
    selector = make(QACNN, filters=4)
    assert [selector.export(tmp_path).name, selector.export(tmp_path, 7).name] == ["1", "7"]
    assert selector.export(tmp_path).name == "8"
    for version in (7, 0, "1", True):
        with pytest.raises(ValueError, match=f"version={version!r}"):
            selector.export(tmp_path, version)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "7", "8"]


def test_what_answers_otherwise_is_not_left_behind(tmp_path, monkeypatch):
    """What is written is not what the model answered: the comparison must see it."""
    selector = make(APCNN, filters=8)
    write = answer_selection.write_saved_model

    def write_after_a_change(*arguments, **options):
        for variable in selector.model.trainable_variables:
            variable.assign(-variable + 0.3)
        return write(*arguments, **options)

    monkeypatch.setattr(answer_selection, "write_saved_model", write_after_a_change)
    with pytest.raises(RuntimeError, match="does not answer as the model does"):
        selector.export(tmp_path)
    assert list(tmp_path.iterdir()) == []

"""The signature `attention` of a selector's SavedModel: the weights that `rank` gives, next to their tokens."""

import numpy as np
import pytest

from keras_attention.answer_selector import AnswerSelector
from keras_attention.export.answer_selection_attention import attention_endpoints
from keras_attention.models.answer_selection import QACNN, APBiLSTM
from keras_attention.text import WordTokenizer

tf = pytest.importorskip("tensorflow")

ANSWERS = ["the cat sat on the mat and ran", "a dog ran", "", "the cat ?"]
QUESTIONS = ["the cat", "  ", "a dog ?", "the cat sat on the mat and ran away"]


def make(cls, **sizes):
    tokenizer = WordTokenizer.train(ANSWERS * 3)
    model = cls(tokenizer.vocabulary_size, embedding_width=8, **sizes)
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(scale=0.7, size=variable.shape))
    return AnswerSelector(model, tokenizer, question_length=6, answer_length=5)


def test_tokens_and_weights_of_both_sides(tmp_path):
    selector = make(APBiLSTM, units=4)
    signatures = tf.saved_model.load(str(selector.export(tmp_path))).signatures
    found = signatures["attention"](question=tf.constant(QUESTIONS), answer=tf.constant(ANSWERS))
    pairs = signatures["serving_default"](question=tf.constant(QUESTIONS), answer=tf.constant(ANSWERS))
    np.testing.assert_allclose(found["similarity"], pairs["similarity"], atol=1e-6)
    for i, (question, answer) in enumerate(zip(QUESTIONS, ANSWERS)):
        expected = selector.rank(question, [answer], return_weights=True)[0]
        for side in ("question", "answer"):
            tokens = [token.decode() for token in found[f"{side}_tokens"][i].numpy()]
            weights = found[f"{side}_weights"][i].numpy()
            count = sum(token != "" for token in tokens)
            ids = selector.tokenizer.tokenize([question if side == "question" else answer])[0][:count]
            assert tokens[:count] == [selector.tokenizer.id_to_piece(int(i)) for i in ids]
            assert count == len(getattr(expected, f"{side}_tokens"))
            np.testing.assert_allclose(weights[:count], getattr(expected, f"{side}_weights"), atol=1e-5)
            np.testing.assert_array_equal(weights[count:], 0)


def test_models_without_weights_have_no_such_signature():
    assert attention_endpoints(make(QACNN, filters=4).graph) == {}

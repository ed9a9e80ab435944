"""A tokenizer lives as long as its object, whatever TensorFlow does to its caches."""

import gc

import keras
import pytest

from keras_attention.text import SentencePieceTokenizer

tf = pytest.importorskip("tensorflow")


def test_a_new_seed_does_not_break_a_tokenizer():
    tokenizer = SentencePieceTokenizer.train(["the cat sat", "the dog sat"], vocabulary_size=20)
    traced = tf.function(lambda texts: tokenizer.tokenize(texts).to_tensor())
    before = tokenizer.tokenize(["the cat"]).to_list(), traced(tf.constant(["the cat"])).numpy().tolist()
    keras.utils.set_random_seed(3)
    gc.collect()
    assert tokenizer.tokenize(["the cat"]).to_list() == before[0]
    assert traced(tf.constant(["the cat"])).numpy().tolist() == before[1]


def test_nor_does_the_end_of_another_one():
    texts = ["the cat sat", "the dog sat"]
    kept, other = (SentencePieceTokenizer.train(texts, vocabulary_size=20) for _ in range(2))
    different = SentencePieceTokenizer.train([text.upper() for text in texts], vocabulary_size=20)
    expected = kept.tokenize(["the cat"]).to_list()
    del other
    gc.collect()
    assert kept.tokenize(["the cat"]).to_list() == expected
    assert different.pieces("THE") != kept.pieces("the")


def test_a_saved_model_too(tmp_path):
    tokenizer = SentencePieceTokenizer.train(["the cat sat", "the dog sat"], vocabulary_size=20)
    module = tf.Module()
    module.tokenizer = tokenizer
    module.serve = tf.function(
        lambda texts: tokenizer.tokenize(texts).to_tensor(), input_signature=[tf.TensorSpec([None], tf.string, "texts")]
    )
    tf.saved_model.save(module, str(tmp_path / "model"))
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    expected = tokenizer.tokenize(["the cat"]).to_list()
    keras.utils.set_random_seed(4)
    assert loaded.serve(tf.constant(["the cat"])).numpy().tolist() == expected

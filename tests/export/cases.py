"""Small models with weights far from uniform, each of the seven with each tokenizer, and texts to ask them."""

import keras
import numpy as np

from keras_attention.answer_selector import AnswerSelector
from keras_attention.models import RNNEncoderDecoder, RNNSearch, Seq2Seq
from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.text import SentencePieceTokenizer, WordTokenizer
from keras_attention.translator import Translator

CORPUS = [
    "the cat sat on the mat",
    "a dog ran",
    "le chat était là",
    "un chien court vite",
    "oui non peut-être ?",
    "the dog and the cat ran",
]
# Of mixed lengths and kinds: none of them may change another's answer.
TEXTS = ["the cat", "", "   ", "a dog ran on the mat", "\U0001f642 zebra 42 ?", "le chat était là " * 3, "Ein ﬁsch"]

TRANSLATION_MODELS = {
    Seq2Seq: {"embedding_dim": 8, "units": 8},
    RNNEncoderDecoder: {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "maxout_units": 8},
    RNNSearch: {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "maxout_units": 8},
}
ANSWER_SELECTION_MODELS = {
    QACNN: {"filters": 8},
    APCNN: {"filters": 8},
    QABiLSTM: {"units": 4},
    APBiLSTM: {"units": 4},
}
TOKENIZERS = {"SentencePiece": SentencePieceTokenizer, "word": WordTokenizer}


def make_tokenizer(name):
    options = {"vocabulary_size": 60} if name == "SentencePiece" else {}
    return TOKENIZERS[name].train(CORPUS * 3, **options)


def make_translator(cls, tokenizer="SentencePiece"):
    keras.utils.set_random_seed(0)
    tokenizer = make_tokenizer(tokenizer)
    size = tokenizer.vocabulary_size
    model = cls(size, size, **TRANSLATION_MODELS[cls])
    for variable in model.trainable_variables:
        variable.assign(variable * 3)
    return Translator(model, tokenizer, tokenizer, maximum_length_ratio=1.5, maximum_length_extra=3)


def make_selector(cls, tokenizer="SentencePiece"):
    tokenizer = make_tokenizer(tokenizer)
    model = cls(tokenizer.vocabulary_size, embedding_width=8, **ANSWER_SELECTION_MODELS[cls])
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(scale=0.7, size=variable.shape))
    return AnswerSelector(model, tokenizer, question_length=6, answer_length=7)


def make(cls, tokenizer="SentencePiece"):
    """Make the translator or selector of a model's class."""
    return (make_translator if cls in TRANSLATION_MODELS else make_selector)(cls, tokenizer)


def with_both_tokenizers(models):
    """Return parameters `(cls, tokenizer)`: every model with one tokenizer now, with the other when asked for.

    Next to each other in the table they take turns, so that each tokenizer is seen with each kind of model.
    """
    import pytest

    parameters = []
    for i, cls in enumerate(models):
        for j, tokenizer in enumerate(TOKENIZERS):
            marks = [pytest.mark.extended] if (i + j) % 2 else []
            parameters.append(pytest.param(cls, tokenizer, marks=marks, id=f"{cls.__name__}-{tokenizer}"))
    return parameters

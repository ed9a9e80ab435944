"""Retrieval: BM25, the overlap of words, and the index of encoded answers."""

from keras_attention.retrieval.answer_feature_index import AnswerFeatureIndex
from keras_attention.retrieval.answer_index import build_answer_index, load_answer_index, save_answer_index
from keras_attention.retrieval.answer_vector_index import AnswerVectorIndex
from keras_attention.retrieval.bm25 import BM25
from keras_attention.retrieval.word_overlap import WordOverlap

__all__ = [
    "BM25",
    "AnswerFeatureIndex",
    "AnswerVectorIndex",
    "WordOverlap",
    "build_answer_index",
    "load_answer_index",
    "save_answer_index",
]

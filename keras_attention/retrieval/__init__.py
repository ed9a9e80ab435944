"""Retrieval: BM25 and the index of encoded answers."""

from keras_attention.retrieval.answer_feature_index import AnswerFeatureIndex
from keras_attention.retrieval.answer_index import build_answer_index, load_answer_index, save_answer_index
from keras_attention.retrieval.answer_vector_index import AnswerVectorIndex
from keras_attention.retrieval.bm25 import BM25

__all__ = [
    "BM25",
    "AnswerFeatureIndex",
    "AnswerVectorIndex",
    "build_answer_index",
    "load_answer_index",
    "save_answer_index",
]

"""Data: readers that check their files, and tf.data pipelines of fixed shapes."""

from keras_attention.data.multi30k import load_multi30k
from keras_attention.data.tatoeba import load_tatoeba
from keras_attention.data.translation import TranslationDataset, translation_dataset
from keras_attention.data.translation_files import ParallelCorpus, read_parallel, read_tsv

__all__ = [
    "ParallelCorpus",
    "TranslationDataset",
    "load_multi30k",
    "load_tatoeba",
    "read_parallel",
    "read_tsv",
    "translation_dataset",
]

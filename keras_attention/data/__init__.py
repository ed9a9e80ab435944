"""Data: readers that check their files, and tf.data pipelines of fixed shapes."""

from keras_attention.data.answer_selection import (
    answer_selection_dataset,
    answer_selection_pools,
    answer_selection_steps,
)
from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.data.answer_selection_files import read_answer_selection_jsonl, read_answer_selection_tsv
from keras_attention.data.encoded_answer_selection import EncodedAnswerSelection, encode_answer_selection, encode_texts
from keras_attention.data.insurance_qa_v1 import read_insurance_qa_v1
from keras_attention.data.insurance_qa_v2 import read_insurance_qa_v2
from keras_attention.data.lexical_vectors import lexical_vectors
from keras_attention.data.med_quad import med_quad_directory, read_med_quad
from keras_attention.data.multi30k import load_multi30k
from keras_attention.data.streamed_translation import StreamedTranslationDataset
from keras_attention.data.tatoeba import load_tatoeba
from keras_attention.data.translation import TranslationDataset, translation_dataset
from keras_attention.data.translation_files import ParallelCorpus, read_parallel, read_tsv
from keras_attention.data.translation_records import TranslationRecords, write_translation_records
from keras_attention.data.trec_qa import read_trec_qa
from keras_attention.data.wiki_qa import read_wiki_qa
from keras_attention.data.word_vectors import read_vector_words, read_word_vectors

__all__ = [
    "AnswerSelectionData",
    "EncodedAnswerSelection",
    "ParallelCorpus",
    "StreamedTranslationDataset",
    "TranslationDataset",
    "TranslationRecords",
    "answer_selection_dataset",
    "answer_selection_pools",
    "answer_selection_steps",
    "encode_answer_selection",
    "encode_texts",
    "lexical_vectors",
    "load_multi30k",
    "load_tatoeba",
    "med_quad_directory",
    "read_answer_selection_jsonl",
    "read_answer_selection_tsv",
    "read_insurance_qa_v1",
    "read_insurance_qa_v2",
    "read_med_quad",
    "read_parallel",
    "read_trec_qa",
    "read_tsv",
    "read_vector_words",
    "read_wiki_qa",
    "read_word_vectors",
    "translation_dataset",
    "write_translation_records",
]

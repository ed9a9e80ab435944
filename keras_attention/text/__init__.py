"""Text: normalisation and tokenizers that run inside a TensorFlow graph."""

from keras_attention.text.normalization import TextNormalizer
from keras_attention.text.sentence_piece_tokenizer import SentencePieceTokenizer
from keras_attention.text.tokenizer import Tokenizer, load_tokenizer
from keras_attention.text.vocabulary import Vocabulary
from keras_attention.text.word_tokenizer import WordTokenizer

__all__ = [
    "SentencePieceTokenizer",
    "TextNormalizer",
    "Tokenizer",
    "Vocabulary",
    "WordTokenizer",
    "load_tokenizer",
]

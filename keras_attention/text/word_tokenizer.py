"""Words and punctuation with a fixed vocabulary: the papers' way, and the plain alternative to subwords."""

import tensorflow as tf

from keras_attention.text.normalization import TextNormalizer
from keras_attention.text.tokenizer import Tokenizer
from keras_attention.text.vocabulary import SPECIAL_TOKENS, UNKNOWN_ID, Vocabulary

VOCABULARY_FILE = "vocabulary.txt"
JOINER = "\N{HALFWIDTH BLACK SQUARE}"
_STAND_IN = "\N{BLACK SQUARE}"  # what the joiner's own character becomes, as under NFKC


class WordTokenizer(Tokenizer):
    """Splits text at spaces and around every punctuation mark and symbol, and looks the words up in a vocabulary.

    A mark keeps the joiner ``"￭"`` on each side where the text had no space, so that joining is exact::

        l'été (chaud).  ->  l  ￭'￭  été  (￭  chaud  ￭)￭  ￭.

    A word outside the vocabulary becomes the unknown id 1 and is joined as ``<unk>``.

    Made by ``WordTokenizer.train`` or ``load``.

    Args:
        vocabulary: ``Vocabulary`` of words, and marks with their joiners.
        normalizer: ``TextNormalizer``; ``None`` for the default one.
        name: name of the module.

    Raises:
        ValueError: ``vocabulary`` is no ``Vocabulary``, or one without words.

    Example:
    >>> tokenizer = WordTokenizer.train(["the cat sat.", "the dog sat."])
    >>> tokenizer.pieces("the dog.")
    ['the', 'dog', '￭.']
    >>> tokenizer.detokenize(tokenizer.tokenize(["the dog."])).numpy().tolist()
    [b'the dog.']

    References:
        The vocabularies of Cho 2014 and Bahdanau 2015 are of whole words. The joiner is that of the OpenNMT tokenizer.
    """

    def __init__(self, vocabulary, normalizer=None, name=None):
        super().__init__(normalizer=normalizer, name=name)
        if not isinstance(vocabulary, Vocabulary):
            raise ValueError(f"`vocabulary` must be a Vocabulary. Received: {type(vocabulary).__name__}")
        if len(vocabulary) <= len(SPECIAL_TOKENS):
            raise ValueError(f"`vocabulary` must hold at least one word. Received: {vocabulary.tokens}")
        self.vocabulary = vocabulary
        with tf.init_scope():
            # The special tokens are no keys: a text that holds "</s>" must not end the sentence.
            words = tf.constant(vocabulary.tokens[len(SPECIAL_TOKENS) :])
            ids = tf.range(len(SPECIAL_TOKENS), len(vocabulary), dtype=tf.int64)
            self._to_id = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(words, ids), UNKNOWN_ID)
            every_id = tf.range(len(vocabulary), dtype=tf.int64)
            tokens = tf.constant(vocabulary.tokens)
            self._to_word = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(every_id, tokens), vocabulary.tokens[UNKNOWN_ID]
            )

    @classmethod
    def train(cls, texts, vocabulary_size=None, *, normalizer=None, minimum_count=1, further_words=()):
        """Take the most frequent words of a corpus.

        Args:
            texts: iterable of strings. For one joint vocabulary pass both sides' texts.
            vocabulary_size: number of ids, the four special ones included; ``None`` takes every word.
            normalizer: ``TextNormalizer`` applied before and kept; ``None`` for the default one.
            minimum_count: leave out words seen less often.
            further_words: words that get an id behind those of the texts, though no text holds them: those of
                published vectors, say, which texts to come may hold. Beyond ``vocabulary_size``. What the
                tokenizer would split, such as ``"don't"``, is passed over.

        Returns:
            A ``WordTokenizer``.

        Raises:
            ValueError: no text, or a ``vocabulary_size`` that is larger than the texts can give.
        """
        normalizer = normalizer or TextNormalizer()
        texts = [text for text in normalizer.normalize_python(texts) if text]
        if not texts:
            raise ValueError("`texts` must hold some text to take words from. Received: none that is not empty")
        chunks = (split_words(texts[start : start + 4096]) for start in range(0, len(texts), 4096))
        words = ([w.decode("utf-8") for w in chunk.flat_values.numpy().tolist()] for chunk in chunks)
        vocabulary = Vocabulary.count(words, vocabulary_size, minimum_count)
        further = normalizer.normalize_python(further_words)
        if further:
            rows = split_words(further).to_list()
            new = dict.fromkeys(row[0].decode("utf-8") for row in rows if len(row) == 1)
            known = vocabulary.tokens[len(SPECIAL_TOKENS) :]
            vocabulary = Vocabulary([*known, *(word for word in new if word not in vocabulary)])
        return cls(vocabulary, normalizer)

    @property
    def vocabulary_size(self):
        """Number of ids, the four special ones included."""
        return len(self.vocabulary)

    def _split(self, texts):
        words = split_words(texts)
        return words.with_values(tf.cast(self._to_id.lookup(words.values), tf.int32))

    def _join(self, ids):
        words = ids.with_values(self._to_word.lookup(tf.cast(ids.values, tf.int64)))
        return join_words(tf.strings.reduce_join(words, axis=1, separator=" "))

    def pieces(self, text):
        """Return the words of one string, one for each id; unknown ones as they are written.

        Args:
            text: ``str``.

        Returns:
            List of ``str``.
        """
        words = split_words(self.normalizer([text.encode("utf-8", "replace")]))
        return [word.decode("utf-8") for word in words.values.numpy().tolist()]

    def join_pieces(self, pieces):
        """Join words to a string; words that are not in the vocabulary, say copied ones, are taken as they are.

        Args:
            pieces: list of ``str``.

        Returns:
            ``str``.
        """
        return join_words(" ".join(pieces)).numpy().decode("utf-8")

    def id_to_piece(self, index):
        """Return the word of an id.

        Raises:
            ValueError: no such id.
        """
        return self.vocabulary.id_to_token(int(index))

    def piece_to_id(self, piece):
        """Return the id of a word, 1 if it is not in the vocabulary."""
        return self.vocabulary.token_to_id(piece)

    def _save_files(self, directory):
        self.vocabulary.save(directory / VOCABULARY_FILE)

    @classmethod
    def _load_files(cls, directory, normalizer):
        path = directory / VOCABULARY_FILE
        if not path.is_file():
            raise ValueError(f"expected the tokenizer's vocabulary. Received: {str(path)!r}, which does not exist")
        return cls(Vocabulary.load(path), normalizer)


def split_words(texts):
    """Split normalised strings at spaces and around marks, with joiners; operations of the TensorFlow core only.

    Args:
        texts: string tensor ``(batch,)``, whitespace already single spaces.

    Returns:
        ``tf.RaggedTensor`` of strings ``(batch, None)``.
    """
    texts = tf.strings.regex_replace(texts, JOINER, _STAND_IN)
    # A line end stands for each space of the text and for its two ends; plain spaces are the cuts.
    texts = tf.strings.join(["\n", tf.strings.regex_replace(texts, " ", "\n"), "\n"])
    texts = tf.strings.regex_replace(texts, r"([\p{P}\p{S}])", rf" {JOINER}\1{JOINER} ")
    # Beside a space of the text a mark needs no joiner.
    texts = tf.strings.regex_replace(texts, rf"\n {JOINER}", "\n ")
    texts = tf.strings.regex_replace(texts, rf"{JOINER} \n", " \n")
    return tf.strings.split(texts)


def join_words(texts):
    """Take the joiners, and the spaces beside them, out of strings of words joined by single spaces."""
    return tf.strings.regex_replace(texts, rf" ?{JOINER} ?", "")

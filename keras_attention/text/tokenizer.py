"""What all tokenizers share: the ids of the special tokens, the shapes, saving and loading."""

import json
from pathlib import Path

import tensorflow as tf

from keras_attention.text.normalization import TextNormalizer
from keras_attention.text.vocabulary import END_ID, PAD_ID, START_ID, UNKNOWN_ID

CONFIG_FILE = "tokenizer.json"


class Tokenizer(tf.Module):
    """Base of the tokenizers. A ``tf.Module``: an export that tracks it takes its tables along.

    A subclass gives ``_split(texts)`` (normalised strings ``(batch,)`` to ragged ids), ``_join(ids)`` (ragged ids to
    strings), ``vocabulary_size``, ``pieces``, ``join_pieces``, ``id_to_piece``, ``piece_to_id``, ``_save_files`` and
    ``_load_files``.

    Ids: 0 padding, 1 unknown, 2 start, 3 end. ``tokenize`` adds neither start nor end: the data pipeline does, since
    the two sides of a translation want different ones.

    Args:
        normalizer: ``TextNormalizer`` applied before splitting; ``None`` for the default one.
        name: name of the module.
    """

    pad_id = PAD_ID
    unknown_id = UNKNOWN_ID
    start_id = START_ID
    end_id = END_ID

    def __init__(self, normalizer=None, name=None):
        super().__init__(name=name)
        if normalizer is not None and not isinstance(normalizer, TextNormalizer):
            raise ValueError(f"`normalizer` must be a TextNormalizer or None. Received: normalizer={normalizer!r}")
        self.normalizer = normalizer or TextNormalizer()

    def tokenize(self, texts):
        """Turn strings into ids, without start and end.

        The ids are the same called directly, in ``Dataset.map`` before or after batching, and in an exported graph.

        Args:
            texts: a string, a list of strings, or a string tensor of shape ``()`` or ``(batch,)``. An empty string
                or one of spaces gives no ids; bytes that are not UTF-8 are read as U+FFFD.

        Returns:
            int32: ``(length,)`` for a scalar, else a ``tf.RaggedTensor`` ``(batch, None)``.

        Raises:
            ValueError: another rank than 0 or 1.
        """
        texts = tf.convert_to_tensor(texts, dtype=tf.string)
        if texts.shape.rank not in (0, 1):
            raise ValueError(f"`texts` must be a scalar or of shape (batch,). Received: texts.shape={texts.shape}")
        if texts.shape.rank == 0:
            return self._split(self.normalizer(texts[tf.newaxis])).values
        return self._split(self.normalizer(texts))

    def detokenize(self, ids):
        """Turn ids back into strings.

        A row ends before its first end symbol; padding and start symbols are left out.

        Args:
            ids: int ids ``(length,)`` or ``(batch, length)``, dense or ragged, each below ``vocabulary_size``.

        Returns:
            String tensor ``()`` or ``(batch,)``.

        Raises:
            ValueError: another rank than 1 or 2.
        """
        if isinstance(ids, tf.RaggedTensor):
            ids = ids.to_tensor(default_value=self.pad_id)
        ids = tf.cast(tf.convert_to_tensor(ids), tf.int32)
        if ids.shape.rank not in (1, 2):
            raise ValueError(f"`ids` must have shape (length,) or (batch, length). Received: ids.shape={ids.shape}")
        if ids.shape.rank == 1:
            return self.detokenize(ids[tf.newaxis])[0]
        before_end = tf.equal(tf.cumsum(tf.cast(tf.equal(ids, self.end_id), tf.int32), axis=1), 0)
        kept = before_end & tf.not_equal(ids, self.pad_id) & tf.not_equal(ids, self.start_id)
        return self._join(tf.ragged.boolean_mask(ids, kept))

    def get_config(self):
        """Return what ``save`` writes beside the model: the class and the normaliser's options."""
        return {"class_name": type(self).__name__, "normalizer": self.normalizer.get_config()}

    def save(self, directory):
        """Write the tokenizer into a folder, which is made if it is missing.

        Args:
            directory: folder to write into.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._save_files(directory)
        (directory / CONFIG_FILE).write_text(json.dumps(self.get_config(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory):
        """Read a tokenizer that ``save`` wrote; on the base class, of whichever class it is.

        Args:
            directory: folder to read.

        Returns:
            The tokenizer.

        Raises:
            ValueError: no tokenizer there, or one of another class.
        """
        config = _read_config(directory)
        own = _class_named(config["class_name"], directory)
        if not issubclass(own, cls):
            raise ValueError(f"expected a {cls.__name__} in {str(directory)!r}. Received: {own.__name__}")
        return own._load_files(Path(directory), TextNormalizer.from_config(config["normalizer"]))


def load_tokenizer(directory):
    """Read a tokenizer that ``save`` wrote, of whichever class it is.

    Args:
        directory: folder to read.

    Returns:
        A ``SentencePieceTokenizer`` or a ``WordTokenizer``.

    Raises:
        ValueError: no tokenizer there.
    """
    return Tokenizer.load(directory)


def _read_config(directory):
    path = Path(directory) / CONFIG_FILE
    if not path.is_file():
        raise ValueError(f"expected a folder with a tokenizer ({CONFIG_FILE}). Received: directory={str(directory)!r}")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON. Received: {error}") from error
    if not isinstance(config, dict) or not {"class_name", "normalizer"} <= config.keys():
        raise ValueError(f"{path}: expected the keys class_name and normalizer. Received: {config!r}")
    return config


def _class_named(name, directory):
    from keras_attention.text.sentence_piece_tokenizer import SentencePieceTokenizer
    from keras_attention.text.word_tokenizer import WordTokenizer

    classes = {"SentencePieceTokenizer": SentencePieceTokenizer, "WordTokenizer": WordTokenizer}
    if name not in classes:
        raise ValueError(f"{directory}: expected a tokenizer of class {sorted(classes)}. Received: class_name={name!r}")
    return classes[name]

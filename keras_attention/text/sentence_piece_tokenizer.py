"""Subword pieces by SentencePiece, learnt from the user's own text and run inside the graph by TensorFlow Text."""

import functools
import hashlib
import io
import re
from pathlib import Path

from keras_attention.text.normalization import TextNormalizer
from keras_attention.text.tokenizer import Tokenizer
from keras_attention.text.vocabulary import END_ID, PAD_ID, SPECIAL_TOKENS, START_ID, UNKNOWN_ID

MODEL_FILE = "sentencepiece.model"
MODEL_TYPES = ("bpe", "unigram")


class SentencePieceTokenizer(Tokenizer):
    """Splits text into subword pieces; ``"▁"`` at the start of a piece stands for a space before it.

    Splitting is exact: ``detokenize(tokenize(text))`` is the normalised text, if all its characters are known. A run
    of characters that the model does not know becomes one unknown piece, written `` ⁇ `` when joined; with
    ``byte_fallback`` it becomes bytes instead, and nothing is unknown. (A literal "▁", U+2581, in a text is read as a
    space.)

    Made by ``SentencePieceTokenizer.train`` or ``load``; the constructor takes a trained model whose special ids are
    those of ``Tokenizer``. SentencePiece's own normalisation is switched off when training, since ``TextNormalizer``
    does it in the graph.

    Args:
        model: the serialised SentencePiece model, ``bytes``.
        normalizer: ``TextNormalizer``; ``None`` for the default one.
        name: name of the module.

    Raises:
        ValueError: ``model`` is no SentencePiece model, or has other special ids.

    Example:
    >>> tokenizer = SentencePieceTokenizer.train(["the cat sat", "the dog sat"], vocabulary_size=20)
    >>> tokenizer.detokenize(tokenizer.tokenize(["the  dog"])).numpy().tolist()
    [b'the dog']

    References:
        Sennrich, Haddow and Birch 2016 (BPE), section 3; Kudo 2018 (unigram); Kudo and Richardson 2018.
    """

    def __init__(self, model, normalizer=None, name=None):
        super().__init__(normalizer=normalizer, name=name)
        import sentencepiece
        import tensorflow_text

        if not isinstance(model, bytes) or not model:
            raise ValueError(f"`model` must be a serialised SentencePiece model. Received: {type(model).__name__}")
        try:
            processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError as error:
            raise ValueError(f"`model` must be a serialised SentencePiece model. Received: {error}") from error
        ids = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
        if ids != (PAD_ID, UNKNOWN_ID, START_ID, END_ID):
            raise ValueError(f"expected the ids of padding, unknown, start, end to be 0, 1, 2, 3. Received: {ids}")
        self._model = model
        self._vocabulary_size = processor.get_piece_size()
        self._graph_tokenizer = _lasting(tensorflow_text.SentencepieceTokenizer(model), model)

    @classmethod
    def train(
        cls,
        texts,
        vocabulary_size,
        *,
        model_type="bpe",
        normalizer=None,
        character_coverage=1.0,
        byte_fallback=False,
        seed=0,
    ):
        """Learn pieces from text. The same texts, options and seed give the same pieces.

        Args:
            texts: iterable of strings. For one joint vocabulary pass both sides' texts.
            vocabulary_size: number of pieces, the four special ones included.
            model_type: ``"bpe"`` (default) or ``"unigram"``.
            normalizer: ``TextNormalizer`` applied before learning and kept; ``None`` for the default one.
            character_coverage: share of the characters, by occurrence, that get a piece. 1 keeps all of them, right
                for alphabets; 0.9995 is usual for Chinese and Japanese.
            byte_fallback: spend 256 pieces on bytes, so that no text is unknown.
            seed: seed of SentencePiece's generator.

        Returns:
            A ``SentencePieceTokenizer``.

        Raises:
            ValueError: no text, an unknown option, or a ``vocabulary_size`` that is larger than the texts can give
                or too small for their characters (the message has the number that fits).
        """
        import sentencepiece

        if model_type not in MODEL_TYPES:
            raise ValueError(f"`model_type` must be one of {MODEL_TYPES}. Received: model_type={model_type!r}")
        if not isinstance(vocabulary_size, int) or vocabulary_size <= len(SPECIAL_TOKENS):
            raise ValueError(
                f"`vocabulary_size` must be an integer above {len(SPECIAL_TOKENS)}. "
                f"Received: vocabulary_size={vocabulary_size!r}"
            )
        if not 0 < character_coverage <= 1:
            raise ValueError(
                f"`character_coverage` must be above 0 and at most 1. Received: character_coverage={character_coverage}"
            )
        normalizer = normalizer or TextNormalizer()
        # NUL ends a sentence inside SentencePiece's trainer.
        normalized = [text.replace("\0", " ") for text in normalizer.normalize_python(texts)]
        normalized = [text for text in normalized if text.strip()]
        if not normalized:
            raise ValueError("`texts` must hold some text to learn pieces from. Received: none that is not empty")
        sentencepiece.set_random_generator_seed(seed)
        stream = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(normalized),
                model_writer=stream,
                vocab_size=vocabulary_size,
                model_type=model_type,
                character_coverage=character_coverage,
                byte_fallback=byte_fallback,
                normalization_rule_name="identity",
                pad_id=PAD_ID,
                unk_id=UNKNOWN_ID,
                bos_id=START_ID,
                eos_id=END_ID,
                pad_piece=SPECIAL_TOKENS[PAD_ID],
                unk_piece=SPECIAL_TOKENS[UNKNOWN_ID],
                bos_piece=SPECIAL_TOKENS[START_ID],
                eos_piece=SPECIAL_TOKENS[END_ID],
                num_threads=1,  # sums in a fixed order: the same pieces each time
                max_sentence_length=max(4192, 1 + max(len(text.encode("utf-8")) for text in normalized)),
                minloglevel=2,
            )
        except RuntimeError as error:
            raise _training_error(error, vocabulary_size) from error
        return cls(stream.getvalue(), normalizer)

    @property
    def vocabulary_size(self):
        """Number of ids, the four special ones included."""
        return self._vocabulary_size

    @functools.cached_property
    def _processor(self):
        import sentencepiece

        return sentencepiece.SentencePieceProcessor(model_proto=self._model)

    def _split(self, texts):
        return self._graph_tokenizer.tokenize(texts)

    def _join(self, ids):
        return self._graph_tokenizer.detokenize(ids)

    def pieces(self, text):
        """Return the pieces of one string as text, one for each id; unknown ones as they are written.

        Args:
            text: ``str``.

        Returns:
            List of ``str``.
        """
        return self._processor.encode(self.normalizer.normalize_python([text])[0], out_type=str)

    def join_pieces(self, pieces):
        """Join pieces to a string. Pieces that are not in the vocabulary, say copied words, are taken as they are.

        Args:
            pieces: list of ``str``.

        Returns:
            ``str``.
        """
        return self._processor.decode_pieces(list(pieces)) if len(pieces) else ""

    def id_to_piece(self, index):
        """Return the piece of an id.

        Raises:
            ValueError: no such id.
        """
        index = int(index)
        if not 0 <= index < self._vocabulary_size:
            raise ValueError(f"expected an id from 0 to {self._vocabulary_size - 1}. Received: index={index}")
        return self._processor.id_to_piece(index)

    def piece_to_id(self, piece):
        """Return the id of a piece, 1 if it is not in the vocabulary."""
        return self._processor.piece_to_id(piece)

    def _save_files(self, directory):
        (Path(directory) / MODEL_FILE).write_bytes(self._model)

    @classmethod
    def _load_files(cls, directory, normalizer):
        path = directory / MODEL_FILE
        if not path.is_file():
            raise ValueError(f"expected the tokenizer's model. Received: {str(path)!r}, which does not exist")
        return cls(path.read_bytes(), normalizer)


def _training_error(error, vocabulary_size):
    """Say in the words of this package why SentencePiece would not learn."""
    text = str(error)
    received = f"Received: vocabulary_size={vocabulary_size}"
    if found := re.search(r"Vocabulary size too high.*<= (\d+)", text):
        return ValueError(f"expected a vocabulary that the corpus can give: at most {found[1]} pieces. {received}")
    if found := re.search(r"smaller than required_chars\. \d+ vs (\d+)", text):
        return ValueError(
            f"expected room for every character of the corpus, at least {found[1]} pieces; "
            f"a lower `character_coverage` needs fewer. {received}"
        )
    return ValueError(f"SentencePiece could not learn from these texts: {text}. {received}")


def _lasting(tokenizer, model):
    """Give TensorFlow Text's tokenizer a model resource that outlives TensorFlow's cache of kernels.

    As it comes, the resource belongs to a cached kernel, and `tf.random.set_seed` (`keras.utils.set_random_seed` too)
    empties that cache: every tokenizer made before fails from then on with "Resource ... does not exist". A resource
    with a shared name does not belong to its kernel. The name is a hash of the model, so only equal models share one.
    """
    from tensorflow_text.python.ops import sentencepiece_tokenizer

    name = "sentencepiece_" + hashlib.sha256(model).hexdigest()[:32]
    resource = tokenizer._model_resource
    create = sentencepiece_tokenizer.gen_sentencepiece_tokenizer.sentencepiece_op
    resource._create_resource = lambda: create(model=model, shared_name=name)
    resource._resource_handle = resource._create_resource()
    return tokenizer

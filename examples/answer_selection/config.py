"""The configuration of an answer-selection run: one TOML file, every number in it, nothing it does not know."""

import dataclasses
import inspect

from examples.configuration_file import check_choice, check_names, read_toml
from keras_attention import models
from keras_attention.data import med_quad_directory, read_vector_words, read_word_vectors
from keras_attention.data.frequency_scaled_vectors import frequency_scaled_vectors
from keras_attention.data.text_lines import find_file
from keras_attention.text import SentencePieceTokenizer, TextNormalizer, WordTokenizer
from keras_attention.training.answer_selection import AnswerSelectionTraining

MODELS = {
    "qa_cnn": models.QACNN,
    "qa_bilstm": models.QABiLSTM,
    "ap_cnn": models.APCNN,
    "ap_bilstm": models.APBiLSTM,
}
TOKENIZERS = {"sentence_piece": SentencePieceTokenizer, "words": WordTokenizer}
EMBEDDED = "embedded"  # the GloVe vectors that come with the embedded corpus
LENGTHS = {"question_length": 40, "answer_length": 200}
BATCHES = {"negatives": "in_batch", "batch_size": 32, "right_answers": "all"}


@dataclasses.dataclass(frozen=True)
class AnswerSelectionConfig:
    """What a configuration file says, section by section; see `configs/` for files to start from.

    Attributes:
        text: `tokenizer` ("sentence_piece" or "words"), `vocabulary_size`, `lowercase`, `unicode_form`, and further
            arguments of the tokenizer's `train`.
        data: `question_length`, `answer_length`, and arguments of `answer_selection_dataset`: `negatives`
            ("in_batch" or "sampled"), `negative_count`, `pool_count`, `right_answers`, `batch_size`,
            `answer_lengths`, `length_window`.
        vectors: First word vectors: `file` (GloVe or word2vec text, `.npy`, or "embedded"), `vocabulary_file` (the
            words of an `.npy`), `frequency_scaled` (see `frequency_scaled_vectors`), `further_words` (how many of the
            file's first words get an id though the training texts do not hold them; for "words"). Nothing: random ones.
        model: `name`, one of "qa_cnn", "qa_bilstm", "ap_cnn", "ap_bilstm", and the model's arguments.
        training: Arguments of `AnswerSelectionTraining`.
    """

    text: dict
    data: dict
    vectors: dict
    model: dict
    training: AnswerSelectionTraining

    def as_dict(self):
        """Return plain dicts, for the record of the run."""
        return dataclasses.asdict(self)

    @property
    def lengths(self):
        """Tokens that are read of a question and of an answer, a dict."""
        return {name: self.data.get(name, default) for name, default in LENGTHS.items()}

    @property
    def batches(self):
        """Arguments of `answer_selection_dataset`."""
        return {**BATCHES, **{name: value for name, value in self.data.items() if name not in LENGTHS}}

    def with_vectors(self, path, words_path=None):
        """Return the configuration with another file of word vectors, and of their words for an `.npy`.

        Raises:
            ValueError: If one of the files is not there.
        """
        paths = {"file": path, "vocabulary_file": words_path}
        for one in filter(None, paths.values()):
            find_file(one)
        return dataclasses.replace(self, vectors={**self.vectors, **{k: str(v) for k, v in paths.items() if v}})

    @property
    def vector_files(self):
        """Paths of the word vectors and, for an `.npy`, of their words; None where there are none."""
        path = self.vectors.get("file")
        if path == EMBEDDED:
            return med_quad_directory() / "vectors.npy", med_quad_directory() / "vectors.words.txt"
        return path, self.vectors.get("vocabulary_file")

    def train_tokenizer(self, data):
        """Train the tokenizer that the configuration describes, on questions and answers."""
        options = dict(self.text)
        tokenizer_class = TOKENIZERS[options.pop("tokenizer", "sentence_piece")]
        normalizer = TextNormalizer(
            **{name: options.pop(name) for name in ("unicode_form", "lowercase") if name in options}
        )
        if "further_words" in self.vectors:
            path, words = self.vector_files
            if path is None:
                raise ValueError("Expected a file of word vectors for `further_words`. Received: none in [vectors]")
            count = self.vectors["further_words"]
            options["further_words"] = read_vector_words(path, vocabulary_path=words, count=count)
        return tokenizer_class.train([*data.questions, *data.answers], normalizer=normalizer, **options)

    def make_model(self, tokenizer, answer_ids):
        """Make the model that the configuration describes, with new weights.

        Args:
            tokenizer: Its tokenizer.
            answer_ids: Token ids of the training answers, in which words are counted.
        """
        options = dict(self.model)
        model_class = MODELS[options.pop("name")]
        size, width = tokenizer.vocabulary_size, options.setdefault("embedding_width", 100)
        scaled, vectors = self.vectors.get("frequency_scaled", False), None
        path, words = self.vector_files
        if path is not None:
            vocabulary = [tokenizer.id_to_piece(i) for i in range(size)]
            missing = "zeros" if scaled else "random"
            vectors, _ = read_word_vectors(
                path, vocabulary, vocabulary_path=words, missing=missing, seed=self.training.seed
            )
        if scaled:
            vectors = frequency_scaled_vectors(answer_ids, size, width, vectors, seed=self.training.seed)
        return model_class(size, embedding_matrix=vectors, **options)


def load_config(path):
    """Read a configuration file.

    Raises:
        ValueError: If the file is missing or no TOML, or has a section, an option or a value that is not known: the
            message names it, and what is known.
    """
    raw = read_toml(path)
    batches = {"negatives", "negative_count", "pool_count", "right_answers", "batch_size", "answer_lengths"}
    tokenizer_options = {"vocabulary_size", "model_type", "byte_fallback", "minimum_count"}
    known = {
        "text": {"tokenizer", "unicode_form", "lowercase", *tokenizer_options},
        "data": {*LENGTHS, *batches, "length_window"},
        "vectors": {"file", "vocabulary_file", "frequency_scaled", "further_words"},
        "model": None,
        "training": {field.name for field in dataclasses.fields(AnswerSelectionTraining)},
    }
    check_names(path, "section", raw, known)
    model = raw.get("model", {})
    check_choice(path, "model", "name", model.get("name"), MODELS)
    known["model"] = set(inspect.signature(MODELS[model["name"]]).parameters) - {"vocabulary_size", "embedding_matrix"}
    for section, names in known.items():
        check_names(path, f"option of [{section}]", raw.get(section, {}), names)
    tokenizer = raw.get("text", {}).get("tokenizer", "sentence_piece")
    check_choice(path, "text", "tokenizer", tokenizer, TOKENIZERS)
    if tokenizer != "words" and "further_words" in raw.get("vectors", {}):
        raise ValueError(f"{path}: `further_words` goes with the tokenizer 'words'. Received: tokenizer={tokenizer!r}")
    return AnswerSelectionConfig(
        text=raw.get("text", {}),
        data=raw.get("data", {}),
        vectors=raw.get("vectors", {}),
        model=model,
        training=AnswerSelectionTraining(**raw.get("training", {})),
    )

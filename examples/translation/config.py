"""The configuration of a translation run: one TOML file, every number in it, nothing it does not know."""

import dataclasses

import numpy as np

from examples.configuration_file import check_choice, check_names, read_toml
from keras_attention import models
from keras_attention.data import lexical_vectors
from keras_attention.text import SentencePieceTokenizer, TextNormalizer, WordTokenizer
from keras_attention.training.translation import TranslationTraining

MODELS = {
    "seq2seq": models.Seq2Seq,
    "rnn_encoder_decoder": models.RNNEncoderDecoder,
    "rnn_search": models.RNNSearch,
}
TOKENIZERS = {"sentence_piece": SentencePieceTokenizer, "words": WordTokenizer}


@dataclasses.dataclass(frozen=True)
class TranslationConfig:
    """What a configuration file says, section by section; see `configs/` for files to start from.

    Attributes:
        text: `tokenizer` ("sentence_piece" or "words"), `vocabulary_size`, `joint` (one vocabulary for both sides),
            `lowercase`, `unicode_form`, and further arguments of the tokenizer's `train`.
        data: Arguments of `translation_dataset`: `batch_size` or `batch_tokens`, `bucket_count`, `maximum_length`.
        model: `name`, one of "seq2seq", "rnn_encoder_decoder", "rnn_search", and the model's arguments.
        training: Arguments of `TranslationTraining`.
        evaluation: `lowercase`, whether BLEU ignores case.
        vectors: `lexical_pairs`, how many training pairs the first word vectors are learnt from by counting (see
            `lexical_vectors`); 0, the default, leaves them random. `word_by_word`: whether RNNSearch begins with
            weights that translate word by word by these vectors (see `RNNSearch.begin_as_lexicon`).
    """

    text: dict
    data: dict
    model: dict
    training: TranslationTraining
    evaluation: dict
    vectors: dict = dataclasses.field(default_factory=dict)

    def as_dict(self):
        """Return plain dicts, for the record of the run."""
        return dataclasses.asdict(self)

    def train_tokenizers(self, sources, targets):
        """Train the tokenizers that the configuration describes; the same object twice if joint."""
        options = dict(self.text)
        tokenizer_class = TOKENIZERS[options.pop("tokenizer", "sentence_piece")]
        joint = options.pop("joint", True)
        normalizer = TextNormalizer(
            **{name: options.pop(name) for name in ("unicode_form", "lowercase") if name in options}
        )
        if joint:
            tokenizer = tokenizer_class.train([*sources, *targets], normalizer=normalizer, **options)
            return tokenizer, tokenizer
        return tuple(tokenizer_class.train(side, normalizer=normalizer, **options) for side in (sources, targets))

    def make_model(self, source_tokenizer, target_tokenizer):
        """Make the model that the configuration describes, with new weights."""
        options = dict(self.model)
        model_class = MODELS[options.pop("name")]
        return model_class(source_tokenizer.vocabulary_size, target_tokenizer.vocabulary_size, **options)

    def set_first_vectors(self, model, sources, targets, source_tokenizer, target_tokenizer):
        """Give a new model the word vectors that the configuration describes: random ones stay, or lexical ones."""
        count = min(self.vectors.get("lexical_pairs", 0), len(sources))
        if count:
            chosen = np.random.default_rng(self.training.seed).choice(len(sources), count, replace=False)
            vectors = lexical_vectors(
                source_tokenizer.tokenize([sources[i] for i in chosen]),
                target_tokenizer.tokenize([targets[i] for i in chosen]),
                model.source_vocabulary_size,
                model.target_vocabulary_size,
                model.embedding_dim,
            )
            begin = model.begin_as_lexicon if self.vectors.get("word_by_word") else model.load_word_vectors
            begin(*vectors)


def load_config(path):
    """Read a configuration file.

    Raises:
        ValueError: If the file is missing or no TOML, or has a section, an option or a value that is not known: the
            message names it, and what is known.
    """
    raw = read_toml(path)
    known = {
        "text": {"tokenizer", "joint", "unicode_form", "lowercase", "vocabulary_size", "model_type", "byte_fallback"},
        "data": {"batch_size", "batch_tokens", "bucket_count", "maximum_length"},
        "model": None,
        "training": {field.name for field in dataclasses.fields(TranslationTraining)},
        "evaluation": {"lowercase"},
        "vectors": {"lexical_pairs", "word_by_word"},
    }
    check_names(path, "section", raw, known)
    model = raw.get("model", {})
    check_choice(path, "model", "name", model.get("name"), MODELS)
    known["model"] = {"name", *MODELS[model["name"]].config_names} - {
        "source_vocabulary_size",
        "target_vocabulary_size",
    }
    vectors = raw.get("vectors", {})
    if vectors.get("word_by_word") and not (vectors.get("lexical_pairs") and model["name"] == "rnn_search"):
        raise ValueError(
            f"{path}: `word_by_word` in [vectors] needs `lexical_pairs` and the model rnn_search. "
            f"Received: lexical_pairs={vectors.get('lexical_pairs', 0)}, name={model['name']!r}"
        )
    for section, names in known.items():
        check_names(path, f"option of [{section}]", raw.get(section, {}), names)
    tokenizer = raw.get("text", {}).get("tokenizer", "sentence_piece")
    check_choice(path, "text", "tokenizer", tokenizer, TOKENIZERS)
    return TranslationConfig(
        text=raw.get("text", {}),
        data=raw.get("data", {}),
        model=model,
        training=TranslationTraining(**raw.get("training", {})),
        evaluation=raw.get("evaluation", {}),
        vectors=raw.get("vectors", {}),
    )

"""A translator as a SavedModel: strings in, strings out, without this package."""

import copy

import tensorflow as tf

from keras_attention.decoding import beam_search, greedy_decode
from keras_attention.export.saved_model import compare_signatures, write_saved_model
from keras_attention.export.tflite import write_tflite
from keras_attention.export.token_pieces import token_pieces

INTERFACES = ("text", "token_ids")


class TranslationGraph:
    """A translation model and its tokenizers as functions from strings to strings, all TensorFlow operations.

    `Translator` and the SavedModel run these same functions, so they cannot differ.

    A text without any token (empty, or only spaces) has the empty translation with score 0. A source of more than
    `maximum_source_length` tokens is cut there. A translation has at most `maximum_length_ratio` times the source's
    tokens plus `maximum_length_extra`, end symbol included.

    Args:
        model: A translation model.
        source_tokenizer, target_tokenizer: Its tokenizers.
        maximum_source_length: In tokens, end symbol not counted.
        maximum_length_ratio: Output tokens per source token.
        maximum_length_extra: Output tokens above that proportion.
    """

    def __init__(
        self,
        model,
        source_tokenizer,
        target_tokenizer,
        maximum_source_length=512,
        maximum_length_ratio=2.0,
        maximum_length_extra=10,
    ):
        if maximum_source_length < 1:
            raise ValueError(
                f"`maximum_source_length` must be at least 1. Received: maximum_source_length={maximum_source_length}"
            )
        if not maximum_length_ratio > 0 or maximum_length_extra < 1:
            raise ValueError(
                "`maximum_length_ratio` must be positive and `maximum_length_extra` at least 1. Received: "
                f"maximum_length_ratio={maximum_length_ratio}, maximum_length_extra={maximum_length_extra}"
            )
        self.model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.maximum_source_length = maximum_source_length
        self.maximum_length_ratio = maximum_length_ratio
        self.maximum_length_extra = maximum_length_extra
        self.decoding_weights = None

    def fixed(self):
        """Return the same graph for weights that do not change any more: what steps read is made once, as variables."""
        weights = self.model.decoding_weights()
        if weights is not None:
            weights = {name: tf.Variable(x, trainable=False, name=name) for name, x in weights.items()}
        return self.with_decoding_weights(weights)

    def with_decoding_weights(self, weights):
        """Return the same graph whose steps read what `model.decoding_weights` returned."""
        other = copy.copy(self)
        other.decoding_weights = weights
        return other

    def source_ids(self, text):
        """Return the padded ids of the texts, `(batch, source_length)`, each with the end symbol."""
        tokens = self.source_tokenizer.tokenize(text)[:, : self.maximum_source_length]
        end = tf.fill([tokens.nrows(), 1], tf.constant(self.source_tokenizer.end_id, tokens.dtype))
        ids = tf.cast(tf.concat([tokens, end], axis=1).to_tensor(), tf.int32)
        # A batch of none has no longest row; the encoder's loops want at least one step.
        return _at_least_one_column(ids)

    def decode(self, source_ids, beam_width=1, **options):
        """Translate ids into ids by `greedy_decode`, or by `beam_search` for a `beam_width` above 1.

        Args:
            source_ids: int32 `(batch, source_length)`, padding 0 to the right, each row with the end symbol.
            beam_width: Hypotheses per sentence.
            **options: Of the decoding function.

        Returns:
            The result of the decoding function, a dict of tensors.
        """
        if beam_width == 1:
            return self.decode_with(greedy_decode, source_ids, **options)
        return self.decode_with(beam_search, source_ids, beam_width=beam_width, **options)

    def decode_with(self, driver, source_ids, **options):
        """Translate ids into ids with one of the functions of `keras_attention.decoding`."""
        source_mask = tf.not_equal(source_ids, self.source_tokenizer.pad_id)
        lengths = tf.reduce_sum(tf.cast(source_mask, tf.float32), axis=1) - 1.0  # the end symbol is not counted
        limit = tf.cast(lengths * self.maximum_length_ratio, tf.int32) + self.maximum_length_extra
        # An empty source has nothing to say: no steps for it.
        limit = tf.where(lengths > 0, limit, tf.zeros_like(limit))
        memory = self.model.encode(source_ids)
        state = self.model.initial_state(memory)
        step, memory = self.model.prepare_decoding(memory, self.decoding_weights)
        return driver(
            step,
            state,
            memory,
            start_id=self.target_tokenizer.start_id,
            end_id=self.target_tokenizer.end_id,
            maximum_length=limit,
            batch_size=tf.shape(source_ids)[0],
            source_mask=source_mask,
            **options,
        )

    def translate_ids(self, source_ids):
        """Greedy, ids to ids: operations of the TensorFlow core only.

        Args:
            source_ids: int32 `(batch, source_length)`, padding 0 to the right, each row with the end symbol. They are
                read as they come: `maximum_source_length` belongs to strings.

        Returns:
            `target_ids`, int32 `(batch, target_length)`, 0 after the end symbol, `length`, int32 `(batch,)`, end symbol
            counted, and `score`, `(batch,)`.
        """
        result = self.decode(_at_least_one_column(source_ids))
        return {
            "target_ids": tf.identity(result["token_ids"][:, 0]),
            "length": tf.identity(result["lengths"][:, 0]),
            "score": tf.identity(result["scores"][:, 0]),
        }

    def translate_ids_n_best(self, source_ids, beam_width, length_normalization, coverage_penalty):
        """Beam, ids to ids: `target_ids` `(batch, beam_width, target_length)`, `length` and `score`, the best first."""
        result = self.decode(
            _at_least_one_column(source_ids),
            beam_width=beam_width,
            n_best=beam_width,
            length_normalization=length_normalization,
            coverage_penalty=coverage_penalty,
        )
        return {
            "target_ids": tf.identity(result["token_ids"]),
            "lengths": tf.identity(result["lengths"]),
            "scores": tf.identity(result["scores"]),
        }

    def translate_ids_with_alignment(self, source_ids):
        """Greedy, ids to ids, with `alignment`, float32 `(batch, target_length, source_length)`."""
        result = self.decode(_at_least_one_column(source_ids), return_alignment=True)
        return {
            "target_ids": tf.identity(result["token_ids"][:, 0]),
            "length": tf.identity(result["lengths"][:, 0]),
            "score": tf.identity(result["scores"][:, 0]),
            "alignment": tf.identity(result["alignment"][:, 0]),
        }

    def detokenize(self, token_ids):
        """Return the strings of `(batch, n, length)` ids, `(batch, n)`."""
        shape = tf.shape(token_ids)
        texts = self.target_tokenizer.detokenize(tf.reshape(token_ids, [shape[0] * shape[1], shape[2]]))
        return tf.reshape(texts, shape[:2])

    def translate(self, text):
        """Greedy: `(batch,)` strings to `translation` and `score`, the log-probability in nats, `(batch,)` each."""
        result = self.decode(self.source_ids(text))
        return {
            "translation": self.detokenize(result["token_ids"])[:, 0],
            "score": tf.identity(result["scores"][:, 0]),
        }

    def translate_n_best(self, text, beam_width, length_normalization, coverage_penalty):
        """Beam: `(batch,)` strings to `translations` and `scores`, `(batch, beam_width)` each, the best first."""
        result = self.decode(
            self.source_ids(text),
            beam_width=beam_width,
            n_best=beam_width,
            length_normalization=length_normalization,
            coverage_penalty=coverage_penalty,
        )
        return {"translations": self.detokenize(result["token_ids"]), "scores": tf.identity(result["scores"])}

    def translate_with_alignment(self, text):
        """Greedy, with the tokens and the alignment between them.

        Returns:
            `translation` and `score`, `(batch,)`; `source_tokens`, `(batch, source_length)`, and `target_tokens`,
            `(batch, target_length)`, strings, empty where padded; `alignment`, float32 `(batch, target_length,
            source_length)`.
        """
        source_ids = self.source_ids(text)
        result = self.decode(source_ids, return_alignment=True)
        token_ids = result["token_ids"][:, 0]
        return {
            "translation": self.detokenize(result["token_ids"])[:, 0],
            "score": tf.identity(result["scores"][:, 0]),
            "source_tokens": token_pieces(self.source_tokenizer, source_ids),
            "target_tokens": token_pieces(self.target_tokenizer, token_ids),
            "alignment": result["alignment"][:, 0],
        }


def export_translation(
    graph,
    directory,
    version=None,
    beam_width=4,
    length_normalization=1.0,
    coverage_penalty=0.0,
    interface="text",
    allow_newer_operations=False,
):
    """Write a SavedModel of a translator, check it, reload it, compare, and only then put it in its place.

    With `interface="text"` it turns strings into strings. Signatures, all with an unknown batch:

    - `serving_default`: `text` string `[batch]` to `translation` string `[batch]` and `score` float32 `[batch]`;
    - `n_best`: `text` to `translations` string and `scores` float32, `[batch, beam_width]`, the best first;
    - `alignment`, of models that have one: `text` to `translation`, `score`, `source_tokens` `[batch, source_length]`,
      `target_tokens` `[batch, target_length]` and `alignment` float32 `[batch, target_length, source_length]`.

    `tf.saved_model.load` serves it once `tensorflow_text` is imported.

    With `interface="token_ids"` it turns ids into ids with operations of the TensorFlow core only, for servers without
    TF Text. `source_ids` int32 `[batch, source_length]`, padded with 0 to the right, each row with the end symbol 3:

    - `serving_default`: to `target_ids` int32 `[batch, target_length]`, 0 after the end symbol, `length` int32
      `[batch]`, end symbol counted, and `score`;
    - `n_best`: to `target_ids` `[batch, beam_width, target_length]`, `lengths` and `scores` `[batch, beam_width]`;
    - `alignment`, of models that have one: as `serving_default`, and `alignment`.

    The tokenizers lie beside it then, in `assets.extra/source_tokenizer` and `assets.extra/target_tokenizer`.

    Args:
        graph: A `TranslationGraph`.
        directory: The model's folder; the version is a folder inside it, as TF Serving wants.
        version: Integer; one more than the greatest there if None, beginning with 1.
        beam_width, length_normalization, coverage_penalty: Of `n_best`.
        interface: `"text"` or `"token_ids"`.
        allow_newer_operations: Allow operations that servers before 2.20 do not have, see `check_operations`.

    Returns:
        The path of the version's folder.

    Raises:
        ValueError: If the version exists, or is not a positive integer, if an option is out of range, or if the graph
            holds an operation that the stock server does not have.
        RuntimeError: If the reloaded SavedModel answers otherwise than the model itself. Nothing is left behind then.
    """
    if interface not in INTERFACES:
        raise ValueError(f"`interface` must be one of {INTERFACES}. Received: interface={interface!r}")
    beam = {
        "beam_width": beam_width,
        "length_normalization": length_normalization,
        "coverage_penalty": coverage_penalty,
    }
    options = {"allow_newer_operations": allow_newer_operations}
    graph = graph.fixed()
    if interface == "text":
        signature = [tf.TensorSpec([None], tf.string, name="text")]
        endpoints = {
            "serving_default": graph.translate,
            "n_best": lambda text: graph.translate_n_best(text, **beam),
            "alignment": graph.translate_with_alignment,
        }
        tracked = (graph.model, graph.source_tokenizer, graph.target_tokenizer)
        inputs = {"text": tf.constant(_example_texts(graph))}
    else:
        signature = [tf.TensorSpec([None, None], tf.int32, name="source_ids")]
        endpoints = {
            "serving_default": graph.translate_ids,
            "n_best": lambda source_ids: graph.translate_ids_n_best(source_ids, **beam),
            "alignment": graph.translate_ids_with_alignment,
        }
        tracked = (graph.model,)
        inputs = {"source_ids": graph.source_ids(_example_texts(graph))}
        options.update(libraries=("tensorflow",), extra=lambda folder: _save_tokenizers(graph, folder))
    if not graph.model.has_alignment:
        del endpoints["alignment"]
    return write_saved_model(
        directory,
        version,
        tracked=tracked,
        endpoints={name: (function, signature) for name, function in endpoints.items()},
        compare=lambda path: _compare(path, endpoints["serving_default"], inputs),
        warm_up=[(name, inputs) for name in endpoints],
        **options,
    )


def export_translation_tflite(graph, path, source_length=32):
    """Write a translator as a TFLite file: one sentence's ids to the greedy translation's, sizes fixed.

    Input `source_ids`, int32 `[1, source_length]`, the end symbol 3 behind the tokens, then 0. Outputs, in this order:
    `length` int32 `[1]`, end symbol counted; `score` float32 `[1]`; `target_ids` int32 `[1, target_length]`.

    Args:
        graph: A `TranslationGraph`.
        path: The file.
        source_length: Tokens of a source, end symbol counted.

    Returns:
        The path.

    Raises:
        ValueError: If `source_length` is below 2.
        RuntimeError: If TFLite's interpreter answers otherwise than the model. Nothing is written then.
    """
    if source_length < 2:
        raise ValueError(f"`source_length` must be at least 2. Received: source_length={source_length}")
    examples = []
    for text in _example_texts(graph):
        ids = graph.source_ids([text])
        if ids.shape[1] <= source_length:
            examples.append({"source_ids": tf.pad(ids, [[0, 0], [0, source_length - ids.shape[1]]]).numpy()})
    signature = [tf.TensorSpec([1, source_length], tf.int32, name="source_ids")]
    return write_tflite(path, graph.translate_ids, signature, examples)


def _example_texts(graph):
    """Return texts of mixed length and kind, to compare with and to warm up."""
    vocabulary = [
        graph.source_tokenizer.id_to_piece(i) for i in range(4, min(24, graph.source_tokenizer.vocabulary_size))
    ]
    words = [piece.replace("\u2581", " ").strip() or "." for piece in vocabulary] or ["."]
    return ["", "   ", words[0], " ".join(words[:5]), " ".join(words), "\U0001f642 ?"]


def _compare(path, function, inputs):
    """Check that the SavedModel says what the model says."""
    signatures = tf.saved_model.load(str(path)).signatures
    compare_signatures(signatures, [("serving_default", inputs, function(**inputs))])


def _save_tokenizers(graph, folder):
    graph.source_tokenizer.save(folder / "source_tokenizer")
    graph.target_tokenizer.save(folder / "target_tokenizer")


def _at_least_one_column(ids):
    return tf.pad(ids, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(ids)[1])]])

"""Translation as people use it: sentences in, sentences out."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_attention.decoding import replace_unknown_words, sample
from keras_attention.export.translation import TranslationGraph, export_translation, export_translation_tflite
from keras_attention.models.half_precision import copy_of, in_float32
from keras_attention.text import load_tokenizer
from keras_attention.translation import Translation

_FILE = "translator.json"
_HALVINGS = 2  # of a batch while it is decoded, as its sentences end
_HALVED_FROM = 16  # sentences; a smaller batch costs hardly more than one sentence
_BATCHES_AT_ONCE = 2  # on CPUs: what an operation of one batch leaves of the cores, another batch takes
_TABULATED_FROM = 2  # words to decode for each of the vocabulary
_LIMITS = ("maximum_source_length", "maximum_length_ratio", "maximum_length_extra")


class Translator:
    """A translation model with its tokenizers.

    Args:
        model: A translation model: `Seq2Seq`, `RNNEncoderDecoder` or `RNNSearch`.
        source_tokenizer, target_tokenizer: Tokenizers; the same object for a joint vocabulary.
        maximum_source_length: Tokens of a source that are read; the rest is cut off, with a warning.
        maximum_length_ratio: Output tokens per source token, at most,
        maximum_length_extra: and so many more. The end symbol is counted.

    What comes in: an empty text, or one of spaces, has the empty translation with score 0. A character that the
    vocabulary does not know is an unknown token. A batch of none gives an empty list. Every sentence is translated as
    if it were alone.

    Raises:
        ValueError: If a tokenizer's vocabulary is larger than the model's, or a limit is out of range.

    Example:
    ```python
    translator = Translator.load("runs/tatoeba/translator")
    translator.translate(["How are you?"])
    translator.translate(["How are you?"], beam_width=5, n_best=3)[0][0].score
    translation = translator.translate(["How are you?"], return_alignment=True)[0]
    plot_alignment(translation.alignment, translation.source_tokens, translation.target_tokens)
    ```
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
        for side, tokenizer in (("source", source_tokenizer), ("target", target_tokenizer)):
            size = getattr(model, f"{side}_vocabulary_size")
            if tokenizer.vocabulary_size > size:
                raise ValueError(
                    f"Expected a {side} tokenizer of at most {size} tokens, the model's {side}_vocabulary_size. "
                    f"Received: vocabulary_size={tokenizer.vocabulary_size}"
                )
        self.model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.graph = TranslationGraph(
            model, source_tokenizer, target_tokenizer, maximum_source_length, maximum_length_ratio, maximum_length_extra
        )
        self._functions = {}

    def translate(
        self,
        texts,
        *,
        beam_width=1,
        n_best=None,
        length_normalization=1.0,
        coverage_penalty=0.0,
        replace_unknown=False,
        dictionary=None,
        return_alignment=False,
        return_scores=False,
        batch_size=64,
    ):
        """Translate sentences: greedily, or by beam search for a `beam_width` above 1.

        Args:
            texts: A list of strings.
            beam_width: Hypotheses kept per sentence.
            n_best: How many translations to return per sentence; None returns the best alone, not in a list.
            length_normalization: GNMT's alpha, for a beam.
            coverage_penalty: GNMT's beta, for a beam of a model with alignment.
            replace_unknown: Replace unknown output tokens by the source token with the greatest alignment weight.
            dictionary: Mapping from source to target words that `replace_unknown` looks in first.
            return_alignment: Return `Translation` objects with the alignment matrix and the tokens it belongs to.
            return_scores: Return `Translation` objects.
            batch_size: Sentences decoded together; sorted by length first, so that little is padding.

        Returns:
            A list as long as `texts`: of strings; or of `Translation` if scores or alignments are asked for; or of
            lists of `Translation`, the best first, if `n_best` is given.

        Raises:
            ValueError: If `texts` is not a list of strings, if an option is out of range, or if the model has no
                alignment and one is needed.
        """
        needs_alignment = return_alignment or replace_unknown or coverage_penalty > 0
        if needs_alignment and not self.model.has_alignment:
            raise ValueError(
                f"{type(self.model).__name__} has no alignment; RNNSearch has. Received: "
                f"return_alignment={return_alignment}, replace_unknown={replace_unknown}, "
                f"coverage_penalty={coverage_penalty}"
            )
        if dictionary is not None and not replace_unknown:
            raise ValueError("`dictionary` goes with `replace_unknown=True`. Received: replace_unknown=False")
        options = {
            "return_alignment": return_alignment or replace_unknown,
            "halvings": _HALVINGS if batch_size >= _HALVED_FROM else 0,
        }
        if beam_width != 1:
            options.update(
                beam_width=beam_width,
                n_best=n_best or 1,
                length_normalization=length_normalization,
                coverage_penalty=coverage_penalty,
                live_rows=not tf.config.list_physical_devices("GPU"),  # which would wait to learn their number
            )
        elif n_best is not None and n_best != 1:
            raise ValueError(
                f"`n_best` must not exceed `beam_width`. Received: n_best={n_best}, beam_width={beam_width}"
            )
        results = self._decode(texts, batch_size, "decode", options, beam_width, replace_unknown, dictionary)
        return self._as_asked(results, n_best, return_scores or return_alignment)

    def sample(
        self, texts, *, seed, sample_count=1, temperature=1.0, top_k=None, top_p=1.0, return_scores=False, batch_size=64
    ):
        """Draw translations at random.

        Args:
            texts: A list of strings.
            seed: Integer. A sentence's samples depend on the seed and on its place in the list, not on its neighbours.
            sample_count: Samples per sentence.
            temperature: Divides the logits; towards 0 it becomes greedy decoding.
            top_k: Draw from the k most probable tokens; None from all.
            top_p: Draw from the fewest tokens whose probabilities add up to this.
            return_scores: Return `Translation` objects instead of strings.
            batch_size: Sentences decoded together.

        Returns:
            A list as long as `texts` of lists of `sample_count` strings or `Translation`.
        """
        options = {
            "seed": seed,
            "sample_count": sample_count,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
        }
        results = self._decode(texts, batch_size, "sample", options, sample_count)
        return [[one if return_scores else one.text for one in row] for row in results]

    def _as_asked(self, results, n_best, in_detail):
        if n_best is not None:
            return results
        return [row[0] if in_detail else row[0].text for row in results]

    def _decode(self, texts, batch_size, kind, options, slots, replace_unknown=False, dictionary=None):
        texts = _checked_texts(texts)
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        if not texts:
            return []
        tokens = self.source_tokenizer.tokenize(texts)
        rows = np.split(tokens.flat_values.numpy(), tokens.row_splits.numpy()[1:-1])
        limit = self.graph.maximum_source_length
        too_long = [i for i, row in enumerate(rows) if len(row) > limit]
        if too_long:
            warnings.warn(
                f"{len(too_long)} of {len(texts)} texts have more than maximum_source_length={limit} tokens and are "
                f"cut there; the first is texts[{too_long[0]}] with {len(rows[too_long[0]])}.",
                stacklevel=3,
            )
        rows = [np.append(row[:limit], self.source_tokenizer.end_id) for row in rows]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        results = [None] * len(rows)
        weights = {}
        if slots * sum(map(len, rows)) >= _TABULATED_FROM * self.model.target_vocabulary_size:
            weights = self.model.decoding_weights(tabulate_words=True) or {}
        function = self._function(kind, options, weights)

        def decode(start):
            chunk = order[start : start + batch_size]
            ids = np.zeros((len(chunk), len(rows[chunk[-1]])), "int32")
            for k, i in enumerate(chunk):
                ids[k, : len(rows[i])] = rows[i]
            decoded = function(ids, np.asarray(chunk, "int32"), weights)
            decoded = {name: value.numpy() for name, value in decoded.items()}
            for k, i in enumerate(chunk):
                results[i] = self._translations(
                    rows[i], {n: v[k] for n, v in decoded.items()}, replace_unknown, dictionary
                )

        with ThreadPoolExecutor(1 if tf.config.list_physical_devices("GPU") else _BATCHES_AT_ONCE) as pool:
            list(pool.map(decode, range(0, len(order), batch_size)[::-1]))  # the longest first
        return results

    def _translations(self, source_ids, decoded, replace_unknown, dictionary):
        """Make the `Translation` objects of one sentence."""
        source_tokens = [self.source_tokenizer.id_to_piece(int(i)) for i in source_ids]
        translations = []
        for k, length in enumerate(decoded["lengths"]):
            token_ids = [int(i) for i in decoded["token_ids"][k][:length]]
            tokens = [self.target_tokenizer.id_to_piece(i) for i in token_ids]
            text = decoded["texts"][k].decode("utf-8", errors="replace")
            alignment = None
            if "alignment" in decoded:
                alignment = decoded["alignment"][k][:length, : len(source_ids)]
            if replace_unknown and self.target_tokenizer.unknown_id in token_ids:
                unknown = self.target_tokenizer.id_to_piece(self.target_tokenizer.unknown_id)
                words = replace_unknown_words(
                    tokens, source_tokens[:-1], alignment, unknown_word=unknown, dictionary=dictionary
                )
                end = self.target_tokenizer.id_to_piece(self.target_tokenizer.end_id)
                text = self.target_tokenizer.join_pieces([word for word in words if word != end])
            translations.append(Translation(text, float(decoded["scores"][k]), source_tokens, tokens, alignment))
        return translations

    def _function(self, kind, options, weights):
        """Return the compiled decoding of these options: traced once, for every batch and length."""
        key = (kind, *sorted(options.items()), *sorted(weights))
        if key not in self._functions:

            def run(source_ids, row_ids, weights):
                graph = self.graph.with_decoding_weights(weights or None)
                if kind == "decode":
                    result = graph.decode(source_ids, **options)
                else:
                    result = graph.decode_with(sample, source_ids, row_ids=row_ids, **options)
                result = {name: value for name, value in result.items() if value is not None}
                return {**result, "texts": self.graph.detokenize(result["token_ids"])}

            signature = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
            signature.append(tf.nest.map_structure(tf.TensorSpec.from_tensor, weights))
            function = tf.function(run, input_signature=signature)
            function.get_concrete_function()  # traced in this thread: Keras' settings, which it reads, belong to one
            self._functions[key] = function
        return self._functions[key]

    def save(self, directory):
        """Write model, tokenizers and limits into a folder, from which `load` makes the same translator.

        A model trained in half precision is written in float32, in which it runs anywhere.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        model = self._in_float32().model
        if model.compiled:  # without the optimiser, whose moments are twice the weights
            model = copy_of(model)
        model.save(directory / "model.keras")
        self.source_tokenizer.save(directory / "source_tokenizer")
        joint = self.target_tokenizer is self.source_tokenizer
        if not joint:
            self.target_tokenizer.save(directory / "target_tokenizer")
        config = {name: getattr(self.graph, name) for name in _LIMITS}
        (directory / _FILE).write_text(json.dumps({"joint_vocabulary": joint, **config}, indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, directory):
        """Read a translator that `save` wrote.

        Raises:
            ValueError: If there is none.
        """
        directory = Path(directory)
        if not (directory / _FILE).exists():
            raise ValueError(f"Expected the folder of a saved translator, with {_FILE}. Received: {str(directory)!r}")
        config = json.loads((directory / _FILE).read_text("utf-8"))
        source = load_tokenizer(directory / "source_tokenizer")
        target = source if config.pop("joint_vocabulary") else load_tokenizer(directory / "target_tokenizer")
        model = keras.models.load_model(directory / "model.keras", compile=False)
        return cls(model, source, target, **config)

    def _in_float32(self):
        model = in_float32(self.model)
        if model is self.model:
            return self
        limits = {name: getattr(self.graph, name) for name in _LIMITS}
        return Translator(model, self.source_tokenizer, self.target_tokenizer, **limits)

    def export(
        self,
        directory,
        version=None,
        beam_width=4,
        length_normalization=1.0,
        coverage_penalty=0.0,
        *,
        interface="text",
        allow_newer_operations=False,
    ):
        """Write `<directory>/<version>/`, a SavedModel from strings to strings, or with `interface="token_ids"` from
        ids to ids. See `export_translation`.
        """
        return export_translation(
            self._in_float32().graph,
            directory,
            version,
            beam_width,
            length_normalization,
            coverage_penalty,
            interface,
            allow_newer_operations,
        )

    def export_tflite(self, path, source_length=32):
        """Write a TFLite file from one sentence's ids to its translation's. See `export_translation_tflite`."""
        return export_translation_tflite(self._in_float32().graph, path, source_length)


def _checked_texts(texts):
    if isinstance(texts, (str, bytes)):
        raise ValueError(f"`texts` must be a list of strings, not one string. Received: texts={texts!r}")
    texts = list(texts)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"`texts` must be a list of strings. Received: texts[{i}]={text!r}")
    return texts

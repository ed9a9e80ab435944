"""An answer selector with its answers as one SavedModel: a question in, the best answers out."""

import numpy as np
import tensorflow as tf

from keras_attention.export.answer_selection import answer_selection_endpoints
from keras_attention.export.answer_selection_attention import attention_endpoints
from keras_attention.export.saved_model import compare_signatures, write_saved_model

_ENCODED_TOGETHER = 32  # Candidates encoded at a time, in order of length: bounds memory and padding.


class AnswerIndexGraph(tf.Module):
    """The index of a selector as TensorFlow operations, from questions to the best answers.

    QA models: `vectors`, compared with the question's, all of them. AP models, whose vectors depend on the question:
    BM25 from `postings` proposes candidates, and each is scored exactly, from its `features` or, to save room, from its
    `ids`, encoded when the question comes.

    The words that BM25 counts are runs of letters and digits, lower-cased, as in `keras_attention.retrieval.BM25`.

    Args:
        graph: The `AnswerSelectionGraph` of the selector.
        answers: List of strings.
        top_k: Answers per question.
        vectors: `(answers, width)` unit vectors, float32 or float16.
        features: `(tokens of all answers, width)`, float32 or float16.
        ids: int `(tokens of all answers,)`.
        offsets: int `(answers + 1,)`: answer `i` has the rows `offsets[i]` to `offsets[i + 1]` of features or ids.
        postings: What `BM25.postings` returns.
        candidate_count: How many candidates BM25 proposes.
    """

    def __init__(
        self,
        graph,
        answers,
        top_k,
        vectors=None,
        features=None,
        ids=None,
        offsets=None,
        postings=None,
        candidate_count=None,
    ):
        super().__init__()
        self.graph = graph
        self.answers = answers
        self.top_k = top_k
        self.candidate_count = candidate_count
        with tf.init_scope():
            self._texts = tf.Variable(tf.constant(answers), trainable=False, name="answer_texts")
            if vectors is not None:
                self._vectors = tf.Variable(vectors, trainable=False, name="answer_vectors")
                return
            self._vectors = None
            rows = features if features is not None else np.asarray(ids, "int32")
            self._rows = tf.Variable(rows, trainable=False, name="answer_rows")
            self._has_features = features is not None
            self._offsets = tf.Variable(np.asarray(offsets, "int64"), trainable=False, name="answer_offsets")
            words = tf.constant(postings["words"])
            table = tf.lookup.KeyValueTensorInitializer(words, tf.range(len(words), dtype=tf.int64))
            self._word_ids = tf.lookup.StaticHashTable(table, -1)
            self._word_offsets = tf.Variable(postings["offsets"], trainable=False, name="word_offsets")
            self._word_places = tf.Variable(postings["places"], trainable=False, name="word_places")
            self._word_scores = tf.Variable(postings["scores"], trainable=False, name="word_scores")

    def find(self, question):
        """Return the best answers.

        Args:
            question: Strings `(batch,)`.

        Returns:
            `answers`, strings `(batch, top_k)`, the best first, equal ones in the order of the index; `places`, int32
            `(batch, top_k)`, their places in the index; `scores`, float32 `(batch, top_k)`.
        """
        question_ids = self.graph.ids(question, self.graph.question_length)
        if self._vectors is not None:
            places, scores = self._nearest(question_ids)
        else:
            places, scores = tf.map_fn(
                self._best_of_candidates,
                (question_ids, self._words(question)),
                fn_output_signature=(tf.TensorSpec([self.top_k], tf.int32), tf.TensorSpec([self.top_k], tf.float32)),
                parallel_iterations=1,  # bounds memory; each step uses all threads
            )
        return {"answers": tf.gather(self._texts, places), "places": places, "scores": scores}

    def _nearest(self, question_ids):
        vectors = self.graph.model.encoder_model(question_ids)["vector"]
        length = tf.norm(vectors, axis=-1, keepdims=True)
        unit = vectors / tf.where(length > 1e-12, length, tf.ones_like(length))
        scores = tf.matmul(unit, tf.cast(self._vectors, tf.float32), transpose_b=True)
        scores, places = tf.math.top_k(scores, self.top_k)
        return places, scores

    def _words(self, texts):
        """Return the ids of BM25's words, ragged `(batch, None)`, int64, -1 for unknown ones."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace", replacement_char=0xFFFD)
        words = tf.strings.regex_replace(tf.strings.lower(texts, encoding="utf-8"), r"[^\p{L}\p{N}]+", " ")
        words = tf.strings.split(words)
        return words.with_values(self._word_ids.lookup(words.values))

    def _candidates(self, words):
        """Return the places of the candidates that BM25 proposes for one question, in descending order of its score."""
        words = tf.boolean_mask(words, words >= 0)
        begin, end = tf.gather(self._word_offsets, words), tf.gather(self._word_offsets, words + 1)
        rows = tf.ragged.range(begin, end).values
        scores = tf.math.unsorted_segment_sum(
            tf.gather(self._word_scores, rows), tf.gather(self._word_places, rows), len(self.answers)
        )
        return tf.math.top_k(scores, self.candidate_count).indices

    def _best_of_candidates(self, inputs):
        question_ids, words = inputs
        candidates = self._candidates(words)
        encoder, scorer = self.graph.model.encoder_model, self.graph.model.scorer_model
        question = _bare(encoder(question_ids[None]))
        offsets = tf.gather(self._offsets, candidates), tf.gather(self._offsets, candidates + 1)
        order = tf.argsort(offsets[1] - offsets[0])  # like lengths together, so that little is padding

        def score(chunk):
            begin, end = tf.gather(offsets[0], chunk), tf.gather(offsets[1], chunk)
            rows = tf.ragged.range(begin, end)
            stored = _at_least_one_column(rows.with_values(tf.gather(self._rows, rows.values)).to_tensor())
            if self._has_features:
                answer = {
                    "features": tf.cast(stored, tf.float32),
                    "mask": tf.sequence_mask(end - begin, tf.shape(stored)[1]),
                }
            else:
                answer = _bare(encoder(stored))
            return scorer({"question": question, "answer": {k: v[None] for k, v in answer.items()}})[0]

        # A loop over parts of the candidates; the last part is filled up with the first candidate.
        parts = -(-self.candidate_count // _ENCODED_TOGETHER)
        filled = tf.pad(order, [[0, parts * _ENCODED_TOGETHER - self.candidate_count]])
        scores = tf.map_fn(
            score,
            tf.reshape(filled, [parts, _ENCODED_TOGETHER]),
            fn_output_signature=tf.TensorSpec([_ENCODED_TOGETHER], tf.float32),
            parallel_iterations=1,
        )
        scores = tf.reshape(scores, [-1])[: self.candidate_count]
        scores = tf.tensor_scatter_nd_update(tf.zeros_like(scores), order[:, None], scores)
        scores, best = tf.math.top_k(scores, self.top_k)
        return tf.gather(candidates, best), scores


def export_answer_index(graph, expected, directory, version=None, allow_newer_operations=False, tolerance=1e-3):
    """Write a SavedModel that answers questions from its index, check it, reload it, compare, then put it in its place.

    Signatures:

    - `serving_default`: `question` string `[batch]` to `answers` string `[batch, top_k]`, the best first, `places`
      int32 `[batch, top_k]`, places in the list that was indexed, and `scores` float32 `[batch, top_k]`;
    - `similarity`, `rank` and, of AP models, `attention`, on answers that come with the request: `serving_default`,
      `rank` and `attention` of `export_answer_selection`.

    Args:
        graph: An `AnswerIndexGraph`.
        expected: Callable from a list of questions to the scores that the selector itself finds, `(questions, top_k)`.
        directory: The model's folder; the version is a folder inside it, as TF Serving wants.
        version: Integer; one more than the greatest there if None, beginning with 1.
        allow_newer_operations: Allow operations that servers before 2.20 do not have, see `check_operations`.
        tolerance: Greatest difference of scores: more where the selector's index is in half precision.

    Returns:
        The path of the version's folder.

    Raises:
        ValueError: If the version exists, or is not a positive integer, or if the graph holds an operation that the
            stock server does not have.
        RuntimeError: If the reloaded SavedModel answers otherwise than the selector. Nothing is left behind then.
    """
    texts = [*graph.graph.example_texts(), *(" ".join(text.split()[:6]) for text in graph.answers[:3])]
    pairs = {"question": tf.constant(texts), "answer": tf.constant(texts[1:] + texts[:1])}
    ranked = {"question": tf.constant(texts[-1:]), "answers": tf.constant(texts)}
    calls = [("similarity", pairs, graph.graph.similarity(**pairs)), ("rank", ranked, graph.graph.rank(**ranked))]
    attention = attention_endpoints(graph.graph)
    calls += [(name, pairs, function(**pairs)) for name, (function, _) in attention.items()]
    by_selector = expected(texts)

    def compare(path):
        signatures = tf.saved_model.load(str(path)).signatures
        compare_signatures(signatures, calls, tolerance)
        found = signatures["serving_default"](question=tf.constant(texts))
        # Of answers with nearly the same score either may stand first, so each is held to the score of its pair.
        questions, texts_of_places = tf.repeat(texts, graph.top_k), tf.gather(graph.answers, found["places"])
        by_pair = graph.graph.similarity(questions, tf.reshape(found["answers"], [-1]))["similarity"]
        same = bool(tf.reduce_all(found["answers"] == texts_of_places))
        for scores in (by_selector, tf.reshape(by_pair, found["scores"].shape)):
            same = same and np.allclose(found["scores"], scores, tolerance, tolerance)
        if not same:
            raise RuntimeError(
                "The reloaded SavedModel does not answer as the selector does. "
                f"Received: scores {found['scores'].numpy()!r} instead of {by_selector!r}"
            )

    return write_saved_model(
        directory,
        version,
        tracked=(graph.graph.model, graph.graph.tokenizer, graph),
        endpoints={
            "serving_default": (graph.find, [tf.TensorSpec([None], tf.string, name="question")]),
            **answer_selection_endpoints(graph.graph),
            **attention,
        },
        compare=compare,
        warm_up=[("serving_default", {"question": tf.constant(texts)}), *((name, inputs) for name, inputs, _ in calls)],
        allow_newer_operations=allow_newer_operations,
    )


def _bare(encoded):
    """Take off the masks that Keras ties to tensors: the scorer gets its mask as an input."""
    return {name: tf.identity(value) for name, value in encoded.items()}


def _at_least_one_column(rows):
    """Pad `(batch, length, ...)` to a length of at least 1."""
    missing = tf.cast(tf.equal(tf.shape(rows)[1], 0), tf.int32)
    return tf.pad(rows, [[0, 0], [0, missing], *[[0, 0]] * (rows.shape.rank - 2)])

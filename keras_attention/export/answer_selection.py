"""An answer selector as a SavedModel: strings in, similarities out, without this package."""

import tensorflow as tf

from keras_attention.export.saved_model import write_saved_model


class AnswerSelectionGraph:
    """An answer-selection model and its tokenizer as functions from strings to similarities, all TensorFlow operations.

    A text without any token (empty, or only spaces) has similarity 0 to anything. Tokens beyond `question_length` and
    `answer_length` are not read.

    Args:
        model: One of the four answer-selection models.
        tokenizer: The tokenizer of both sides.
        question_length: Tokens of a question that are read.
        answer_length: Tokens of an answer that are read.

    Raises:
        ValueError: If a length is below 1, or the tokenizer's vocabulary is larger than the model's.
    """

    def __init__(self, model, tokenizer, question_length, answer_length):
        for name, length in (("question_length", question_length), ("answer_length", answer_length)):
            if length < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={length}")
        size = model.sequence_encoder.vocabulary_size
        if tokenizer.vocabulary_size > size:
            raise ValueError(
                f"Expected a tokenizer of at most {size} tokens, the model's vocabulary_size. "
                f"Received: vocabulary_size={tokenizer.vocabulary_size}"
            )
        self.model = model
        self.tokenizer = tokenizer
        self.question_length = question_length
        self.answer_length = answer_length

    def ids(self, text, length):
        """Return the padded ids of texts, int32 `(batch, longest)`, with at least one column and at most `length`."""
        ids = self.tokenizer.tokenize(text)[:, :length].to_tensor()
        missing = tf.cast(tf.equal(tf.shape(ids)[1], 0), tf.int32)
        return tf.cast(tf.pad(ids, [[0, 0], [0, missing]]), tf.int32)

    def similarity(self, question, answer):
        """Score pairs: `(batch,)` strings each to `similarity`, float32 `(batch,)`."""
        question_ids = self.ids(question, self.question_length)
        answer_ids = self.ids(answer, self.answer_length)
        similarity = self.model({"question_ids": question_ids, "answer_ids": answer_ids[:, None]})
        return {"similarity": similarity[:, 0]}

    def rank(self, question, answers):
        """Score one question against many answers and order them.

        Args:
            question: String `(1,)`.
            answers: Strings `(n,)`.

        Returns:
            `similarity`, float32 `(n,)` in the order given, and `order`, int32 `(n,)`: places of the answers, the best
            first; equal ones stay in the order given.
        """
        question_ids = self.ids(question, self.question_length)
        answer_ids = self.ids(answers, self.answer_length)
        similarity = self.model({"question_ids": question_ids, "answer_ids": answer_ids[None]})[0]
        return {"similarity": similarity, "order": tf.argsort(similarity, direction="DESCENDING", stable=True)}


def export_answer_selection(graph, directory, version=None):
    """Write a SavedModel that scores strings, reload it, compare, and only then put it in its place.

    Signatures:

    - `serving_default`: `question`, `answer` string `[batch]` to `similarity` float32 `[batch]`, from -1 to 1;
    - `rank`: `question` string `[1]`, `answers` string `[n]` to `similarity` float32 `[n]`, in the order given, and
      `order` int32 `[n]`, places of the answers from the best to the worst.

    `tf.saved_model.load` serves it once `tensorflow_text` is imported.

    Args:
        graph: An `AnswerSelectionGraph`.
        directory: The model's folder; the version is a folder inside it, as TF Serving wants.
        version: Integer; one more than the greatest there if None, beginning with 1.

    Returns:
        The path of the version's folder.

    Raises:
        ValueError: If the version exists, or is not a positive integer.
        RuntimeError: If the reloaded SavedModel answers otherwise than the model itself. Nothing is left behind then.
    """
    question = tf.TensorSpec([None], tf.string, name="question")
    one_question = tf.TensorSpec([1], tf.string, name="question")
    endpoints = {
        "serving_default": (graph.similarity, [question, tf.TensorSpec([None], tf.string, name="answer")]),
        "rank": (graph.rank, [one_question, tf.TensorSpec([None], tf.string, name="answers")]),
    }
    return write_saved_model(
        directory,
        version,
        tracked=(graph.model, graph.tokenizer),
        endpoints=endpoints,
        compare=lambda path: _compare(graph, path),
    )


def _compare(graph, path):
    """Check that the SavedModel says what the model says, on texts of mixed length and kind."""
    vocabulary = [graph.tokenizer.id_to_piece(i) for i in range(4, min(44, graph.tokenizer.vocabulary_size))]
    words = [piece.replace("\u2581", " ").strip() or "." for piece in vocabulary] or ["."]
    texts = ["", "   ", words[0], " ".join(words[:5]), " ".join(words[5:]), " ".join(words), "\U0001f642 ?"]
    questions, answers = (tf.constant([row[i] for row in zip(texts, texts[1:] + texts[:1])]) for i in (0, 1))
    signatures = tf.saved_model.load(str(path)).signatures
    differences = [
        tf.abs(
            signatures["serving_default"](question=questions, answer=answers)["similarity"]
            - graph.similarity(questions, answers)["similarity"]
        )
    ]
    for i in range(2, len(texts)):
        asked, every = questions[i : i + 1], tf.constant(texts)
        pairs = graph.similarity(tf.repeat(asked, len(texts)), every)["similarity"]
        ranked = signatures["rank"](question=asked, answers=every)
        differences.append(tf.abs(ranked["similarity"] - pairs))
        ordered = tf.gather(ranked["similarity"], ranked["order"])
        differences.append(tf.maximum(ordered[1:] - ordered[:-1], 0.0))
    difference = float(tf.reduce_max(tf.concat(differences, axis=0)))
    if not difference <= 1e-3:  # NaN is a difference too
        raise RuntimeError(
            "The reloaded SavedModel does not answer as the model does. "
            f"Received: greatest difference of similarities={difference}"
        )

"""An answer selector as a SavedModel: strings in, similarities out, without this package."""

import tensorflow as tf

from keras_attention.export.answer_selection_attention import attention_endpoints
from keras_attention.export.saved_model import compare_signatures, write_saved_model
from keras_attention.export.tflite import write_tflite

INTERFACES = ("text", "token_ids")


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
        """Score pairs: `(batch,)` strings each, as many answers as questions, to `similarity`, float32 `(batch,)`."""
        return self.similarity_of_ids(self.ids(question, self.question_length), self.ids(answer, self.answer_length))

    def similarity_of_ids(self, question_ids, answer_ids):
        """Score pairs of ids, int32 `(batch, length)` each: operations of the TensorFlow core only."""
        same = tf.shape(question_ids)[0], tf.shape(answer_ids)[0]
        tf.debugging.assert_equal(*same, message="expected as many answers as questions")
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
        return self.rank_ids(self.ids(question, self.question_length), self.ids(answers, self.answer_length))

    def rank_ids(self, question_ids, answer_ids):
        """Score the ids of one question, `(1, length)`, against those of many answers, `(n, length)`; see `rank`."""
        tf.debugging.assert_equal(tf.shape(question_ids)[0], 1, message="expected one question")
        similarity = self.model({"question_ids": question_ids, "answer_ids": answer_ids[None]})[0]
        return {"similarity": similarity, "order": tf.argsort(similarity, direction="DESCENDING", stable=True)}

    def example_texts(self):
        """Return texts of mixed length and kind, to compare with and to warm up."""
        vocabulary = [self.tokenizer.id_to_piece(i) for i in range(4, min(44, self.tokenizer.vocabulary_size))]
        words = [piece.replace("\u2581", " ").strip() or "." for piece in vocabulary] or ["."]
        return ["", "   ", words[0], " ".join(words[:5]), " ".join(words[5:]), " ".join(words), "\U0001f642 ?"]


def export_answer_selection(graph, directory, version=None, interface="text", allow_newer_operations=False):
    """Write a SavedModel of a selector, check it, reload it, compare, and only then put it in its place.

    With `interface="text"` it scores strings. Signatures:

    - `serving_default`: `question`, `answer` string `[batch]` to `similarity` float32 `[batch]`, from -1 to 1;
    - `rank`: `question` string `[1]`, `answers` string `[n]` to `similarity` float32 `[n]`, in the order given, and
      `order` int32 `[n]`, places of the answers from the best to the worst;
    - `attention`, of AP models: tokens of both sides and the weights they were pooled with, see `attention_endpoints`.

    `tf.saved_model.load` serves it once `tensorflow_text` is imported.

    With `interface="token_ids"` it scores ids with operations of the TensorFlow core only, for servers without TF Text:
    the same signatures with `question_ids` int32 `[batch, question_length]` and `answer_ids` int32 `[batch,
    answer_length]`, or `[1, question_length]` and `[n, answer_length]`, padded with 0 to the right. They are read as
    they come, whatever their length. The tokenizer lies beside it then, in `assets.extra/tokenizer`.

    Args:
        graph: An `AnswerSelectionGraph`.
        directory: The model's folder; the version is a folder inside it, as TF Serving wants.
        version: Integer; one more than the greatest there if None, beginning with 1.
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
    options = {"allow_newer_operations": allow_newer_operations}
    if interface == "text":
        tracked = (graph.model, graph.tokenizer)
    else:
        tracked = (graph.model,)
        options.update(libraries=("tensorflow",), extra=lambda folder: graph.tokenizer.save(folder / "tokenizer"))
    endpoints = answer_selection_endpoints(graph, interface)
    calls = _example_calls(graph, interface)
    attention = attention_endpoints(graph) if interface == "text" else {}
    calls += [(name, calls[0][1], function(**calls[0][1])) for name, (function, _) in attention.items()]
    return write_saved_model(
        directory,
        version,
        tracked=tracked,
        endpoints={"serving_default": endpoints["similarity"], "rank": endpoints["rank"], **attention},
        compare=lambda path: compare_signatures(tf.saved_model.load(str(path)).signatures, calls),
        warm_up=list({name: (name, inputs) for name, inputs, _ in reversed(calls)}.values()),
        **options,
    )


def export_answer_selection_tflite(graph, path):
    """Write a selector as a TFLite file: the ids of one pair to its similarity, sizes fixed.

    Inputs `question_ids`, int32 `[1, question_length]`, and `answer_ids`, int32 `[1, answer_length]`, padded with 0 to
    the right; output `similarity`, float32 `[1]`.

    Args:
        graph: An `AnswerSelectionGraph`.
        path: The file.

    Returns:
        The path.

    Raises:
        RuntimeError: If TFLite's interpreter answers otherwise than the model. Nothing is written then.
    """
    lengths = {"question_ids": graph.question_length, "answer_ids": graph.answer_length}
    texts, examples = graph.example_texts(), []
    for pair in zip(texts, texts[1:] + texts[:1]):
        rows = {name: graph.ids([text], length) for (name, length), text in zip(lengths.items(), pair)}
        padded = {name: tf.pad(ids, [[0, 0], [0, lengths[name] - ids.shape[1]]]) for name, ids in rows.items()}
        examples.append({name: ids.numpy() for name, ids in padded.items()})
    signature = [tf.TensorSpec([1, length], tf.int32, name=name) for name, length in lengths.items()]
    return write_tflite(path, graph.similarity_of_ids, signature, examples)


def answer_selection_endpoints(graph, interface="text"):
    """Return the functions that score pairs and lists, with their inputs.

    Returns:
        Dict from `"similarity"` and `"rank"` to `(function, input_signature)`.
    """
    if interface == "text":
        functions, names, shape, dtype = (
            (graph.similarity, graph.rank),
            ("question", "answer", "answers"),
            (),
            tf.string,
        )
    else:
        functions = graph.similarity_of_ids, graph.rank_ids
        names, shape, dtype = ("question_ids", "answer_ids", "answer_ids"), (None,), tf.int32

    def spec(rows, name):
        return tf.TensorSpec([rows, *shape], dtype, name=name)

    return {
        "similarity": (functions[0], [spec(None, names[0]), spec(None, names[1])]),
        "rank": (functions[1], [spec(1, names[0]), spec(None, names[2])]),
    }


def _example_calls(graph, interface):
    """Return what `compare_signatures` wants: pairs, and each question against all texts, which must score as pairs."""
    texts = graph.example_texts()
    questions, answers = tf.constant(texts), tf.constant(texts[1:] + texts[:1])

    def inputs(question, answer, plural):
        if interface == "text":
            return {"question": question, "answers" if plural else "answer": answer}
        return {
            "question_ids": graph.ids(question, graph.question_length),
            "answer_ids": graph.ids(answer, graph.answer_length),
        }

    ranked = []
    for i in range(2, len(texts)):
        asked = questions[i : i + 1]
        expected = graph.similarity(tf.repeat(asked, len(texts)), questions)
        ranked.append(("rank", inputs(asked, questions, True), expected))
    pairs = ("serving_default", inputs(questions, answers, False), graph.similarity(questions, answers))
    # The ranking of most words first: each signature's first call is the one to warm up with.
    return [pairs, *reversed(ranked)]

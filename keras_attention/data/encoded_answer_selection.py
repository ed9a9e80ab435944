"""Answer-selection data as token ids, and which answers are the same to a model."""

import dataclasses

import numpy

from keras_attention.data.answer_selection_data import AnswerSelectionData

_CHUNK = 4096  # Texts tokenised at a time, which bounds the memory of the padded pieces.


@dataclasses.dataclass(frozen=True, eq=False)
class EncodedAnswerSelection:
    """``AnswerSelectionData`` beside its token ids; ``encode_answer_selection`` makes it.

    Attributes:
        data: the texts, right answers and pools.
        question_ids: int32 ``(Q, question_length)``, padded on the right with 0.
        answer_ids: int32 ``(A, answer_length)``, padded on the right with 0.
        answer_group: int64 ``(A,)``: answers with the same token ids have the same number. To a model they are one
            answer, so when one is right for a question all of them are.
        group_answer: int64, one answer for each number of ``answer_group``.

    Raises:
        ValueError: the arrays do not fit the data.
    """

    data: AnswerSelectionData
    question_ids: numpy.ndarray
    answer_ids: numpy.ndarray
    answer_group: numpy.ndarray = dataclasses.field(init=False, repr=False)
    group_answer: numpy.ndarray = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        for name, texts in (("question_ids", self.data.questions), ("answer_ids", self.data.answers)):
            ids = getattr(self, name)
            if ids.ndim != 2 or ids.shape[0] != len(texts):
                raise ValueError(
                    f"{name} must be ({len(texts)}, length), one row per text. Received: {name}.shape={ids.shape}"
                )
        rows = numpy.ascontiguousarray(self.answer_ids)
        keys = rows.view(numpy.dtype((numpy.void, rows.dtype.itemsize * max(rows.shape[1], 1)))).reshape(-1)
        _, first, group = numpy.unique(keys, return_index=True, return_inverse=True)
        object.__setattr__(self, "answer_group", group.astype("int64").reshape(-1))
        object.__setattr__(self, "group_answer", first.astype("int64"))

    def with_data(self, data):
        """Return the encoding of other questions over the same answers, say the two sides of ``data.split``.

        Args:
            data: ``AnswerSelectionData`` with these answers, whose questions all occur here.

        Raises:
            ValueError: other answers, or a question that is not here.
        """
        if data.answers != self.data.answers:
            raise ValueError(f"data must have the same answers in the same order. Received: {data!r}")
        places = {question: place for place, question in enumerate(self.data.questions)}
        unknown = [question for question in data.questions if question not in places]
        if unknown:
            raise ValueError(f"data must hold only questions encoded here. Received: {unknown[:3]}")
        rows = numpy.array([places[question] for question in data.questions], dtype="int64")
        return EncodedAnswerSelection(data, self.question_ids[rows], self.answer_ids)


def encode_answer_selection(data, tokenizer, *, question_length, answer_length):
    """Tokenise questions and answers once.

    Args:
        data: ``AnswerSelectionData``.
        tokenizer: an object whose ``tokenize(list of UTF-8 bytes)`` gives a ``tf.RaggedTensor`` of int32 ids with 0
            unused: any tokenizer of ``keras_attention.text``.
        question_length: tokens kept of a question; the rest is cut. The arrays are as wide as the longest that is
            left, at most this.
        answer_length: tokens kept of an answer.

    Returns:
        ``EncodedAnswerSelection``.

    Raises:
        ValueError: a length below 1.
    """
    return EncodedAnswerSelection(
        data=data,
        question_ids=encode_texts(data.questions, tokenizer, question_length),
        answer_ids=encode_texts(data.answers, tokenizer, answer_length),
    )


def encode_texts(texts, tokenizer, maximum_length):
    """Return int32 ``(len(texts), L)`` token ids, padded on the right with 0, ``L`` at most ``maximum_length``.

    Args:
        texts: sequence of strings.
        tokenizer: as in ``encode_answer_selection``.
        maximum_length: tokens kept of a text.

    Raises:
        ValueError: ``maximum_length`` below 1.
    """
    if maximum_length < 1:
        raise ValueError(f"maximum_length must be at least 1 token. Received: maximum_length={maximum_length!r}")
    texts = list(texts)
    ids = numpy.zeros((len(texts), maximum_length), dtype="int32")
    longest = 1
    for begin in range(0, len(texts), _CHUNK):
        # Half a surrogate pair, as broken JSON has it, is no UTF-8: it becomes a question mark.
        ragged = tokenizer.tokenize([text.encode("utf-8", "replace") for text in texts[begin : begin + _CHUNK]])
        rows = ragged.to_tensor(shape=(None, maximum_length)).numpy()
        ids[begin : begin + len(rows)] = rows
        used = numpy.flatnonzero(rows.any(axis=0))
        longest = max(longest, int(used[-1]) + 1 if used.size else 1)
    return numpy.ascontiguousarray(ids[:, :longest])

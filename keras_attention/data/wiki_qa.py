"""WikiQA in both of its publishers' forms."""

from keras_attention.data.labelled_pairs import group_labelled_pairs
from keras_attention.data.text_lines import numbered_lines, parse_label, tab_separated_lines

HEADER = ["QuestionID", "Question", "DocumentID", "DocumentTitle", "SentenceID", "Sentence", "Label"]


def read_wiki_qa(path):
    """Read a file of WikiQA.

    Two forms, told apart by the first line: ``.tsv`` with the header QuestionID, Question, DocumentID, DocumentTitle,
    SentenceID, Sentence, Label; and ``.txt``, tokenised, ``question TAB sentence TAB label`` without a header. A
    question is a run of lines with the same QuestionID, or with the same question.

    The usual protocol keeps only questions with a correct sentence: ``read_wiki_qa(path).with_right_answer()``.

    Args:
        path: the file, plain or gzipped.

    Returns:
        ``AnswerSelectionData``: every sentence is an answer, every question's sentences are its pool.

    Raises:
        ValueError: the file is missing, empty, or malformed; the message names file and line.

    Reference: Yang, Yih and Meek 2015, WikiQA: a challenge dataset for open-domain question answering.
    """
    first = next(numbered_lines(path), (0, ""))[1]
    return group_labelled_pairs(_tsv(path) if first.startswith("QuestionID\t") else _txt(path))


def _tsv(path):
    for number, fields in tab_separated_lines(path, len(HEADER)):
        if number == 1:
            if fields != HEADER:
                raise ValueError(f"{path}, line 1: expected the header {HEADER}. Received: {fields}")
            continue
        yield fields[0], fields[1], fields[5], parse_label(fields[6], path, number)


def _txt(path):
    for number, (question, sentence, label) in tab_separated_lines(path, 3, skip_empty=True):
        yield question, question, sentence, parse_label(label, path, number)

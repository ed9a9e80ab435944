"""TREC-QA: the tab-separated form and the pseudo-XML of the original release."""

import re

from keras_attention.data.labelled_pairs import group_labelled_pairs
from keras_attention.data.text_lines import numbered_lines, parse_label, tab_separated_lines

HEADER = ["qid", "question", "sentence", "label"]
_OPENING = re.compile(r"<QApairs id=['\"]([^'\"]*)['\"]>$")
_BLOCKS = {"<question>": "</question>", "<positive>": "</positive>", "<negative>": "</negative>"}


def read_trec_qa(path):
    """Read a file of TREC-QA.

    Two forms, told apart by the first line. Tab-separated, with the header qid, question, sentence, label. And the
    original release's blocks ``<QApairs id='..'>`` with one ``<question>`` and any number of ``<positive>`` and
    ``<negative>``; within each the first line holds the tokens, separated by tabs, and the lines after it (parts of
    speech, dependencies, entities) are passed over. This is not XML (ampersands stand bare), so no XML parser is used.

    The "clean" protocol keeps the questions that have a right and a wrong sentence:
    ``read_trec_qa(path).with_right_and_wrong_answers()``.

    Args:
        path: the file, plain or gzipped.

    Returns:
        ``AnswerSelectionData``: every sentence is an answer, every question's sentences are its pool.

    Raises:
        ValueError: the file is missing, empty, or malformed; the message names file and line.

    Reference: Wang, Smith and Mitamura 2007, What is the Jeopardy model? A quasi-synchronous grammar for QA.
    """
    first = next((line for _, line in numbered_lines(path) if line.strip()), "")
    return group_labelled_pairs(_blocks(path) if first.lstrip().startswith("<") else _tsv(path))


def _tsv(path):
    for number, fields in tab_separated_lines(path, len(HEADER)):
        if number == 1:
            if fields != HEADER:
                raise ValueError(f"{path}, line 1: expected the header {HEADER}. Received: {fields}")
            continue
        # Two neighbouring questions may carry one qid.
        yield (fields[0], fields[1]), fields[1], fields[2], parse_label(fields[3], path, number)


def _blocks(path):
    """Walk the lines with a small state: inside which pair, inside which block, its first line."""
    pair = question = closing = kind = text = None
    number = opened = 0
    for number, line in numbered_lines(path):
        line = line.strip()
        if closing is not None:
            if line == closing:
                if not text:
                    raise ValueError(f"{path}, line {number}: expected a line of tokens before {closing}")
                if kind == "<question>":
                    question = text
                elif question is None:
                    raise ValueError(f"{path}, line {number}: expected <question> before {kind}")
                else:
                    yield opened, question, text, int(kind == "<positive>")
                closing = None
            elif line.startswith("<") and (line in _BLOCKS or line in _BLOCKS.values() or line == "</QApairs>"):
                raise ValueError(f"{path}, line {number}: expected {closing}. Received: {line!r}")
            elif text is None:
                text = " ".join(line.split("\t"))
        elif not line:
            continue
        elif match := _OPENING.match(line):
            if pair is not None:
                raise ValueError(f"{path}, line {number}: expected </QApairs> first. Received: {line!r}")
            pair, question, opened = match[1], None, number
        elif line == "</QApairs>" and pair is not None:
            pair = None
        elif line in _BLOCKS and pair is not None:
            kind, closing, text = line, _BLOCKS[line], None
        else:
            raise ValueError(f"{path}, line {number}: expected <QApairs id='..'> or a block of it. Received: {line!r}")
    if pair is not None:
        raise ValueError(f"{path}, line {number}: expected </QApairs> before the file's end")

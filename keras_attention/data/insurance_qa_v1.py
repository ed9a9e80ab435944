"""InsuranceQA, version 1, in its publisher's files."""

from pathlib import Path

from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.data.insurance_qa import decode, known_answers, read_answers, read_vocabulary
from keras_attention.data.text_lines import tab_separated_lines

SPLITS = ("train", "dev", "test1", "test2")


def read_insurance_qa_v1(directory, split):
    """Read one part of InsuranceQA v1.

    The directory holds, plain or gzipped, the publisher's ``vocabulary``, ``answers.label.token_idx`` and
    ``question.train.token_idx.label`` or ``question.<split>.label.token_idx.pool``. Its pools of 500 hold every right
    answer. The training part has no pools: wrong answers are drawn from the collection, as the paper does.

    Args:
        directory: folder with the files.
        split: ``"train"``, ``"dev"``, ``"test1"`` or ``"test2"``.

    Returns:
        ``AnswerSelectionData``; answers in the order of their file.

    Raises:
        ValueError: a missing file, a malformed line, an unknown word index or answer id; the message names file and
            line.

    Reference: Feng et al. 2015, Applying deep learning to answer selection: a study and an open task.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}. Received: split={split!r}")
    directory = Path(directory)
    words = read_vocabulary(directory / "vocabulary")
    answers, places = read_answers(directory / "answers.label.token_idx", words)
    training = split == "train"
    path = directory / ("question.train.token_idx.label" if training else f"question.{split}.label.token_idx.pool")
    questions, gold, pools = [], [], []
    for number, fields in tab_separated_lines(path, 2 if training else 3):
        question, right = (fields[0], fields[1]) if training else (fields[1], fields[0])
        questions.append(decode(question, words, path, number))
        gold.append(known_answers(right, places, path, number))
        if not training:
            pools.append(known_answers(fields[2], places, path, number))
    return AnswerSelectionData(questions, answers, gold, None if training else pools)

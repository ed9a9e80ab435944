"""The embedded corpus: a share of MedQuAD."""

from pathlib import Path

from keras_attention import datasets
from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.data.text_lines import parse_ids, tab_separated_lines

SPLITS = ("train", "validation", "test")


def read_med_quad(split, directory=None):
    """Read one part of the embedded corpus, or all of it.

    Questions and answers about diseases; pools of 20 hold the right answers, the other answers about the same disease,
    and others. No disease stands in two parts. ``datasets/medquad/README.md`` has licence, citation and counts.

    Args:
        split: ``"train"``, ``"validation"``, ``"test"``, or ``"all"``: the three one after the other, each question
            with the pool of its part.
        directory: another folder with files of the same form, as ``datasets/draw_medquad.py`` writes them.

    Returns:
        ``AnswerSelectionData`` with the answers of that part only.

    Raises:
        ValueError: an unknown split, or a missing or malformed file (file and line are named).

    Example:
    >>> from keras_attention.data.med_quad import read_med_quad
    >>> data = read_med_quad("test")
    >>> data.questions[3]
    'What is (are) 2q37 deletion syndrome ?'
    >>> len(data.pools[3])
    20

    Reference: Ben Abacha and Demner-Fushman 2019, A question-entailment approach to question answering.
    """
    if split not in (*SPLITS, "all"):
        raise ValueError(f"split must be one of {SPLITS} or 'all'. Received: split={split!r}")
    directory = med_quad_directory() if directory is None else Path(directory)
    questions, answers, gold, pools = [], [], [], []
    for name in SPLITS if split == "all" else (split,):
        begin = len(answers)
        path = directory / f"{name}.answers.tsv"
        for number, (label, _source, _focus, answer) in _rows(path, ("id", "source", "focus", "answer")):
            if label != str(len(answers) - begin):
                raise ValueError(f"{path}, line {number}: expected the id {len(answers) - begin}. Received: {label!r}")
            answers.append(answer)
        path = directory / f"{name}.questions.tsv"
        for number, (_type, question, right, pool) in _rows(path, ("type", "question", "right", "pool")):
            questions.append(question)
            for lists, text in ((gold, right), (pools, pool)):
                ids = parse_ids(text, path, number)
                if not ids or min(ids) < 0 or max(ids) >= len(answers) - begin:
                    raise ValueError(
                        f"{path}, line {number}: expected ids from 0 to {len(answers) - begin - 1}. Received: {text!r}"
                    )
                lists.append([begin + i for i in ids])
    return AnswerSelectionData(questions, answers, gold, pools)


def med_quad_directory():
    """Return the folder of the embedded corpus; ``vectors.npy`` and ``vectors.words.txt`` in it are word vectors."""
    return Path(datasets.__file__).parent / "medquad"


def _rows(path, header):
    for number, fields in tab_separated_lines(path, len(header)):
        if number > 1:
            yield number, fields
        elif tuple(fields) != header:
            raise ValueError(f"{path}, line 1: expected the header {header}. Received: {fields}")

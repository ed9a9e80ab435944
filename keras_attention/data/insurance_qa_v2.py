"""InsuranceQA, version 2, in its publisher's files."""

from pathlib import Path

from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.data.insurance_qa import decode, known_answers, read_answers, read_vocabulary
from keras_attention.data.text_lines import tab_separated_lines

SPLITS = ("train", "valid", "test")


def read_insurance_qa_v2(directory, split, *, pool_size=None, encoding="raw", pools_path=None):
    """Read one part of InsuranceQA v2.

    The directory holds, plain or gzipped, the publisher's ``vocabulary``,
    ``InsuranceQA.label2answer.<encoding>.encoded`` and
    ``InsuranceQA.question.anslabel.<encoding>.<pool_size>.pool.solr.<split>.encoded``.

    Two protocols. SOLR: the publisher's retrieved pools, and only the questions whose pool holds a right answer, so
    ``read_insurance_qa_v2(...).with_right_answer()``. Random: right answers and random others, all questions; either
    drawn here by ``.with_random_pools(500, seed)`` or read from ``pools_path``.

    Args:
        directory: folder with the files.
        split: ``"train"``, ``"valid"`` or ``"test"``.
        pool_size: 100, 500, 1000 or 1500, as in the file's name. ``None``: the one there is.
        encoding: ``"raw"`` or ``"token"``, as in the file's name.
        pools_path: a file ``question number from 0 TAB right ids TAB pool ids`` that replaces the publisher's pools.

    Returns:
        ``AnswerSelectionData``; answers in the order of their file.

    Raises:
        ValueError: a missing file, a malformed line, an unknown word index or answer id, pools that do not fit the
            questions; the message names file and line.

    Reference: Feng et al. 2015, Applying deep learning to answer selection: a study and an open task.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}. Received: split={split!r}")
    directory = Path(directory)
    path = _question_file(directory, split, pool_size, encoding)
    words = read_vocabulary(directory / "vocabulary")
    answers, places = read_answers(directory / f"InsuranceQA.label2answer.{encoding}.encoded", words)
    questions, gold, pools = [], [], []
    for number, (_domain, question, right, pool) in tab_separated_lines(path, 4):
        questions.append(decode(question, words, path, number))
        gold.append(known_answers(right, places, path, number))
        pools.append(known_answers(pool, places, path, number))
    if pools_path is not None:
        pools = _read_pools(pools_path, gold, places)
    return AnswerSelectionData(questions, answers, gold, pools)


def _question_file(directory, split, pool_size, encoding):
    size = "*" if pool_size is None else pool_size
    pattern = f"InsuranceQA.question.anslabel.{encoding}.{size}.pool.solr.{split}.encoded"
    paths = [*directory.glob(pattern), *directory.glob(pattern + ".gz")]
    found = sorted({str(path).removesuffix(".gz") for path in paths})
    if len(found) != 1:
        raise ValueError(
            f"expected one file {pattern}, plain or .gz; pool_size chooses among several. "
            f"Received: directory={str(directory)!r} with {[Path(name).name for name in found] or 'none'}"
        )
    return Path(found[0])


def _read_pools(path, gold, places):
    pools = [None] * len(gold)
    for number, (question, right, pool) in tab_separated_lines(path, 3, skip_empty=True):
        if not question.isdecimal() or int(question) >= len(gold) or pools[int(question)] is not None:
            raise ValueError(
                f"{path}, line {number}: expected each question number from 0 to {len(gold) - 1} once. "
                f"Received: {question!r}"
            )
        question = int(question)
        if set(known_answers(right, places, path, number)) != set(gold[question]):
            raise ValueError(
                f"{path}, line {number}: expected the right answers of question {question} in the set itself. "
                f"Received: {right!r}"
            )
        pools[question] = known_answers(pool, places, path, number)
    missing = [question for question, pool in enumerate(pools) if pool is None]
    if missing:
        raise ValueError(f"{path}: expected a pool for every question. Received: none for questions {missing[:10]}")
    return pools

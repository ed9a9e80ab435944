"""Questions and answers of one's own: tab-separated lines and JSON lines."""

import json

from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.data.text_lines import numbered_lines, parse_label, tab_separated_lines


def read_answer_selection_tsv(path):
    """Read lines ``question TAB answer`` or ``question TAB answer TAB label``.

    A first line ``question TAB answer [TAB label]`` is taken as a header. With labels (1 right, 0 wrong) a question's
    lines are its pool. Without, every line is a right answer and there are no pools:
    ``data.with_random_pools(size)`` draws some. Lines of one question need not stand together; answers that read the
    same are one answer.

    Args:
        path: the file, UTF-8, plain or gzipped.

    Returns:
        ``AnswerSelectionData``.

    Raises:
        ValueError: the file is missing, empty or malformed, a question or answer is empty, or an answer is both right
            and wrong for one question; the message names file and line.
    """
    collector = _Collector(path)
    columns = None
    for number, fields in tab_separated_lines(path, (2, 3), skip_empty=True):
        if columns is None:
            columns = len(fields)
            if [field.lower() for field in fields] == ["question", "answer", "label"][:columns]:
                continue
        if len(fields) != columns:
            raise ValueError(f"{path}, line {number}: expected {columns} fields as before. Received: {len(fields)}")
        label = 1 if columns == 2 else parse_label(fields[2], path, number)
        collector.add(number, fields[0], fields[1], label)
    return collector.data(with_pools=columns == 3)


def read_answer_selection_jsonl(path):
    """Read lines ``{"question": "...", "right": ["...", ...], "wrong": ["...", ...]}``.

    ``wrong`` may be left out. Answers that read the same are one answer. If no line has wrong answers there are no
    pools: ``data.with_random_pools(size)`` draws some.

    Args:
        path: the file, UTF-8, plain or gzipped.

    Returns:
        ``AnswerSelectionData``.

    Raises:
        ValueError: the file is missing, empty or malformed, a question or answer is empty, or an answer is both right
            and wrong for one question; the message names file and line.
    """
    collector = _Collector(path)
    any_wrong = False
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: expected JSON: {error}. Received: {line[:80]!r}") from error
        if not isinstance(entry, dict) or not set(entry) <= {"question", "right", "wrong"} or "question" not in entry:
            raise ValueError(
                f"{path}, line {number}: expected an object with question, right, wrong. Received: {line[:80]!r}"
            )
        for label, key in ((1, "right"), (0, "wrong")):
            answers = entry.get(key, [])
            if not isinstance(answers, list):
                raise ValueError(f"{path}, line {number}: expected {key} to be a list. Received: {answers!r}")
            for answer in answers:
                collector.add(number, entry["question"], answer, label)
            any_wrong = any_wrong or (key == "wrong" and bool(answers))
    return collector.data(with_pools=any_wrong)


class _Collector:
    """Numbers questions and answers in the order of their first appearance."""

    def __init__(self, path):
        self.path = path
        self.questions = {}
        self.answers = {}
        self.labels = []

    def add(self, line, question, answer, label):
        for name, text in (("question", question), ("answer", answer)):
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{self.path}, line {line}: expected text for the {name}. Received: {text!r}")
        question = self.questions.setdefault(question, len(self.questions))
        if question == len(self.labels):
            self.labels.append({})
        answer = self.answers.setdefault(answer, len(self.answers))
        if self.labels[question].setdefault(answer, label) != label:
            raise ValueError(f"{self.path}, line {line}: expected one label per answer. Received: right and wrong")

    def data(self, with_pools):
        if not self.questions:
            raise ValueError(f"{self.path}: expected at least one question with an answer. Received: none")
        return AnswerSelectionData(
            questions=self.questions,
            answers=self.answers,
            gold=[[a for a, label in labels.items() if label] for labels in self.labels],
            pools=[list(labels) for labels in self.labels] if with_pools else None,
        )

"""Files of one's own."""

import json

import pytest

from keras_attention.data.answer_selection_files import read_answer_selection_jsonl, read_answer_selection_tsv


def write(path, *lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def as_lists(data):
    return (
        data.questions,
        data.answers,
        [g.tolist() for g in data.gold],
        data.pools and [p.tolist() for p in data.pools],
    )


def test_labelled_lines_in_any_order(tmp_path):
    path = write(tmp_path / "t", "Question\tAnswer\tLabel", "p\tx\t1", "q\ty\t0", "p\ty\t0", "q\tx\t1")
    assert as_lists(read_answer_selection_tsv(path)) == (("p", "q"), ("x", "y"), [[0], [0]], [[0, 1], [1, 0]])


def test_pairs_alone_are_all_right_and_have_no_pools(tmp_path):
    data = read_answer_selection_tsv(write(tmp_path / "t", "p\tx", "q\ty", "p\tz", "q\tx"))
    assert as_lists(data) == (("p", "q"), ("x", "y", "z"), [[0, 2], [1, 0]], None)


def test_json_lines(tmp_path):
    entries = [{"question": "p", "right": ["x"], "wrong": ["y"]}, {"question": "q", "right": ["y"]}]
    data = read_answer_selection_jsonl(write(tmp_path / "j", *map(json.dumps, entries)))
    assert as_lists(data) == (("p", "q"), ("x", "y"), [[0], [1]], [[0, 1], [1]])
    data = read_answer_selection_jsonl(write(tmp_path / "k", json.dumps(entries[1])))
    assert data.pools is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["p\tx\t1", "p\tx"], "line 2: expected 3 fields as before"),
        (["p\tx\t1", "p\ty\t3"], "line 2: expected a label"),
        (["p\tx\t1", "p\t \t0"], "line 2: expected text for the answer"),
        (["p\tx\t1", "p\tx\t0"], "line 2: expected one label per answer"),
        (["question\tanswer"], "expected at least one question"),
        ([], "empty file"),
    ],
)
def test_errors_in_tab_separated_files(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_answer_selection_tsv(write(tmp_path / "t", *lines))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: expected JSON"),
        ('{"question": "q", "correct": []}', "line 1: expected an object"),
        ("[1]", "line 1: expected an object"),
        ('{"question": "q", "right": "x"}', "expected right to be a list"),
        ('{"question": "q", "right": [3]}', "Received: 3"),
        ('{"question": "q"}', "at least one question"),
    ],
)
def test_errors_in_json_lines(tmp_path, line, message):
    with pytest.raises(ValueError, match=message):
        read_answer_selection_jsonl(write(tmp_path / "j", line))

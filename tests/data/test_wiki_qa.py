"""WikiQA in both forms, in files that the test writes as the publishers do."""

import numpy
import pytest

from keras_attention.data.wiki_qa import HEADER, read_wiki_qa

ROWS = [
    ("Q1", "how are caves formed?", "D1", "Cave", "D1-0", "A cave is dark .", "0"),
    ("Q1", "how are caves formed?", "D1", "Cave", "D1-1", "Water forms caves .", "1"),
    ("Q2", "who ?", "D2", "Who", "D2-0", "Nobody .", "0"),
]


def write_tsv(path, rows):
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_both_forms_give_the_same(tmp_path):
    tsv = read_wiki_qa(write_tsv(tmp_path / "WikiQA-dev.tsv", [HEADER, *ROWS]))
    txt = read_wiki_qa(write_tsv(tmp_path / "WikiQA-dev.txt", [(r[1], r[5], r[6]) for r in ROWS]))
    for data in (tsv, txt):
        assert data.questions == ("how are caves formed?", "who ?")
        assert data.answers == ("A cave is dark .", "Water forms caves .", "Nobody .")
        assert [ids.tolist() for ids in data.gold] == [[1], []]
        assert [ids.tolist() for ids in data.pools] == [[0, 1], [2]]
        assert data.with_right_answer().questions == ("how are caves formed?",)


def test_neighbouring_questions_of_one_text_are_told_apart_by_their_id(tmp_path):
    rows = [HEADER, *ROWS, ("Q3", "who ?", "D3", "Who", "D3-0", "Somebody .", "1")]
    data = read_wiki_qa(write_tsv(tmp_path / "w.tsv", rows))
    numpy.testing.assert_array_equal(data.pools[2], [3])


def test_errors_name_the_line(tmp_path):
    with pytest.raises(ValueError, match=r"w\.txt, line 2: expected a label of 0 or 1. Received: 'yes'"):
        read_wiki_qa(write_tsv(tmp_path / "w.txt", [("q", "s", "1"), ("q", "t", "yes")]))
    with pytest.raises(ValueError, match=r"w\.tsv, line 2: expected 7 tab-separated fields. Received: 3"):
        read_wiki_qa(write_tsv(tmp_path / "w.tsv", [HEADER, ("q", "s", "1")]))
    with pytest.raises(ValueError, match=r"line 1: expected the header"):
        read_wiki_qa(write_tsv(tmp_path / "h.tsv", [[*HEADER[:-1], "Gold"]]))
    with pytest.raises(ValueError, match="does not exist"):
        read_wiki_qa(tmp_path / "absent.txt")

"""TREC-QA in both forms, in files that the test writes as the publishers do."""

import pytest

from keras_attention.data.trec_qa import read_trec_qa

BLOCKS = """<QApairs id='1.4'>
<question>
Who\truns\tAT&T\t?
WP\tVB\tNN\t.
SUB\tROOT\tOBJ\tP
2\t0\t2\t2
-\t-\tORG\t-
</question>
<negative>
A\t<\tB\t.
NN\tSYM\tNN\t.
X\tX\tX\tX
1\t1\t1\t1
-\t-\t-\t-
</negative>
<positive>
Ada\truns\tAT&T\t.
NN\tVB\tNN\t.
X\tX\tX\tX
1\t1\t1\t1
-\t-\t-\t-
</positive>
</QApairs>
<QApairs id='1.5'>
<question>
Where\t?
WP\t.
X\tX
1\t1
-\t-
</question>
<positive>
Here\t.
NN\t.
X\tX
1\t1
-\t-
</positive>
</QApairs>
"""
TSV = (
    "qid\tquestion\tsentence\tlabel\n1.4\tWho runs AT&T ?\tA < B .\t0\n"
    "1.4\tWho runs AT&T ?\tAda runs AT&T .\t1\n1.4\tWhere ?\tHere .\t1\n"
)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_both_forms_give_the_same(tmp_path):
    for data in (read_trec_qa(write(tmp_path / "dev.xml", BLOCKS)), read_trec_qa(write(tmp_path / "dev.tsv", TSV))):
        assert data.questions == ("Who runs AT&T ?", "Where ?")
        assert data.answers == ("A < B .", "Ada runs AT&T .", "Here .")
        assert [ids.tolist() for ids in data.gold] == [[1], [2]]
        assert [ids.tolist() for ids in data.pools] == [[0, 1], [2]]
        assert data.with_right_and_wrong_answers().questions == ("Who runs AT&T ?",)


def test_two_blocks_with_the_same_id_and_question_stay_two(tmp_path):
    data = read_trec_qa(write(tmp_path / "d.xml", BLOCKS + BLOCKS))
    assert len(data.questions) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("</negative>\n", ""), r"line 15: expected </negative>. Received: '<positive>'"),
        (("<negative>\nA", "<maybe>\nA"), r"line 9: expected <QApairs"),
        (("</QApairs>\n<QApairs id='1.5'>", "<QApairs id='1.5'>"), r"line 23: expected </QApairs> first"),
        (
            ("1\t1\n-\t-\n</positive>\n</QApairs>\n", "1\t1\n-\t-\n</positive>\n"),
            r"expected </QApairs> before the file's end",
        ),
        (("<positive>\nHere\t.\nNN\t.\nX\tX\n1\t1\n-\t-\n", "<positive>\n"), r"line 33: expected a line of tokens"),
    ],
)
def test_errors_in_blocks_name_the_line(tmp_path, change, message):
    broken = BLOCKS.replace(*change)
    assert broken != BLOCKS
    with pytest.raises(ValueError, match=message):
        read_trec_qa(write(tmp_path / "d.xml", broken))


def test_errors_in_the_tab_separated_form_name_the_line(tmp_path):
    with pytest.raises(ValueError, match=r"d\.tsv, line 3: expected a label"):
        read_trec_qa(write(tmp_path / "d.tsv", TSV.replace("AT&T .\t1", "AT&T .\tx")))
    with pytest.raises(ValueError, match=r"line 1: expected the header"):
        read_trec_qa(write(tmp_path / "d.tsv", TSV[4:].replace("question\tsentence", "id\tquestion\tsentence")))

"""InsuranceQA v1 and v2, in files that the test writes as the publisher does."""

import gzip

import pytest

from keras_attention.data.insurance_qa_v1 import read_insurance_qa_v1
from keras_attention.data.insurance_qa_v2 import read_insurance_qa_v2

VOCABULARY = "idx_3\tMedicare\nidx_1\tdoes\nidx_2\tpay?\nidx_4\tno,\n"
V1 = {
    "vocabulary": VOCABULARY,
    "answers.label.token_idx": "1\tidx_4 idx_3\n2\tidx_1\n3\tidx_1 idx_2\n",
    "question.train.token_idx.label": "idx_1 idx_3 idx_2\t3 1\n",
    "question.dev.label.token_idx.pool": "2\tidx_3\t1 2 3\n",
}
V2 = {
    "vocabulary": VOCABULARY,
    "InsuranceQA.label2answer.raw.encoded": V1["answers.label.token_idx"],
    "InsuranceQA.question.anslabel.raw.100.pool.solr.valid.encoded": (
        "medicare-insurance\tidx_1 idx_3 idx_2\t3\t2 1\nmedicare-insurance\tidx_2\t2 1\t1 3\n"
    ),
}


def write(folder, files, packed=False, **changes):
    for name, content in files.items():
        for key, (old, new) in changes.items():
            if key in name:
                assert old in content
                content = content.replace(old, new)
        if packed:
            (folder / (name + ".gz")).write_bytes(gzip.compress(content.encode()))
        else:
            (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_version_1(tmp_path, packed):
    write(tmp_path, V1, packed)
    train, dev = read_insurance_qa_v1(tmp_path, "train"), read_insurance_qa_v1(tmp_path, "dev")
    assert train.questions == ("does Medicare pay?",)
    assert train.answers == dev.answers == ("no, Medicare", "does", "does pay?")
    assert train.gold[0].tolist() == [2, 0]
    assert train.pools is None
    assert (dev.questions[0], dev.gold[0].tolist(), dev.pools[0].tolist()) == ("Medicare", [1], [0, 1, 2])


@pytest.mark.parametrize("packed", [False, True])
def test_version_2_and_its_protocols(tmp_path, packed):
    data = read_insurance_qa_v2(write(tmp_path, V2, packed), "valid")
    assert data.questions == ("does Medicare pay?", "pay?")
    assert [ids.tolist() for ids in data.gold] == [[2], [1, 0]]
    assert [ids.tolist() for ids in data.pools] == [[1, 0], [0, 2]]
    assert data.with_right_answer().questions == ("pay?",)
    (tmp_path / "random.tsv").write_text("1\t1 2\t3 2 1\n0\t3\t1 3\n")
    drawn = read_insurance_qa_v2(tmp_path, "valid", pools_path=tmp_path / "random.tsv")
    assert [ids.tolist() for ids in drawn.pools] == [[0, 2], [2, 1, 0]]
    assert len(drawn.with_right_answer().questions) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary": ("idx_1\t", "1\t")}, r"vocabulary, line 2: expected indices idx_N"),
        ({"vocabulary": ("idx_1\t", "idx_3\t")}, r"vocabulary, line 2: expected indices idx_N, each once"),
        ({"label2answer": ("idx_2", "idx_9")}, r"encoded, line 3: expected indices of the vocabulary. .*'idx_9'"),
        ({"label2answer": ("3\t", "2\t")}, r"encoded, line 3: expected one id, not given before"),
        ({"anslabel": ("1 3", "1 4")}, r"encoded, line 2: expected ids of known answers. Received: \[4\]"),
        ({"anslabel": ("\t2 1\t", " 2 1\t")}, r"encoded, line 2: expected 4 tab-separated fields"),
        ({"anslabel": ("2 1\n", "2 one\n")}, r"encoded, line 1: expected ids"),
    ],
)
def test_errors_name_file_and_line(tmp_path, changes, message):
    write(tmp_path, V2, **changes)
    with pytest.raises(ValueError, match=message):
        read_insurance_qa_v2(tmp_path, "valid")


def test_pools_that_do_not_fit_are_refused(tmp_path):
    write(tmp_path, V2)
    path = tmp_path / "pools.tsv"
    for content, message in [
        ("0\t3\t1 3\n", r"none for questions \[1\]"),
        ("0\t3\t1 3\n0\t3\t1 3\n", r"line 2: expected each question number from 0 to 1 once. Received: '0'"),
        ("2\t3\t1 3\n", "line 1: .* Received: '2'"),
        ("0\t1\t1 3\n", "line 1: expected the right answers of question 0"),
    ]:
        path.write_text(content)
        with pytest.raises(ValueError, match=message):
            read_insurance_qa_v2(tmp_path, "valid", pools_path=path)


def test_missing_and_ambiguous_files(tmp_path):
    with pytest.raises(ValueError, match=r"raw\.\*\.pool\.solr\.train\.encoded.*none"):
        read_insurance_qa_v2(write(tmp_path, V2), "train")
    (tmp_path / "InsuranceQA.question.anslabel.raw.500.pool.solr.valid.encoded").write_text("d\tidx_1\t1\t1\n")
    with pytest.raises(ValueError, match="pool_size chooses"):
        read_insurance_qa_v2(tmp_path, "valid")
    assert len(read_insurance_qa_v2(tmp_path, "valid", pool_size=500).questions) == 1
    with pytest.raises(ValueError, match="split='dev'"):
        read_insurance_qa_v2(tmp_path, "dev")
    with pytest.raises(ValueError, match="split='valid'"):
        read_insurance_qa_v1(tmp_path, "valid")

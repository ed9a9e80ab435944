import gzip

import pytest

from keras_attention.data import read_parallel, read_tsv


def write(path, data):
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_reads_lines_as_they_stand(tmp_path):
    # Not every character that Python calls a line end is one; an empty line in the middle keeps the numbers together.
    source = write(tmp_path / "a.de", "eins\u2028zwei\n\n  drei \r\nvier".encode())
    target = write(tmp_path / "a.en.gz", b"one two\nempty\nthree\nfour\n")
    corpus = read_parallel(source, tmp_path / "a.en")
    assert corpus.sources == ["eins\u2028zwei", "", "  drei ", "vier"]
    assert corpus.targets == ["one two", "empty", "three", "four"]
    assert read_parallel(source, target) == corpus


def test_different_numbers_of_lines(tmp_path):
    a, b = write(tmp_path / "a", b"x\ny\nz\n"), write(tmp_path / "b", b"x\ny\n")
    with pytest.raises(ValueError, match=r"a with 3 lines, .*b with 2 lines"):
        read_parallel(a, b)


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n"])
def test_an_empty_file(tmp_path, content):
    full, empty = write(tmp_path / "full", b"x\n"), write(tmp_path / "hollow", content)
    for paths in ((full, empty), (empty, full)):
        with pytest.raises(ValueError, match="hollow: expected one sentence a line"):
            read_parallel(*paths)


def test_bytes_that_are_not_utf8(tmp_path):
    good, bad = write(tmp_path / "good", b"x\ny\n"), write(tmp_path / "bad", b"x\ncaf\xe9\n")
    with pytest.raises(ValueError, match="bad, line 2: expected UTF-8"):
        read_parallel(good, bad)
    with pytest.raises(ValueError, match=r"bad\.tsv, line 2: expected UTF-8"):
        read_tsv(write(tmp_path / "bad.tsv", b"x\ty\ncaf\xe9\tz\n"))


def test_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match=r"nothing', which does not exist"):
        read_parallel(tmp_path / "nothing", tmp_path / "nothing")
    with pytest.raises(ValueError, match="does not exist"):
        read_tsv(tmp_path / "nothing")


def test_tsv(tmp_path):
    path = write(tmp_path / "a.tsv.gz", b"Go.\tVa !\tCC-BY\nHi.\tSalut !\tCC-BY\n")
    assert read_tsv(path) == (["Go.", "Hi."], ["Va !", "Salut !"])
    assert read_tsv(path, 1, 0) == (["Va !", "Salut !"], ["Go.", "Hi."])
    assert read_tsv(path, 0, 2).targets == ["CC-BY", "CC-BY"]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "an empty file"),
        (b"Go.\n", "line 1: expected at least 2 tab-separated fields. Received: 1"),
        (b"a\tb\nc\n", "line 2: expected 2 tab-separated fields. Received: 1: 'c'"),
        (b"a\tb\nc\td\te\n", "line 2: expected 2 tab-separated fields. Received: 3"),
        (b"a\tb\n\nc\td\n", "line 2: expected 2 tab-separated fields. Received: 1: ''"),
    ],
)
def test_malformed_tsv(tmp_path, content, message):
    with pytest.raises(ValueError, match=f"a.tsv.*{message}"):
        read_tsv(write(tmp_path / "a.tsv", content))


def test_columns_count_from_zero(tmp_path):
    with pytest.raises(ValueError, match="source_column=-1"):
        read_tsv(write(tmp_path / "a.tsv", b"a\tb\n"), source_column=-1)

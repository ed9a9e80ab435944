"""Lines of plain and gzipped files, and complaints that name file and line."""

import gzip

import pytest

from keras_attention.data.text_lines import find_file, numbered_lines, parse_ids, parse_label, tab_separated_lines


def test_plain_and_gzipped_give_the_same_lines(tmp_path):
    content = "\ufeffa\tb\r\nc\u2028d\t\u00e9\n"
    (tmp_path / "plain").write_bytes(content.encode())
    (tmp_path / "packed.gz").write_bytes(gzip.compress(content.encode()))
    expected = [(1, "a\tb"), (2, "c\u2028d\t\u00e9")]
    assert list(numbered_lines(tmp_path / "plain")) == expected
    assert list(numbered_lines(tmp_path / "packed")) == expected
    assert find_file(tmp_path / "packed").name == "packed.gz"


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path):
    path = tmp_path / "latin"
    path.write_bytes(b"good\nna\xefve\n")
    with pytest.raises(ValueError, match=r"latin, line 2: expected UTF-8"):
        list(numbered_lines(path))


def test_missing_damaged_and_empty_files(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        list(numbered_lines(tmp_path / "nowhere"))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"line\n" * 1000)[:-10])
    with pytest.raises(ValueError, match=r"cut\.gz, after line \d+: the file cannot be read"):
        list(numbered_lines(tmp_path / "cut.gz"))
    (tmp_path / "empty").write_text("")
    with pytest.raises(ValueError, match="empty file"):
        list(tab_separated_lines(tmp_path / "empty", 2))


def test_the_number_of_fields_is_held(tmp_path):
    (tmp_path / "t").write_text("a\tb\n\na\tb\tc\n")
    with pytest.raises(ValueError, match=r"t, line 2: expected 2 tab-separated fields. Received: 1"):
        list(tab_separated_lines(tmp_path / "t", 2))
    with pytest.raises(ValueError, match=r"t, line 3: expected 2 tab-separated fields. Received: 3"):
        list(tab_separated_lines(tmp_path / "t", 2, skip_empty=True))


def test_labels_and_ids():
    assert parse_label("1", "f", 3) == 1
    assert parse_ids("4 5", "f", 3) == [4, 5]
    with pytest.raises(ValueError, match="f, line 3: expected a label"):
        parse_label("2", "f", 3)
    with pytest.raises(ValueError, match="f, line 3: expected ids"):
        parse_ids("4 five", "f", 3)

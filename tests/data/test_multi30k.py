import gzip

import pytest

from keras_attention.data import load_multi30k


def test_reads_the_published_layout_plain_and_gzipped(tmp_path):
    for name in ("train", "val", "test_2016_flickr"):
        (tmp_path / f"{name}.de").write_text(f"{name} ein Hund\nzwei\n", encoding="utf-8")
        (tmp_path / f"{name}.en.gz").write_bytes(gzip.compress(f"{name} a dog\ntwo\n".encode()))
    assert load_multi30k(tmp_path, "train") == (["train ein Hund", "zwei"], ["train a dog", "two"])
    assert load_multi30k(tmp_path, "validation").sources[0] == "val ein Hund"
    assert load_multi30k(str(tmp_path), "test", source="en", target="de").sources[0] == "test_2016_flickr a dog"


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="split='val'"):
        load_multi30k(tmp_path, "val")
    with pytest.raises(ValueError, match="target='xx'"):
        load_multi30k(tmp_path, "train", target="xx")
    with pytest.raises(ValueError, match="two languages"):
        load_multi30k(tmp_path, "train", source="en", target="en")
    with pytest.raises(ValueError, match=r"train\.de"):
        load_multi30k(tmp_path, "train")

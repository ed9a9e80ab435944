import gzip
import hashlib
import sys
import zipfile

import pytest

from keras_attention.data import load_tatoeba
from keras_attention.datasets import draw_tatoeba
from keras_attention.datasets.draw_tatoeba import (
    SIZE_LIMIT,
    SPLITS,
    TATOEBA_FOLDER,
    draw,
    english_key,
    read_archive,
    split_of,
    write_splits,
)


@pytest.fixture(scope="module")
def corpus():
    return {split: load_tatoeba(split) for split in SPLITS}


def test_counts_and_sizes(corpus):
    assert {split: len(pairs.sources) for split, pairs in corpus.items()} == {
        "train": 163_893,
        "validation": 1_027,
        "test": 2_210,
    }
    files = [path for path in TATOEBA_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= SIZE_LIMIT == 3_000_000
    assert "CC BY 2.0" in (TATOEBA_FOLDER / "README.md").read_text(encoding="utf-8")


def test_no_english_sentence_stands_in_two_splits(corpus):
    keys = {split: {english_key(sentence) for sentence in pairs.sources} for split, pairs in corpus.items()}
    assert all(keys.values())
    assert keys["train"].isdisjoint(keys["validation"])
    assert keys["train"].isdisjoint(keys["test"])
    assert keys["validation"].isdisjoint(keys["test"])


def test_every_pair_stands_where_its_hash_says(corpus):
    for split, pairs in corpus.items():
        assert {split_of(sentence) for sentence in pairs.sources} == {split}


def test_drawing_again_gives_the_same_files(corpus, tmp_path):
    pairs = [pair for split in reversed(SPLITS) for pair in zip(*corpus[split])]
    splits = draw(pairs)
    write_splits(splits, tmp_path / "once")
    write_splits(splits, tmp_path / "twice")
    for split in SPLITS:
        name = f"{split}.tsv.gz"
        assert gzip.decompress((tmp_path / "once" / name).read_bytes()) == gzip.decompress(
            (TATOEBA_FOLDER / name).read_bytes()
        )
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_neither_length_nor_difficulty_decides(corpus):
    means = {split: sum(map(len, pairs.sources)) / len(pairs.sources) for split, pairs in corpus.items()}
    assert means["test"] == pytest.approx(means["train"], rel=0.03)
    assert means["validation"] == pytest.approx(means["train"], rel=0.05)


def test_the_key_is_letters_and_digits_folded():
    assert english_key("Don't  GO at 5 o'clock!") == "dontgoat5oclock"
    assert english_key("ﬁne") == english_key("FINE.") == "fine"
    assert english_key(" ?! ") == "?!"


def test_the_hash_is_the_one_described():
    place = int.from_bytes(hashlib.blake2b(b"go", digest_size=8).digest(), "big") / 2**64
    assert place > 0.02
    assert split_of("Go.") == "train"
    held_out = 0.0134 + 0.0064
    assert split_of("Go.", (place - held_out) / (1 - held_out) - 1e-9) is None
    assert split_of("Go.", (place - held_out) / (1 - held_out) + 1e-9) == "train"


def write_archive(path, text, member="fra.txt"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text)
    return path


def test_archives_of_both_editions(tmp_path):
    old = write_archive(tmp_path / "old.zip", "Go.\tVa !\nHi.\tSalut !\n", "fra-eng/fra.txt")
    new = write_archive(tmp_path / "new.zip", "Go.\tVa !\tCC-BY 2.0\nHi.\tSalut !\tCC-BY 2.0\n")
    assert read_archive(old) == read_archive(new) == [("Go.", "Va !"), ("Hi.", "Salut !")]


def test_command(tmp_path, monkeypatch, capsys):
    archive = write_archive(tmp_path / "fra-eng.zip", "Go.\tVa !\nGo.\tBouge !\n")
    monkeypatch.setattr(sys, "argv", ["draw_tatoeba", str(archive), "--directory", str(tmp_path / "out")])
    draw_tatoeba.main()
    assert "train: 2 pairs, 1 English sentences" in capsys.readouterr().out
    assert gzip.decompress((tmp_path / "out" / "train.tsv.gz").read_bytes()).decode() == "Go.\tBouge !\nGo.\tVa !\n"


def test_errors(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"expected a member fra\.txt"):
        read_archive(write_archive(tmp_path / "a.zip", "x", "other.txt"))
    with pytest.raises(ValueError, match="line 2: expected English TAB French"):
        read_archive(write_archive(tmp_path / "b.zip", "a\tb\nc\n"))
    with pytest.raises(ValueError, match="UTF-8"):
        read_archive(write_archive(tmp_path / "c.zip", b"\xff\tb\n"))
    (tmp_path / "d.zip").write_bytes(b"no archive")
    for path in (tmp_path / "d.zip", tmp_path / "missing.zip"):
        with pytest.raises(ValueError, match="expected an archive"):
            read_archive(path)
    monkeypatch.setattr(draw_tatoeba, "SIZE_LIMIT", 10)
    with pytest.raises(ValueError, match="at most 10 bytes"):
        write_splits({"train": [("a", "b")]}, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.gz"))

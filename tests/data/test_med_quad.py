"""The embedded corpus as it ships, and files of its form."""

import itertools

import numpy
import pytest

from keras_attention.data.med_quad import SPLITS, med_quad_directory, read_med_quad
from keras_attention.data.word_vectors import read_word_vectors


def normal(text):
    return " ".join(text.lower().split())


@pytest.fixture(scope="module")
def parts():
    return {split: read_med_quad(split) for split in SPLITS}


def test_the_corpus_is_small_and_carries_its_licences():
    files = [path for path in med_quad_directory().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3_000_000
    names = {path.name for path in files}
    assert {"README.md", "LICENSE.CC-BY-4.0.txt", "LICENSE.PDDL-1.0.txt"} <= names
    text = (med_quad_directory() / "README.md").read_text()
    assert "Ben Abacha" in text
    assert "Attribution 4.0" in text


def test_nothing_stands_in_two_parts_or_twice_in_one(parts):
    for texts in ("questions", "answers"):
        sets = []
        for data in parts.values():
            sets.append({normal(text) for text in getattr(data, texts)})
            assert len(sets[-1]) == len(getattr(data, texts))
        for one, other in itertools.combinations(sets, 2):
            assert not one & other


def test_pools(parts):
    for split, data in parts.items():
        assert len(data.questions) > 500, split
        for pool, gold in zip(data.pools, data.gold):
            assert len(set(pool.tolist())) == len(pool) == 20
            assert set(gold) <= set(pool)
            assert len(gold) < 20


def test_all_is_the_three_parts_one_after_the_other(parts):
    whole = read_med_quad("all")
    assert whole.answers == tuple(answer for split in SPLITS for answer in parts[split].answers)
    question = len(parts["train"].questions)
    begin = len(parts["train"].answers)
    assert whole.questions[question] == parts["validation"].questions[0]
    numpy.testing.assert_array_equal(whole.pools[question] - begin, parts["validation"].pools[0])


def test_the_vectors_cover_the_corpus(parts):
    words = ["", "symptoms", "syndrome", "inherited", "gene"]
    folder = med_quad_directory()
    vectors, found = read_word_vectors(folder / "vectors.npy", words, vocabulary_path=folder / "vectors.words.txt")
    assert vectors.shape == (5, 50)
    assert found.tolist() == [False, True, True, True, True]
    symptoms, syndrome, inherited, gene = vectors[1:] / numpy.linalg.norm(vectors[1:], axis=1, keepdims=True)
    assert symptoms @ syndrome > symptoms @ gene
    assert inherited @ gene > inherited @ symptoms


def test_errors_name_file_and_line(tmp_path):
    (tmp_path / "test.answers.tsv").write_text("id\tsource\tfocus\tanswer\n0\ts\tf\tyes\n1\ts\tf\tno\n")
    (tmp_path / "test.questions.tsv").write_text("type\tquestion\tright\tpool\nt\tq\t0\t0 1\n")
    assert read_med_quad("test", tmp_path).answers == ("yes", "no")
    (tmp_path / "test.questions.tsv").write_text("type\tquestion\tright\tpool\nt\tq\t0\t0 2\n")
    with pytest.raises(ValueError, match=r"questions\.tsv, line 2: expected ids from 0 to 1"):
        read_med_quad("test", tmp_path)
    (tmp_path / "test.answers.tsv").write_text("id\tsource\tfocus\tanswer\n1\ts\tf\tyes\n")
    with pytest.raises(ValueError, match=r"answers\.tsv, line 2: expected the id 0"):
        read_med_quad("test", tmp_path)
    with pytest.raises(ValueError, match="split='dev'"):
        read_med_quad("dev")

"""The script that draws the embedded corpus, on a small table of the published form."""

import numpy
import pytest

from keras_attention.data.med_quad import SPLITS, read_med_quad
from keras_attention.datasets.draw_medquad import COLUMNS, draw, group_by_focus, hash_number, keep_rows, split_of


def row(focus, question, answer, kind="information", pair="1"):
    return ["Made", "0001", pair, kind, focus, question, answer, "http://example.org"]


def small_table():
    """Return 60 foci of four pairs each and, for the first of them, everything that has to be merged or left out."""
    rows = []
    for number in range(60):
        focus = f"Disease {number}"
        for kind in ("information", "symptoms", "treatment", "outlook"):
            rows.append(row(focus, f"What {kind} of {focus} ?", f"The {kind} of {focus} .", kind))
    rows += [
        row("Disease 0", "what  INFORMATION of disease 0 ?", "Another answer about Disease 0 ."),
        row("disease 0", "What else ?", "the symptoms of  disease 0 ."),
        row("Disease 0", "How long ?", "long " * 151),
        row("Disease 0", "What is general ?", "General ."),
        row("Disease 1", "What is general, again ?", "general ."),
        row("", "No focus ?", "None ."),
        row("Rare", "One answer ?", "Only one ."),
        row("Alias of 2", "What outlook of Disease 2 ?", "The alias's answer ."),
    ]
    return rows


def write(path, rows):
    path.write_text("".join("\t".join(fields) + "\n" for fields in [COLUMNS, *rows]), encoding="utf-8")
    return path


@pytest.fixture
def drawn(tmp_path):
    table = write(tmp_path / "table.tsv", small_table())
    numpy.save(tmp_path / "v.npy", numpy.arange(8, dtype="float32").reshape(4, 2))
    (tmp_path / "w.txt").write_text("disease\nabsent\noutlook\n?\n")
    draw(table, tmp_path / "out", tmp_path / "v.npy", tmp_path / "w.txt")
    return tmp_path / "out"


def test_merged_and_left_out(drawn):
    data = read_med_quad("all", drawn)
    assert len(data.questions) == len({q.lower() for q in data.questions})
    texts = " ".join((*data.questions, *data.answers)).lower()
    for absent in ("general", "none .", "only one", "how long"):
        assert absent not in texts
    place = data.questions.index("What information of Disease 0 ?")
    right = {data.answers[i] for i in data.gold[place]}
    assert right == {"The information of Disease 0 .", "Another answer about Disease 0 ."}
    place = data.questions.index("What else ?")
    assert [data.answers[i] for i in data.gold[place]] == ["The symptoms of Disease 0 ."]
    place = data.questions.index("What outlook of Disease 2 ?")
    assert {data.answers[i] for i in data.gold[place]} == {"The outlook of Disease 2 .", "The alias's answer ."}


def test_pools_hold_the_answers_of_the_same_focus_and_are_full(drawn):
    for split in SPLITS:
        data = read_med_quad(split, drawn)
        for question, pool in zip(data.questions, data.pools):
            assert len(pool) == min(20, len(data.answers))
            if "Disease" in question:
                focus = question.split("of ")[1].removesuffix(" ?").lower()
                same = {i for i, answer in enumerate(data.answers) if f"{focus} ." in answer.lower()}
                assert same <= set(pool)


def test_splits_follow_the_hash_of_the_focus(drawn):
    for split in SPLITS:
        for question in read_med_quad(split, drawn).questions:
            if "Disease" in question and "Disease 2 ?" not in question:
                assert split_of(question.split("of ")[1].removesuffix(" ?").lower()) == split
    assert hash_number("a") == 0xCA978112CA1BBDCA


def test_the_same_table_gives_the_same_bytes(drawn, tmp_path):
    draw(tmp_path / "table.tsv", tmp_path / "again", tmp_path / "v.npy", tmp_path / "w.txt")
    for path in drawn.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_only_the_vectors_of_the_corpus_are_kept(drawn):
    assert (drawn / "vectors.words.txt").read_text() == "disease\noutlook\n?\n"
    vectors = numpy.load(drawn / "vectors.npy")
    assert vectors.dtype == "float16"
    assert vectors.tolist() == [[0, 1], [4, 5], [6, 7]]


def test_foci_are_joined_through_a_chain_of_questions():
    rows = [
        dict(zip(COLUMNS, row(focus, question, f"answer {focus} {question}")))
        for focus, question in [("c", "1"), ("b", "2"), ("a", "1"), ("b", "1"), ("d", "3"), ("d", "4"), ("d", "5")]
    ]
    groups = group_by_focus(keep_rows(rows))
    assert {name: len(members) for name, members in groups.items()} == {"a": 4, "d": 3}


def test_a_malformed_table_is_named_by_line(tmp_path):
    path = write(tmp_path / "table.tsv", [row("f", "q", "a"), row("f", "q", "a")[:-1]])
    with pytest.raises(ValueError, match=r"table\.tsv, line 3: expected the columns"):
        draw(path, tmp_path / "out")

"""Word overlap: its features against a slow loop, what it learns, and its file."""

import itertools
import json
import re

import numpy as np
import pytest

from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.retrieval import WordOverlap, word_overlap

ANSWERS = [
    "Ada Lovelace wrote the notes in 1843 .",
    "The notes were long",
    "12 people wrote to Ada , and Ada wrote back",
    "",
    "ada lovelace wrote notes",
    "x " * 80 + "notes",
]


VECTOR_WORDS = ("notes", "letters", "wrote", "ada", "people", "long", "who")
VECTORS = np.array(
    [[3, 1, 0], [2, 1, 0.5], [0, 2, -1], [1, 0, 1], [-1, 0.5, 2], [0, 0, 0], [1, 1, 1]], dtype="float32"
)  # that of "long" has no direction


def make_data():
    """Questions about the year and about the person: the same words, another form is right."""
    names = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Finn"]
    questions, answers, gold, pools = [], [], [], []
    for number, name in enumerate(names):
        first = len(answers)
        answers += [f"the bridge opened in {1900 + number}", f"the bridge opened with {name} there", "no bridge"]
        for asked, right in (("when", 0), ("who", 1)):
            questions.append(f"{asked} opened the bridge {name.lower()} ?")
            gold.append([first + right])
            pools.append([first, first + 1, first + 2])
    return AnswerSelectionData(questions, answers, gold, pools)


def slow_features(overlap, question, answer):
    """The features as the docstring says them, pair by pair."""

    def words(text):
        return re.findall(r"[^\W_]+", text)

    asked, held = [w.lower() for w in words(question)], [w.lower() for w in words(answer)]
    kinds = list(dict.fromkeys(asked))
    idf = {word: overlap.inverse_frequencies.get(word, overlap.unknown) for word in kinds}
    shared = [word for word in kinds if word in held]
    pairs, neighbours = set(itertools.pairwise(asked)), set(itertools.pairwise(held))
    weight = sum(idf[word] for word in shared)
    added = [word for word in words(answer) if word.lower() not in kinds]
    form = [
        np.log1p(len(added)) / 4,
        np.log1p(sum(word[0].isupper() for word in added)) / 2,
        float(any(re.search(r"\d", word) for word in added)),
        float(any(re.fullmatch(r"\d{4}", word) for word in added)),
    ]
    values = [
        weight / sum(idf.values()),
        len(shared) / len(kinds),
        weight / 30,
        sum(pair in neighbours for pair in pairs) / max(len(pairs), 1),
        float(len(shared) == len(kinds)),
        next((max(0.0, 1 - np.log1p(place) / 4) for place, word in enumerate(held) if word in kinds), 0.0),
        max(
            sum(idf[word] for word in kinds if word in held[start : start + 12]) / sum(idf.values())
            for start in range(max(1, len(held)))
        ),
        *(slow_likeness(overlap, kinds, held) if overlap.vectors is not None else ()),
        *form,
    ]
    for cue in overlap.cues:
        values += [value * (cue in asked) for value in form]
    return values


def slow_likeness(overlap, kinds, held):
    """The two features by word vectors, word by word."""

    def idf(word):
        return overlap.inverse_frequencies.get(word, overlap.unknown)

    def vector(word):
        if word not in overlap.vector_words:
            return np.zeros(3)
        given = VECTORS[overlap.vector_words.index(word)].astype("float64")
        return given / (np.linalg.norm(given) or 1.0)

    soft = 0.0
    for word in kinds:
        cosines = [float(vector(word) @ vector(other)) for other in held]
        soft += idf(word) * (1.0 if word in held else max([0.0, *cosines]))
    question = sum(idf(word) * vector(word) for word in kinds)
    answer = sum((idf(word) * vector(word) for word in held), np.zeros(3))
    length = np.linalg.norm(question) * np.linalg.norm(answer)
    return soft / sum(idf(word) for word in kinds), question @ answer / length if length else 0.0


@pytest.mark.parametrize(
    "question", ["Who wrote the notes ?", "notes", "ada wrote ada wrote notes in 1843", "nobody knows xyzzy"]
)
def test_features_are_those_of_a_slow_loop(question):
    overlap = WordOverlap({"notes": 2.0, "wrote": 1.0, "the": 0.05, "ada": 3.0}, 5.0, ("who", "notes"), np.zeros(19))
    found = overlap.features(question, ANSWERS)
    np.testing.assert_allclose(found, [slow_features(overlap, question, answer) for answer in ANSWERS], atol=1e-12)
    assert len(overlap.feature_names) == found.shape[1]
    assert overlap.feature_names[11] == "who: words"


@pytest.mark.parametrize(
    "question",
    ["Who wrote the notes ?", "letters", "long people", "ada wrote ada letters in 1843", "nobody knows xyzzy"],
)
def test_features_by_vectors_are_those_of_a_slow_loop(question):
    overlap = WordOverlap(
        {"notes": 2.0, "wrote": 1.0, "the": 0.05, "ada": 3.0, "letters": 4.0}, 5.0, ("who",), np.zeros(17),
        vector_words=VECTOR_WORDS, vectors=VECTORS,
    )  # fmt: skip
    found = overlap.features(question, ANSWERS)
    np.testing.assert_allclose(found, [slow_features(overlap, question, answer) for answer in ANSWERS], atol=1e-6)
    assert overlap.feature_names[7:9] == ("soft share", "cosine")
    assert overlap.features("letters", ["some notes", "some people"])[:, 7].argmax() == 0
    assert not overlap.features("?!", ANSWERS)[:, :9].any()
    assert overlap.features(question, []).shape == (0, 17)


def test_a_window_of_twelve_words():
    """Two shared words count together among twelve neighbours, not in two answers and not further apart."""
    overlap = WordOverlap({"a": 1.0, "b": 3.0}, 5.0, (), np.zeros(11))
    answers = ["a" + " x" * 10 + " b", "a" + " x" * 11 + " b", "x a", "b x", "a b a", ""]
    shares = overlap.features("a b", answers)[:, overlap.feature_names.index("share in a window")]
    np.testing.assert_allclose(shares, [1, 0.75, 0.25, 0.75, 1, 0])


def test_a_question_without_words_shares_nothing():
    overlap = WordOverlap({}, 1.0, (), np.zeros(11))
    assert not overlap.features("?!", ANSWERS)[:, :7].any()


def test_it_learns_which_form_a_cue_wants():
    overlap = WordOverlap.train(make_data())
    weights = dict(zip(overlap.feature_names, overlap.weights))
    assert weights["when: year"] > weights["who: year"]
    answers = ["it opened in 1850", "it opened with Gus there"]
    scores = overlap.score_pools(["when did it open ?", "who was it ?"], answers, np.array([[0, 1], [0, 1]]))
    assert scores.argmax(axis=1).tolist() == [0, 1]


def test_scores_are_those_of_pairs_alone():
    overlap = WordOverlap.train(make_data())
    pools = np.array([[4, 0, -1], [-1, -1, -1], [1, 2, 3]])
    questions = ["who wrote the notes ?", "when ?", "when was it opened ?"]
    scores = overlap.score_pools(questions, ANSWERS, pools)
    assert scores.dtype == np.float32
    assert scores.shape == (3, 3)
    assert not scores[pools < 0].any()
    for row, column in zip(*np.nonzero(pools >= 0)):
        alone = overlap.score_pools([questions[row]], [ANSWERS[pools[row, column]]], np.array([[0]]))
        assert scores[row, column] == pytest.approx(alone[0, 0], abs=1e-6)
    assert overlap.score_pools([], ANSWERS, np.zeros((0, 3), int)).shape == (0, 3)


def test_a_stemmer_finds_the_other_form_of_a_word():
    pytest.importorskip("Stemmer")
    plain, stemmed = WordOverlap.train(make_data()), WordOverlap.train(make_data(), stemmer="english")
    assert plain.features("bridges", ["a bridge"])[0, 1] == 0
    assert stemmed.features("bridges", ["a bridge"])[0, 1] == 1


def test_the_first_spelling_of_a_stem_gives_its_vector():
    pytest.importorskip("Stemmer")
    words, vectors = ("wrote", "letter", "letters", "notes"), np.array([[1, 0], [0, 1], [1, 0], [1, 0.1]], "float32")
    overlap = WordOverlap.train(make_data(), stemmer="english", vector_words=words, vectors=vectors)
    column = overlap.feature_names.index("soft share")
    for question, is_like in (("letters letter", True), ("letter letters", False)):
        assert (overlap.features(question, ["notes"])[0, column] > 0.5) == is_like


def test_the_file(tmp_path):
    overlap = WordOverlap.train(make_data())
    overlap.weight = 0.25
    overlap.save(tmp_path / "overlap.json")
    loaded = WordOverlap.load(tmp_path / "overlap.json")
    pools = np.array([[0, 1, 2, 3, 4]])
    expected = overlap.score_pools(["when was it ?"], ANSWERS, pools)
    np.testing.assert_array_equal(loaded.score_pools(["when was it ?"], ANSWERS, pools), expected)
    assert (loaded.weight, loaded.stemmer, loaded.cues) == (0.25, None, overlap.cues)
    assert [path.name for path in tmp_path.iterdir()] == ["overlap.json"]


def test_the_file_with_vectors(tmp_path):
    overlap = WordOverlap.train(make_data(), vector_words=VECTOR_WORDS, vectors=VECTORS)
    overlap.save(tmp_path / "overlap.json")
    loaded = WordOverlap.load(tmp_path / "overlap.json")
    pools = np.array([[0, 1, 2, 3, 4]])
    expected = overlap.score_pools(["who wrote letters ?"], ANSWERS, pools)
    assert len(set(expected[0].tolist())) > 2
    np.testing.assert_allclose(loaded.score_pools(["who wrote letters ?"], ANSWERS, pools), expected, rtol=1e-5)
    other = WordOverlap.train(make_data(), vector_words=VECTOR_WORDS, vectors=VECTORS[::-1])
    other.save(tmp_path / "overlap.bak")  # has vectors of its own
    np.testing.assert_array_equal(WordOverlap.load(tmp_path / "overlap.json").vectors, loaded.vectors)
    path = tmp_path / "overlap.json.vectors.npy"
    for content in (path.read_bytes()[:-8], b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"overlap\.json: expected a file written by WordOverlap\.save"):
            WordOverlap.load(tmp_path / "overlap.json")
    path.unlink()
    with pytest.raises(ValueError, match=r"overlap\.json\.vectors\.npy"):
        WordOverlap.load(tmp_path / "overlap.json")


def test_a_file_with_other_features_is_refused_by_name(tmp_path):
    WordOverlap.train(make_data()).save(tmp_path / "overlap.json")
    content = json.loads((tmp_path / "overlap.json").read_text())
    content["weights"] = content["weights"][1:]
    (tmp_path / "overlap.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"overlap\.json: .* of this version.*weights must be"):
        WordOverlap.load(tmp_path / "overlap.json")


def test_many_pairs_are_fitted_to_a_part(monkeypatch):
    monkeypatch.setattr(word_overlap, "_MOST_PAIRS", 12)
    kept = word_overlap._some_questions(np.array([5, 0, 5, 5, 1]))
    assert 1 not in kept
    assert len(kept) >= 2
    assert np.array([5, 0, 5, 5, 1])[kept].sum() <= 12
    assert word_overlap._some_questions(np.array([40])).tolist() == [0]
    assert np.isfinite(WordOverlap.train(make_data()).weights).all()


def test_errors(tmp_path):
    data = make_data()
    with pytest.raises(ValueError, match="pools=None"):
        WordOverlap.train(AnswerSelectionData(data.questions, data.answers, data.gold))
    with pytest.raises(ValueError, match=r"weights must be \(11,\)"):
        WordOverlap({}, 1.0, (), np.zeros(8))
    for words, vectors in ((["a"], np.zeros((2, 3))), (["a"], None), ([], np.zeros((0, 3)))):
        with pytest.raises(ValueError, match=r"vectors must be finite \(., d\), as vector_words"):
            WordOverlap.train(data, vector_words=words, vectors=vectors)
    overlap = WordOverlap.train(data)
    with pytest.raises(ValueError, match=r"candidates must be \(2, C\)"):
        overlap.score_pools(["a", "b"], ANSWERS, np.array([[0]]))
    with pytest.raises(ValueError, match="below the 6 answers"):
        overlap.score_pools(["a"], ANSWERS, np.array([[6]]))
    with pytest.raises(ValueError, match=r"missing\.json"):
        WordOverlap.load(tmp_path / "missing.json")
    for content in ("[1]", "{", '{"cues": []}'):
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(ValueError, match=r"written by WordOverlap\.save"):
            WordOverlap.load(tmp_path / "other.json")

"""BM25 against its formula, word by word."""

import math
import sys
from collections import Counter

import numpy
import pytest

from keras_attention.retrieval.bm25 import BM25, split_words

ANSWERS = [
    "The cat sat on the mat.",
    "A dog, a dog, and another DOG!",
    "",
    "Cats and dogs",
    "the dog sat",
]


def slow_scores(question, answers, k1, b):
    bags = [Counter(split_words(answer)) for answer in answers]
    mean = sum(sum(bag.values()) for bag in bags) / len(bags)
    scores = []
    for bag in bags:
        score = 0.0
        for word in split_words(question):
            holding = sum(word in other for other in bags)
            idf = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
            norm = k1 * (1 - b + b * sum(bag.values()) / mean)
            score += idf * bag[word] / (bag[word] + norm) if bag[word] else 0.0
        scores.append(score)
    return scores


@pytest.mark.parametrize("question", ["the dog", "DOG dog cat", "sat?", "unknown words", ""])
@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.5, 0.0)])
def test_equal_to_the_formula(question, k1, b):
    scores = BM25(ANSWERS, k1=k1, b=b).scores(question)
    assert scores.dtype == "float32"
    numpy.testing.assert_allclose(scores, slow_scores(question, ANSWERS, k1, b), rtol=1e-5, atol=1e-7)


def test_pools_and_search():
    bm25 = BM25(ANSWERS)
    scores = bm25.scores("the dog")
    pools = bm25.score_pools(["the dog", "cat"], [[4, 1, -1], [0, 0, 3]])
    numpy.testing.assert_array_equal(pools[0], [scores[4], scores[1], 0])
    assert pools[1, 0] == pools[1, 1] > pools[1, 2] == 0
    ids, found = bm25.search("the dog", top_k=3)
    numpy.testing.assert_array_equal(found, numpy.sort(scores)[::-1][:3])
    numpy.testing.assert_array_equal(scores[ids], found)
    assert bm25.search("unknown", top_k=9)[0].tolist() == [0, 1, 2, 3, 4]


def test_the_best_are_those_of_a_stable_sort_of_all():
    """Answers of equal score, and those of score 0, come in order of place, however many are asked for."""
    random = numpy.random.default_rng(0)
    answers = [" ".join(random.choice(["cat", "dog", "cow", "hen"], random.integers(1, 3))) for _ in range(60)]
    bm25 = BM25([*answers, "none of them"])
    for question in ("cat", "cat dog", "hen hen cow", "unheard"):
        scores = bm25.scores(question)
        order = numpy.argsort(-scores, kind="stable")
        for top_k in (1, 2, 7, 40, 60, 61, 100):
            found, found_scores = bm25.search(question, top_k)
            numpy.testing.assert_array_equal(found, order[:top_k])
            numpy.testing.assert_array_equal(found_scores, scores[order[:top_k]])


@pytest.mark.parametrize("memory_map", [False, True])
def test_saved_and_loaded(tmp_path, memory_map):
    bm25 = BM25(ANSWERS, k1=0.9, b=0.3)
    bm25.save(tmp_path / "index")
    loaded = BM25.load(tmp_path / "index", memory_map=memory_map)
    assert len(loaded) == len(bm25) == 5
    for question in ("the dog", "cat unknown", ""):
        numpy.testing.assert_array_equal(loaded.scores(question), bm25.scores(question))
    with pytest.raises(ValueError, match="nothing"):
        BM25.load(tmp_path / "nothing")


def test_words():
    assert split_words("Na\u00efve co-pay_2, 20%") == ["na\u00efve", "co", "pay", "2", "20"]


def test_errors(monkeypatch):
    with pytest.raises(ValueError, match="2 answers without any"):
        BM25(["", "?!"])
    with pytest.raises(ValueError, match="b=2"):
        BM25(["a"], b=2)
    with pytest.raises(ValueError, match="top_k=0"):
        BM25(["a"]).search("a", top_k=0)
    with pytest.raises(ValueError, match="5 among them"):
        BM25(["a"]).score_pools(["a"], [[5]])
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(ImportError, match=r"keras_attention\[selection\]"):
        BM25(["a"])


def test_a_stemmer_takes_forms_of_a_word_together(tmp_path):
    plain, stemming = BM25(ANSWERS), BM25(ANSWERS, k1=0.4, b=0.2, stemmer="english")
    stemmed = [" ".join(stemming._words(answer)) for answer in ANSWERS]
    assert stemmed[3] == "cat and dog"
    expected = slow_scores("cat", stemmed, 0.4, 0.2)
    numpy.testing.assert_allclose(stemming.scores("cats"), expected, rtol=1e-5, atol=1e-7)
    assert (stemming.scores("cats") > 0).tolist() == [True, False, False, True, False]
    assert (plain.scores("cats") > 0).tolist() == [False, False, False, True, False]
    stemming.save(tmp_path)
    numpy.testing.assert_array_equal(BM25.load(tmp_path).scores("cats"), stemming.scores("cats"))
    (tmp_path / "stemmer.json").unlink()  # as written before there were stemmers
    assert BM25.load(tmp_path).stemmer is None


def test_an_unknown_stemmer():
    with pytest.raises(ValueError, match="'klingon'"):
        BM25(ANSWERS, stemmer="klingon")


def test_without_the_stemmers(monkeypatch):
    monkeypatch.setitem(sys.modules, "Stemmer", None)
    with pytest.raises(ImportError, match=r"keras_attention\[selection\]"):
        BM25(ANSWERS, stemmer="english")

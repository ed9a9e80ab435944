"""Approximate search held to the exact one."""

import numpy
import pytest

from keras_attention.retrieval.answer_index import build_answer_index, load_answer_index, save_answer_index

pytest.importorskip("faiss")
RANDOM = numpy.random.default_rng(0)
CENTRES = RANDOM.normal(size=(40, 16))
VECTORS = (CENTRES[RANDOM.integers(0, 40, 4000)] + 0.5 * RANDOM.normal(size=(4000, 16))).astype("float32")
QUESTIONS = (CENTRES[RANDOM.integers(0, 40, 100)] + 0.5 * RANDOM.normal(size=(100, 16))).astype("float32")


def share_found(index, questions):
    found, scores = index.search(questions, 10)
    expected, _ = index.search(questions, 10, approximate=False)
    unit = questions / numpy.linalg.norm(questions, axis=1, keepdims=True)
    for row, ids in enumerate(found):  # what is found has its exact score
        numpy.testing.assert_allclose(scores[row], index.vectors[ids].astype("float32") @ unit[row], atol=1e-5)
    assert (numpy.diff(scores, axis=1) <= 1e-6).all()
    return numpy.mean([numpy.isin(e, f).mean() for e, f in zip(expected, found)])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("tuned_on", [None, QUESTIONS])
def test_the_recall_asked_for_is_reached_without_reading_all(dtype, tuned_on):
    index = build_answer_index({"vector": VECTORS}, dtype=dtype)
    reached = index.make_approximate(0.95, questions=tuned_on)
    assert reached >= 0.95
    assert index.lists.probes < index.lists.index.nlist / 2
    if tuned_on is not None:
        assert share_found(index, QUESTIONS) == pytest.approx(reached)
    else:
        assert share_found(index, QUESTIONS) > 0.9


@pytest.mark.parametrize("count, probes", [(16, 9), (1600, 8)])
def test_few_questions_are_trusted_less(count, probes, monkeypatch):
    """Half of the questions find all, the others a tenth a probe: with 8 the mean is 0.9 +- 0.1 / sqrt(n)."""
    index = build_answer_index({"vector": VECTORS})
    index.make_approximate(0.5)
    expected = numpy.tile(numpy.arange(10), (count, 1))

    def search(questions, top_k):
        missed = (numpy.arange(10) >= index.lists.probes) & (numpy.arange(count) % 2 > 0)[:, None]
        return numpy.where(missed, -1, expected), None

    monkeypatch.setattr(index.lists, "search", search)
    assert index.lists.tune(None, expected, 0.89) == pytest.approx(0.5 + 0.05 * probes)
    assert index.lists.probes == probes


def test_more_recall_reads_more():
    index = build_answer_index({"vector": VECTORS})
    probes = []
    for recall in (0.5, 0.9, 1.0):
        assert index.make_approximate(recall, questions=QUESTIONS) >= recall
        probes.append(index.lists.probes)
    assert probes == sorted(probes)
    assert probes[0] < probes[-1]


def test_the_same_seed_gives_the_same_lists():
    found = []
    for _ in range(2):
        index = build_answer_index({"vector": VECTORS})
        index.make_approximate(0.8)
        found.append(index.search(QUESTIONS, 5)[0])
    numpy.testing.assert_array_equal(*found)


@pytest.mark.parametrize("memory_map", [False, True])
def test_saved_with_the_index(tmp_path, memory_map):
    index = build_answer_index({"vector": VECTORS})
    index.make_approximate(0.9)
    save_answer_index(index, tmp_path / "i")
    again = load_answer_index(tmp_path / "i", memory_map=memory_map)
    assert again.lists.probes == index.lists.probes
    for a, b in zip(again.search(QUESTIONS, 5), index.search(QUESTIONS, 5)):
        numpy.testing.assert_array_equal(a, b)


def test_more_answers_than_the_lists_read_hold():
    index = build_answer_index({"vector": VECTORS})
    index.make_approximate(0.1)
    index.lists.probes = 1
    ids, scores = index.search(QUESTIONS, 3000)
    expected, expected_scores = index.search(QUESTIONS, 3000, approximate=False)
    numpy.testing.assert_array_equal(ids, expected)
    numpy.testing.assert_allclose(scores, expected_scores)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_few_answers(count):
    index = build_answer_index({"vector": VECTORS[:count]})
    assert index.make_approximate(1.0) >= 0
    assert index.search(QUESTIONS, 10)[0].shape == (100, min(10, count))


def test_what_cannot_be():
    index = build_answer_index({"vector": VECTORS})
    with pytest.raises(ValueError, match="make_approximate"):
        index.search(QUESTIONS, approximate=True)
    with pytest.raises(ValueError, match="recall=0"):
        index.make_approximate(0)

"""Both kinds of index against plain numpy, in memory and on disk."""

import sys

import numpy
import pytest

from keras_attention.retrieval import answer_vector_index
from keras_attention.retrieval.answer_feature_index import AnswerFeatureIndex
from keras_attention.retrieval.answer_index import build_answer_index, load_answer_index, save_answer_index

RANDOM = numpy.random.default_rng(0)
VECTORS = RANDOM.normal(size=(50, 8)).astype("float32")
VECTORS[7] = 0
QUESTIONS = RANDOM.normal(size=(6, 8)).astype("float32")
LENGTHS = RANDOM.integers(0, 6, 50)
MASK = numpy.arange(6) < LENGTHS[:, None]
FEATURES = RANDOM.normal(size=(50, 6, 8)).astype("float32")  # Padding holds numbers on purpose.


def cosines():
    norms = numpy.linalg.norm(VECTORS, axis=1)
    unit = VECTORS / numpy.where(norms, norms, 1)[:, None]
    return QUESTIONS / numpy.linalg.norm(QUESTIONS, axis=1, keepdims=True) @ unit.T


def parts(encoded, size=20):
    for begin in range(0, 50, size):
        yield {key: value[begin : begin + size] for key, value in encoded.items()}


def sum_of_products(question, answers):
    """A scorer that padding would change: the sum over real tokens of question . token."""
    return numpy.einsum("kld,d,kl->k", answers["features"], question, answers["mask"].astype("float32"))


@pytest.fixture(params=["memory", "disk", "saved", "mapped"])
def made(request, tmp_path):
    """Return a function that builds an index in one of the four ways."""

    def make(encoded, dtype="float32"):
        if request.param == "memory":
            return build_answer_index(parts(encoded), dtype=dtype)
        if request.param == "disk":
            return build_answer_index(parts(encoded), dtype=dtype, directory=tmp_path / "i")
        save_answer_index(build_answer_index(encoded, dtype=dtype), tmp_path / "i")
        return load_answer_index(tmp_path / "i", memory_map=request.param == "mapped")

    return make


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("block", [7, 65_536])
def test_vectors_are_searched_by_cosine(made, dtype, block, monkeypatch):
    monkeypatch.setattr(answer_vector_index, "_BLOCK", block)
    index = made({"vector": VECTORS}, dtype)
    tolerance = 1e-6 if dtype == "float32" else 2e-3
    assert len(index) == 50
    assert index.bytes == 50 * 8 * (4 if dtype == "float32" else 2)
    ids, scores = index.search({"vector": QUESTIONS}, top_k=10)
    expected = cosines()
    numpy.testing.assert_allclose(scores, numpy.sort(expected, axis=1)[:, ::-1][:, :10], atol=tolerance)
    numpy.testing.assert_allclose(numpy.take_along_axis(expected, ids, 1), scores, atol=tolerance)
    pools = numpy.array([[3, 7, -1]] * 6)
    found = index.score_candidates(QUESTIONS, pools)
    numpy.testing.assert_allclose(found[:, 0], expected[:, 3], atol=tolerance)
    assert not found[:, 1:].any()


@pytest.mark.parametrize("block", [5, 65_536])
@pytest.mark.parametrize("top_k", [1, 3, 4, 11, 12])
def test_equal_answers_keep_their_order(made, top_k, block, monkeypatch):
    """Ten equal answers before and after the two best: whichever of them are among the first, they are the first."""
    monkeypatch.setattr(answer_vector_index, "_BLOCK", block)
    index = made({"vector": numpy.array([[0.6, 0.8]] * 5 + [[1.0, 0.0]] * 2 + [[0.6, 0.8]] * 5)})
    ids, scores = index.search(numpy.array([[1.0, 0.0], [0.0, 0.0]]), top_k=top_k)
    assert ids.tolist() == [[5, 6, 0, 1, 2, 3, 4, 7, 8, 9, 10, 11][:top_k], list(range(top_k))]
    numpy.testing.assert_allclose(scores, [([1.0] * 2 + [0.6] * 10)[:top_k], [0.0] * top_k], atol=1e-6)


def test_more_wanted_than_there_are(made):
    ids, scores = made({"vector": VECTORS}).search(QUESTIONS[0], top_k=99)
    assert sorted(ids[0]) == list(range(50))
    assert (numpy.diff(scores[0]) <= 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_features_are_kept_without_padding(made, dtype):
    index = made({"features": FEATURES, "mask": MASK}, dtype)
    tolerance = 0 if dtype == "float32" else 5e-3
    assert len(index) == 50
    assert index.features.shape == (LENGTHS.sum(), 8)
    numpy.testing.assert_array_equal(index.lengths, LENGTHS)
    gathered = index.gather([4, 4, 20])
    assert gathered["features"].dtype == "float32"
    for row, answer in enumerate([4, 4, 20]):
        length = LENGTHS[answer]
        assert gathered["mask"][row].sum() == length
        numpy.testing.assert_allclose(gathered["features"][row, :length], FEATURES[answer, :length], atol=tolerance)
        assert not gathered["features"][row, length:].any()
    views = index.encoded_answers()
    assert len(views["features"]) == 50
    for answer in range(50):
        numpy.testing.assert_allclose(views["features"][answer], FEATURES[answer][MASK[answer]], atol=tolerance)
        assert views["mask"][answer].shape == (LENGTHS[answer],)


def test_features_without_padding_are_taken_as_they_are(tmp_path):
    padded = build_answer_index(parts({"features": FEATURES, "mask": MASK}))
    plain = (
        {"features": p["features"][p["mask"]], "lengths": p["mask"].sum(axis=1)}
        for p in parts({"features": FEATURES, "mask": MASK})
    )
    plain = build_answer_index(plain)
    numpy.testing.assert_array_equal(plain.features, padded.features)
    numpy.testing.assert_array_equal(plain.offsets, padded.offsets)


def test_one_part_without_padding_is_not_copied_and_two_are():
    rows = numpy.ones((5, 8), "float32")
    index = build_answer_index({"features": rows, "lengths": [2, 3]})
    assert numpy.shares_memory(index.features, rows)
    two = build_answer_index([{"features": rows, "lengths": [2, 3]}, {"features": 2 * rows, "lengths": [5]}])
    assert not numpy.shares_memory(two.features, rows)
    numpy.testing.assert_array_equal(two.features[:, 0], [1] * 5 + [2] * 5)
    half = build_answer_index({"features": rows, "lengths": [2, 3]}, dtype="float16")
    assert half.features.dtype == "float16"


def test_candidates_are_scored_exactly(made):
    index = made({"features": FEATURES, "mask": MASK})
    candidates = RANDOM.permutation(50)[:30]
    ids, scores = index.rank(QUESTIONS[0], candidates, sum_of_products)
    expected = (FEATURES @ QUESTIONS[0] * MASK).sum(axis=1)
    assert sorted(ids) == sorted(candidates)
    numpy.testing.assert_allclose(scores, expected[ids], atol=1e-5)
    assert (numpy.diff(scores) <= 0).all()
    top, _ = index.rank(QUESTIONS[0], candidates, sum_of_products, top_k=3)
    assert top.tolist() == ids[:3].tolist()


def test_an_answer_without_tokens_and_a_scorer_in_chunks():
    encoded = {"features": numpy.ones((600, 2, 3)), "mask": numpy.zeros((600, 2), bool)}
    encoded["mask"][::2, 0] = True
    index = build_answer_index(encoded)
    sizes = []

    def scorer(question, answers):
        sizes.append(len(answers["mask"]))
        return answers["mask"].sum(axis=1) * question

    ids, scores = index.rank(2.0, numpy.arange(600), scorer)
    assert sizes == [256, 256, 88]
    assert ids[:300].tolist() == list(range(0, 600, 2))
    assert scores[:300].tolist() == [2.0] * 300
    assert index.gather([1])["features"].shape == (1, 1, 3)


def test_disk_is_memory_mapped_and_a_cut_index_is_refused(tmp_path):
    index = build_answer_index(parts({"vector": VECTORS}), directory=tmp_path / "i")
    assert isinstance(index.vectors, numpy.memmap)
    with pytest.raises(ValueError, match="memory-mapped from that folder"):
        save_answer_index(index, tmp_path / "i")
    path = tmp_path / "i" / "vectors.bin"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"vectors\.bin: expected a file of 1600 bytes. Received: 1596"):
        load_answer_index(tmp_path / "i")

    def broken():
        yield {"vector": VECTORS}
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        build_answer_index(broken(), directory=tmp_path / "i")
    with pytest.raises(ValueError, match="expected an index of answers"):
        load_answer_index(tmp_path / "i")


def test_an_index_over_what_another_one_maps_is_not_written_over_it(tmp_path):
    features = {"features": FEATURES.reshape(-1, FEATURES.shape[-1]), "lengths": [FEATURES.shape[1]] * len(FEATURES)}
    mapped = build_answer_index(features, directory=tmp_path / "i")
    again = build_answer_index({"features": mapped.features, "lengths": mapped.lengths})
    with pytest.raises(ValueError, match="memory-mapped from that folder"):
        save_answer_index(again, tmp_path / "i")
    save_answer_index(again, tmp_path / "j")
    numpy.testing.assert_array_equal(load_answer_index(tmp_path / "j").features, features["features"])


def test_errors(monkeypatch):
    with pytest.raises(ValueError, match="dtype='int8'"):
        build_answer_index({"vector": VECTORS}, dtype="int8")
    with pytest.raises(ValueError, match="none"):
        build_answer_index([])
    with pytest.raises(ValueError, match=r"\['logits'\]"):
        build_answer_index({"logits": VECTORS})
    with pytest.raises(ValueError, match=r"rows must be \(n, 8\)"):
        build_answer_index([{"vector": VECTORS}, {"vector": VECTORS[:, :3]}])
    with pytest.raises(ValueError, match=r"mask.shape=\(50,\)"):
        build_answer_index({"features": FEATURES, "mask": MASK[:, 0]})
    with pytest.raises(ValueError, match="lengths of 299 tokens"):
        build_answer_index({"features": FEATURES.reshape(300, 8), "lengths": [299]})
    index = build_answer_index({"vector": VECTORS})
    with pytest.raises(ValueError, match=r"\(questions, 8\)"):
        index.search(QUESTIONS[:, :3])
    features = build_answer_index({"features": FEATURES, "mask": MASK})
    with pytest.raises(ValueError, match="between 0 and 49"):
        features.gather([50])
    with pytest.raises(ValueError, match="must give 2 scores"):
        features.rank(None, [1, 2], lambda q, a: [1.0])
    with pytest.raises(ValueError, match="offsets must rise"):
        AnswerFeatureIndex(FEATURES[0], [0, 5])
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"keras_attention\[selection\]"):
        index.search(QUESTIONS)

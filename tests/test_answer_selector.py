"""The answer selector as people use it: ranking, the index, saving, the SavedModel."""

import numpy as np
import pytest

from keras_attention import answer_selector
from keras_attention.answer_selector import AnswerSelector
from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.ranked_answer import RankedAnswer
from keras_attention.retrieval import BM25, WordOverlap
from keras_attention.text import SentencePieceTokenizer, WordTokenizer

tf = pytest.importorskip("tensorflow")

ANSWERS = [
    "the cat sat on the mat",
    "a dog ran",
    "",
    "le chat était là",
    "the dog and the cat ran",
    "the cat sat on the mat",
    "   ",
    "oui, non. peut-être",
    "\U0001f642\U0001f680 zebra 42",
] + [f"the {word} ran on the {other}" for word in ("dog", "mat", "chien") for other in ("chat", "cat", "dog")]
QUESTIONS = ["the cat", "a dog ?", "", "zebra \U0001f680", "un chien court vite"]
SIZES = {
    QACNN: {"filters": 8},
    APCNN: {"filters": 8},
    QABiLSTM: {"units": 4},
    APBiLSTM: {"units": 4},
}


def make(cls=APCNN, tokenizer_class=WordTokenizer, question_length=6, answer_length=7):
    options = {"vocabulary_size": 60} if tokenizer_class is SentencePieceTokenizer else {}
    tokenizer = tokenizer_class.train((ANSWERS + ["un chien court vite ?"]) * 3, **options)
    model = cls(tokenizer.vocabulary_size, embedding_width=8, **SIZES[cls])
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:  # far from uniform, so that scores differ from each other
        variable.assign(random.normal(scale=0.7, size=variable.shape))
    return AnswerSelector(model, tokenizer, question_length, answer_length)


def pair_score(selector, question, answer):
    """One pair through the whole model, by hand."""
    ids = []
    for text, length in ((question, selector.question_length), (answer, selector.answer_length)):
        row = selector.tokenizer.tokenize([text]).numpy()[0].tolist()[:length]
        ids.append(np.array([row or [0]], "int32"))
    return float(selector.model({"question_ids": ids[0], "answer_ids": ids[1][:, None]})[0, 0])


@pytest.fixture(scope="module", params=SIZES, ids=lambda cls: cls.__name__)
def selector(request):
    return make(request.param)


@pytest.fixture(scope="module")
def attentive():
    return make(APCNN).index(ANSWERS)


def test_rank_gives_each_pair_its_score_best_first(selector):
    for question in (QUESTIONS[0], QUESTIONS[3]):
        ranked = selector.rank(question, ANSWERS, batch_size=4)
        assert sorted(one.place for one in ranked) == list(range(len(ANSWERS)))
        for one in ranked:
            assert isinstance(one, RankedAnswer)
            assert one.text == ANSWERS[one.place]
            assert one.score == pytest.approx(pair_score(selector, question, one.text), abs=1e-5)
        keys = [(-one.score, one.place) for one in ranked]
        assert keys == sorted(keys)  # equal scores in the order given
        assert [one.place for one in selector.rank(question, ANSWERS, top_k=3)] == [one.place for one in ranked[:3]]
    assert len({round(one.score, 4) for one in selector.rank(QUESTIONS[0], ANSWERS)}) > 5


def test_empty_texts_score_zero_and_no_candidates_give_none(selector):
    assert {one.score for one in selector.rank("", ANSWERS)} == {0.0}
    scores = {one.place: one.score for one in selector.rank("the cat", ANSWERS)}
    assert scores[2] == scores[6] == 0.0
    assert selector.rank("the cat", []) == []
    assert selector.rank("the cat", ["", " "])[0].score == 0.0


def test_texts_that_nobody_expects_are_scored(selector):
    """Half of a surrogate pair, a zero byte, thousands of words, nothing to see, names of special tokens, emoji."""
    odd = ["\ud83d", "the\x00cat", "cat " * 5000, "\u200b\ufeff", "<pad> </s>", "\U0001f642" * 40]
    ranked = selector.rank("the cat", odd)
    assert sorted(one.place for one in ranked) == list(range(6))
    for one in ranked:
        written = one.text.encode("utf-8", "replace").decode()
        assert one.score == pytest.approx(pair_score(selector, "the cat", written), abs=1e-5)
        asked = selector.rank(one.text, ["the cat"])[0]
        assert asked.score == pytest.approx(pair_score(selector, written, "the cat"), abs=1e-5)
    if selector.has_weights:
        for one in selector.rank(odd[0], odd, return_weights=True):
            assert len(one.answer_weights) == len(one.answer_tokens) <= 7
            assert len(one.question_weights) == len(one.question_tokens)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_search_finds_what_rank_finds(selector, dtype, tmp_path):
    selector.index(ANSWERS, dtype=dtype, directory=tmp_path / "index" if dtype == "float16" else None, batch_size=5)
    assert len(selector.answer_index) == len(ANSWERS)
    tolerance = 1e-5 if dtype == "float32" else 5e-3
    together = selector.search(QUESTIONS, top_k=4)
    for question, found in zip(QUESTIONS, together):
        expected = selector.rank(question, ANSWERS, top_k=4)
        np.testing.assert_allclose([o.score for o in found], [o.score for o in expected], atol=tolerance)
        if dtype == "float32":
            alone = selector.search(question, top_k=4)
            assert [o.place for o in alone] == [o.place for o in found]
            if question.strip() and len({o.text for o in expected}) == 4:
                assert [o.text for o in alone] == [o.text for o in expected]
    assert len(selector.search("the cat", top_k=99)) == len(ANSWERS)
    assert len(selector.search("the cat", top_k=None)) == len(ANSWERS)
    for top_k in (0, 1.5, "3"):
        with pytest.raises(ValueError, match="`top_k` must be a whole number, at least 1"):
            selector.search("the cat", top_k=top_k)
    assert selector.search([]) == []


def test_search_among_given_candidates(selector):
    selector.index(ANSWERS)
    found = selector.search(["the cat", "a dog ?", "zebra"], top_k=3, candidates=[[4, 1, 0], [3], []])
    assert [sorted(one.place for one in row) for row in found] == [[0, 1, 4], [3], []]
    for one in found[0]:
        assert one.score == pytest.approx(pair_score(selector, "the cat", one.text), abs=1e-5)
    assert [one.place for one in selector.search("a dog ?", candidates=[3])] == [3]


def test_an_attentive_model_scores_the_candidates_of_bm25(attentive):
    (found,) = attentive.search(["zebra"], top_k=1, candidate_count=1)
    assert found[0].place == 8  # the only answer with that word
    assert len(attentive.search("zebra", top_k=5, candidate_count=1)) == 5


def test_bm25_counts_beside_the_model(attentive):
    question, everything = "the cat", {"top_k": len(ANSWERS), "candidate_count": len(ANSWERS)}
    bm25 = BM25(ANSWERS).scores(question)
    expected = {one.place: one.score + 0.5 * bm25[one.place] for one in attentive.search(question, **everything)}
    found = attentive.search(question, **everything, bm25_weight=0.5)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert {one.place: one.score for one in found} == pytest.approx(expected, abs=1e-5)
    assert [one.place for one in attentive.search([question], 2, bm25_weight=0.5)[0]] == [
        one.place for one in found[:2]
    ]
    with pytest.raises(ValueError, match="bm25_weight=1"):
        make(QACNN).index(ANSWERS).search(question, bm25_weight=1)


def test_word_overlap_counts_beside_the_model(attentive):
    question = "how do I pay ?"
    pools = np.arange(len(ANSWERS))[None]
    overlap = WordOverlap({}, 3.0, ("how",), np.linspace(-1, 1, 15), weight=0.5)
    added = 0.5 * overlap.score_pools([question], ANSWERS, pools)[0]
    expected = {one.place: one.score + added[one.place] for one in attentive.rank(question, ANSWERS)}
    for found in (
        attentive.rank(question, ANSWERS, overlap=overlap),
        attentive.search(question, len(ANSWERS), candidates=pools[0], overlap=overlap),
    ):
        assert {one.place: one.score for one in found} == pytest.approx(expected, abs=1e-5)
        assert [one.place for one in found] == sorted(expected, key=expected.get, reverse=True)
    with pytest.raises(ValueError, match="`candidates`"):
        make(QACNN).index(ANSWERS).search(question, overlap=overlap)
    overlap.weight = None
    with pytest.raises(ValueError, match=r"overlap\.weight"):
        attentive.rank(question, ANSWERS, overlap=overlap)


def test_an_index_whose_bm25_stems(tmp_path):
    stemming = make(APCNN).index(ANSWERS, bm25={"stemmer": "english", "k1": 0.4})
    (found,) = stemming.search("zebras", top_k=1, candidate_count=1)
    assert found.place == 8
    stemming.save(tmp_path)
    assert AnswerSelector.load(tmp_path).search("zebras", top_k=1, candidate_count=1)[0].place == 8
    with pytest.raises(ValueError, match="stemmer='english'"):
        stemming.export_with_index(tmp_path / "served")
    with pytest.raises(ValueError, match="BM25 is not part"):
        make(QACNN).index(ANSWERS, bm25={"stemmer": "english"})


def test_weights_fit_their_tokens(attentive):
    whole = attentive.rank("the cat ?", ANSWERS)
    for one, plain in zip(attentive.rank("the cat ?", ANSWERS, return_weights=True), whole):
        assert (one.place, one.score) == (plain.place, plain.score)
        assert plain.question_tokens is None
        assert one.answer_weights.shape == (len(one.answer_tokens),)
        assert one.question_weights.shape == (len(one.question_tokens),) == (3,)
        if one.text.strip():
            np.testing.assert_allclose([one.question_weights.sum(), one.answer_weights.sum()], 1, atol=1e-5)
            assert one.answer_tokens == attentive.tokenizer.pieces(one.text)[:7]
        ids = np.array([attentive.tokenizer.tokenize(one.text).numpy()[:7]])
        if ids.size:
            question_ids = attentive.tokenizer.tokenize(["the cat ?"]).numpy()
            inputs = {"question_ids": question_ids, "answer_ids": ids[None]}
            _, alone = attentive.model.attention_model(inputs)
            np.testing.assert_allclose(one.answer_weights, alone[0, 0], atol=1e-5)
    best = attentive.search(["the cat"], top_k=2, return_weights=True)[0][0]
    assert len(best.answer_weights) == len(best.answer_tokens)


def test_scores_of_given_pools(attentive):
    pools = np.array([[4, 1, -1], [-1, 3, 2]])
    scores = attentive.score_candidates(["the cat", "a dog ?"], pools)
    assert scores.shape == (2, 3)
    assert scores[0, 2] == scores[1, 0] == scores[1, 2] == 0.0  # padding, and an empty answer
    for question, place, score in (("the cat", 4, scores[0, 0]), ("a dog ?", 3, scores[1, 1])):
        assert score == pytest.approx(pair_score(attentive, question, ANSWERS[place]), abs=1e-5)


def test_scores_of_answers_that_are_not_kept(selector, monkeypatch):
    """The same as through an index, with parts smaller than the answers; an index that is there stays."""
    monkeypatch.setattr(answer_selector, "_SCORED_PART", 5)
    pools = np.array([[4, 1, -1, 17], [-1, 3, 8, 9]])
    questions = ["the cat", "a dog ?"]
    expected = make(type(selector.model)).index(ANSWERS).score_candidates(questions, pools)
    selector.index(ANSWERS[:2])
    np.testing.assert_allclose(selector.score_candidates(questions, pools, answers=ANSWERS), expected, atol=1e-6)
    assert selector.answers == ANSWERS[:2]
    with pytest.raises(ValueError, match="places from 0 to 2"):
        selector.score_candidates(questions, pools, answers=ANSWERS[:3])


def test_maxima_have_no_weights():
    selector = make(QACNN)
    assert not selector.has_weights
    with pytest.raises(ValueError, match="QACNN has no attention weights"):
        selector.rank("the cat", ANSWERS, return_weights=True)


@pytest.mark.parametrize("cls, tokenizer_class", [(APCNN, SentencePieceTokenizer), (QABiLSTM, WordTokenizer)])
def test_save_and_load_with_and_without_index(cls, tokenizer_class, tmp_path):
    other, same, selector = (
        make(QACNN if cls is APCNN else APCNN),
        make(cls, tokenizer_class),
        make(cls, tokenizer_class),
    )
    expected = selector.rank("the cat", ANSWERS)
    selector.save(tmp_path)
    loaded = AnswerSelector.load(tmp_path)
    assert (loaded.question_length, loaded.answer_length, loaded.answers) == (6, 7, None)
    assert [(o.place, o.score) for o in loaded.rank("the cat", ANSWERS)] == [(o.place, o.score) for o in expected]
    found = loaded.index(ANSWERS).search("the dog", top_k=5)
    loaded.save(tmp_path)
    for memory_map in (True, False):
        again = AnswerSelector.load(tmp_path, memory_map=memory_map)
        assert [(o.place, o.score) for o in again.search("the dog", top_k=5)] == [(o.place, o.score) for o in found]
    again = AnswerSelector.load(tmp_path)
    again.save(tmp_path)  # the index is memory-mapped from there, and stays
    assert len(AnswerSelector.load(tmp_path).answers) == len(ANSWERS)
    selector.save(tmp_path)  # a selector without index takes an older one away
    assert AnswerSelector.load(tmp_path).answers is None
    loaded.index(ANSWERS, directory=tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="Received: an index of"):
        other.load_index(tmp_path / "elsewhere")
    assert same.load_index(tmp_path / "elsewhere").search("the dog", 1)[0].place == found[0].place


@pytest.mark.parametrize(
    "call, complaint",
    [
        (lambda s: s.rank(["the cat"], ANSWERS), "`question` must be a string"),
        (lambda s: s.rank("the cat", "the cat"), "`candidates` must be a list"),
        (lambda s: s.rank("the cat", ["a", None]), r"candidates\[1\]=None"),
        (lambda s: s.rank("the cat", ANSWERS, top_k=0), "top_k=0"),
        (lambda s: s.rank("the cat", ANSWERS, batch_size=0), "batch_size=0"),
        (lambda s: s.index([]), "at least one answer"),
        (lambda s: s.index(ANSWERS, dtype="int8"), "dtype='int8'"),
        (lambda s: s.search([b"the cat"]), "list of strings"),
        (lambda s: s.search(["a", "b"], candidates=[[0]]), "one list per question"),
        (lambda s: s.search("a", candidates=[99]), "places from 0 to 17"),
        (lambda s: make().search("a"), "call `index"),
        (lambda s: AnswerSelector.load("nowhere"), "saved selector"),
        (lambda s: s.load_index("nowhere"), "folder of an index"),
        (lambda s: AnswerSelector(s.model, s.tokenizer, 0, 5), "question_length=0"),
        (lambda s: AnswerSelector(APCNN(5, 4, 4), s.tokenizer, 5, 5), "vocabulary_size"),
    ],
)
def test_errors(attentive, call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call(attentive)

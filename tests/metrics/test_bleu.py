import math
import re
from collections import Counter

import pytest
import sacrebleu

from keras_attention.metrics.bleu import bleu_by_length, chrf, corpus_bleu

HYPOTHESES = ["the cat sat on the mat .", "A dog ran in the big park .", "nothing right here at all"]
REFERENCES = ["the cat sat on a mat .", "a dog ran through the big park .", "this is another thing altogether"]


def slow_bleu(hypotheses, references):
    """Papineni's formula over space-separated words, with no smoothing."""
    matches, totals, hypothesis_length, reference_length = [0] * 4, [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references):
        h, r = hypothesis.split(), reference.split()
        hypothesis_length += len(h)
        reference_length += len(r)
        for n in range(1, 5):
            grams, allowed = (Counter(zip(*(words[i:] for i in range(n)))) for words in (h, r))
            matches[n - 1] += sum(min(count, allowed[gram]) for gram, count in grams.items())
            totals[n - 1] += sum(grams.values())
    precision = math.exp(sum(math.log(m / t) for m, t in zip(matches, totals)) / 4)
    return 100 * precision * min(1.0, math.exp(1 - reference_length / hypothesis_length))


def test_bleu_by_the_formula():
    got = corpus_bleu(HYPOTHESES, REFERENCES)
    assert got.score == pytest.approx(slow_bleu(HYPOTHESES, REFERENCES))
    assert re.fullmatch(r"nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:[\d.]+", got.signature)


def test_bleu_options_reach_the_metric_and_the_signature():
    lower = corpus_bleu(HYPOTHESES, REFERENCES, lowercase=True)
    assert lower.score > corpus_bleu(HYPOTHESES, REFERENCES).score
    assert "case:lc" in lower.signature
    characters = corpus_bleu(["猫が座る"], ["猫が座った"], tokenize="char")
    assert "tok:char" in characters.signature
    assert characters.score == pytest.approx(
        sacrebleu.corpus_bleu(["猫が座る"], [["猫が座った"]], tokenize="char").score
    )


def test_several_references_even_a_different_number_of_them():
    references = [["x", HYPOTHESES[0]], REFERENCES[1], [HYPOTHESES[2]]]
    got = corpus_bleu(HYPOTHESES, references)
    streams = [["x", REFERENCES[1], HYPOTHESES[2]], [HYPOTHESES[0], None, None]]
    assert got.score == pytest.approx(sacrebleu.corpus_bleu(HYPOTHESES, streams).score)
    assert got.score > corpus_bleu(HYPOTHESES, REFERENCES).score
    assert corpus_bleu(HYPOTHESES, [[r] for r in REFERENCES]) == corpus_bleu(HYPOTHESES, REFERENCES)


def test_chrf():
    assert chrf(["abc"], ["abc"]).score == 100
    assert chrf(["abc"], ["xyz"]).score == 0
    got = chrf(HYPOTHESES, REFERENCES, word_order=2)
    assert got.score == pytest.approx(sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES], word_order=2).score)
    assert "nw:2" in got.signature
    assert chrf(["ABCDEF"], ["abcdef"], lowercase=True).score == 100


def test_an_empty_translation_scores_zero():
    assert corpus_bleu([""], ["a reference of five words"]).score == 0


def test_bleu_by_length():
    buckets = bleu_by_length(HYPOTHESES, REFERENCES, lengths=[3, 10, 11], boundaries=(3, 10))
    assert [(b["shortest"], b["longest"], b["count"]) for b in buckets] == [(0, 3, 1), (4, 10, 1), (11, None, 1)]
    for i, bucket in enumerate(buckets):
        assert bucket["bleu"] == corpus_bleu(HYPOTHESES[i : i + 1], REFERENCES[i : i + 1]).score
        assert bucket["mean_length"] == [3, 10, 11][i]


def test_bleu_by_length_leaves_empty_buckets_out_and_counts_reference_words():
    (bucket,) = bleu_by_length(HYPOTHESES, REFERENCES, boundaries=(4, 8, 30))
    assert (bucket["shortest"], bucket["longest"], bucket["count"]) == (5, 8, 3)
    assert bucket["mean_length"] == pytest.approx((7 + 8 + 5) / 3)
    assert bucket["bleu"] == corpus_bleu(HYPOTHESES, REFERENCES).score


@pytest.mark.parametrize("metric", [corpus_bleu, chrf, bleu_by_length])
@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        ([], [], "0 hypotheses"),
        (["a", "b"], ["a"], "2 hypotheses and 1 references"),
        (["a", "b"], [["a", "b"]], "2 hypotheses and 1 references"),
        ("ab", ["a", "b"], "hypotheses='ab'"),
        (["a", "b"], "ab", "references='ab'"),
        (["a", None], ["a", "b"], r"hypotheses\[1\]=None"),
        (["a", "b"], ["a", []], r"references\[1\]=\[\]"),
        (["a", "b"], ["a", 3], r"references\[1\]=3"),
        (["a", "b"], ["a", [b"b"]], r"references\[1\]=\[b'b'\]"),
    ],
)
def test_errors(metric, hypotheses, references, message):
    with pytest.raises(ValueError, match=message):
        metric(hypotheses, references)


def test_errors_of_options():
    with pytest.raises(ValueError, match="tokenize='mosess'"):
        corpus_bleu(["a"], ["a"], tokenize="mosess")
    with pytest.raises(ValueError, match="2 lengths and 1 hypotheses"):
        bleu_by_length(["a"], ["a"], lengths=[1, 2])
    with pytest.raises(ValueError, match=r"boundaries=\[10, 10\]"):
        bleu_by_length(["a"], ["a"], boundaries=(10, 10))

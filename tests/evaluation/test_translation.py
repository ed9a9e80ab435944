import time

import pytest

from keras_attention.evaluation import evaluate_translation
from keras_attention.metrics import bleu_by_length, chrf, corpus_bleu

SOURCES = ["un deux trois quatre", "le chat dort sur le tapis rouge", "oui"]
REFERENCES = ["one two three four", "the cat sleeps on the red carpet", "Yes"]
TRANSLATIONS = ["one two three four", "the cat is sleeping on the red rug", "yes"]


def test_the_figures_are_those_of_the_metrics():
    result = evaluate_translation(lambda texts: list(TRANSLATIONS), SOURCES, REFERENCES, boundaries=(4, 6))
    assert (result["bleu"], result["bleu_signature"]) == corpus_bleu(TRANSLATIONS, REFERENCES)
    assert (result["chrf"], result["chrf_signature"]) == chrf(TRANSLATIONS, REFERENCES)
    assert result["bleu_by_length"] == bleu_by_length(TRANSLATIONS, REFERENCES, [4, 7, 1], (4, 6))
    assert [(b["shortest"], b["count"]) for b in result["bleu_by_length"]] == [(0, 2), (7, 1)]
    assert result["translations"] == TRANSLATIONS
    assert result["sentences"] == 3


def test_options_reach_the_metrics():
    options = {"lowercase": True, "tokenize": "intl"}
    result = evaluate_translation(lambda texts: list(TRANSLATIONS), SOURCES, REFERENCES, **options)
    assert result["bleu"] == corpus_bleu(TRANSLATIONS, REFERENCES, **options).score
    assert result["chrf"] == chrf(TRANSLATIONS, REFERENCES, lowercase=True).score
    assert "case:lc" in result["bleu_signature"]
    assert "tok:intl" in result["bleu_signature"]


@pytest.mark.parametrize("lengths", [[1, 50, 2], lambda sources: [1, 50, 2]])
def test_lengths_may_be_a_tokenizers(lengths):
    result = evaluate_translation(lambda texts: list(TRANSLATIONS), SOURCES, REFERENCES, lengths=lengths)
    assert [(b["longest"], b["count"]) for b in result["bleu_by_length"]] == [(10, 2), (50, 1)]


def test_speed_is_that_of_one_call_after_the_warm_up():
    calls = []

    def translate(texts):
        calls.append(len(texts))
        time.sleep(0.3 if len(calls) == 1 else 0.05)
        return ["x"] * len(texts)

    result = evaluate_translation(translate, SOURCES, REFERENCES, warm_up=2)
    assert calls == [2, 3]
    assert 0.05 <= result["seconds"] < 0.3
    assert result["sentences_per_second"] == pytest.approx(3 / result["seconds"])


@pytest.mark.parametrize(
    ("translate", "sources", "references", "message"),
    [
        (list, [], [], "0 sources"),
        (list, ["a", "b"], ["a"], "2 sources and 1 references"),
        (lambda texts: texts[:1], ["a", "b"], ["a", "b"], "1 for 2 sources"),
        (lambda texts: None, ["a"], ["a"], "Received: None"),
        (lambda texts: [b"a"], ["a"], ["a"], r"Received: \[b'a'\]"),
    ],
)
def test_errors(translate, sources, references, message):
    with pytest.raises(ValueError, match=message):
        evaluate_translation(translate, sources, references)

"""Figures of systems, tables beside a baseline, accuracy by answer length."""

import io

import numpy
import pytest
from rich.console import Console

from keras_attention.evaluation.answer_selection import (
    FIGURES,
    accuracy_by_answer_length,
    answer_selection_rows,
    answer_selection_table,
    average_results,
    compare_with_baseline,
    evaluate_answer_selection,
    right_answer_lengths,
)
from keras_attention.metrics.paired_bootstrap import paired_bootstrap
from keras_attention.metrics.ranking import ranking_values


def systems(questions=60, candidates=12):
    random = numpy.random.default_rng(0)
    labels = numpy.zeros((questions, candidates), int)
    labels[numpy.arange(questions), random.integers(0, candidates, questions)] = 1
    labels[0] = 0
    noise = random.normal(size=labels.shape)
    return {
        "BM25": evaluate_answer_selection(noise + 0.5 * labels, labels),
        "AP-CNN [ours]": evaluate_answer_selection(noise + 3.0 * labels, labels),
        "constant": evaluate_answer_selection(0 * noise, labels),
    }


def test_means_are_over_questions_with_a_right_candidate():
    scores, labels = [[0.9, 0.1, 0.3], [0.1, 0.2, 0.3], [0.5, 0.4, 0.0]], [[1, 0, 0], [0, 0, 0], [0, 1, -1]]
    result = evaluate_answer_selection(scores, labels)
    assert result["questions"] == 2
    assert result["accuracy_at_1"] == 0.5
    assert result["mrr"] == 0.75
    for name in FIGURES:
        numpy.testing.assert_array_equal(result["values"][name], ranking_values(scores, labels)[name])
    assert numpy.isnan(result["values"]["mrr"][1])
    with pytest.raises(ValueError, match="1 without any"):
        evaluate_answer_selection([[1.0]], [[0]])


def test_comparison_is_the_paired_bootstrap_of_the_values():
    results = systems()
    compared = compare_with_baseline(results, figure="map", resamples=500, seed=3)
    assert list(compared) == ["AP-CNN [ours]", "constant"]
    expected = paired_bootstrap(
        results["AP-CNN [ours]"]["values"]["map"], results["BM25"]["values"]["map"], resamples=500, seed=3
    )
    assert compared["AP-CNN [ours]"] == expected
    assert expected.lower > 0
    assert compared["constant"].difference == pytest.approx(results["constant"]["map"] - results["BM25"]["map"])


def test_rows_and_table():
    results = systems()
    rows = answer_selection_rows(results, resamples=500, seed=8)
    assert [row["name"] for row in rows] == list(results)
    assert rows[0]["difference"] is None
    assert rows[1]["difference"] == pytest.approx(results["AP-CNN [ours]"]["mrr"] - results["BM25"]["mrr"])
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(answer_selection_table(results, resamples=500, seed=8, title="Test [1]"))
    text = console.export_text()
    assert "AP-CNN [ours]" in text
    assert "Test [1]" in text
    assert "MRR - BM25" in text
    assert "59 questions" in text
    assert "seed 8" in text
    assert f"{results['BM25']['accuracy_at_1']:.3f}" in text
    assert f"{rows[1]['difference']:+.3f} [{rows[1]['lower']:+.3f}, {rows[1]['upper']:+.3f}] *" in text


def test_table_without_a_baseline():
    assert len(answer_selection_table(systems(), baseline=None).columns) == 5


def test_errors_of_tables():
    results = systems()
    with pytest.raises(ValueError, match="baseline='Lucene'"):
        answer_selection_table(results, baseline="Lucene")
    with pytest.raises(ValueError, match="figure='bleu'"):
        answer_selection_table(results, figure="bleu")
    with pytest.raises(ValueError, match=r"results=\{\}"):
        answer_selection_table({})
    with pytest.raises(ValueError, match=r"\[19, 59\]"):
        answer_selection_table({**results, "other": systems(20)["BM25"]})


def test_length_of_the_right_answers():
    lengths = right_answer_lengths([[1, 0, 1], [0, 0, -1], [0, 1, -1]], [[10, 5, 20], [1, 2, 0], [4, 7, 0]])
    numpy.testing.assert_array_equal(lengths, [15, numpy.nan, 7])


def test_bands_of_length():
    values = [1.0, 0.0, 1.0, 0.5, numpy.nan, 0.0]
    lengths = [10, 19, 20, 40, 15, 41]
    bands = accuracy_by_answer_length(values, lengths, edges=[10, 20, 30, 35, 40])
    numpy.testing.assert_array_equal(bands["length"], [14.5, 20, 40])
    numpy.testing.assert_array_equal(bands["value"], [0.5, 1.0, 0.5])
    numpy.testing.assert_array_equal(bands["questions"], [2, 1, 1])
    numpy.testing.assert_array_equal(bands["lower"], [10, 20, 35])
    numpy.testing.assert_array_equal(bands["upper"], [20, 30, 40])


def test_bands_of_equally_many_questions():
    random = numpy.random.default_rng(1)
    lengths = random.integers(5, 200, 1000)
    bands = accuracy_by_answer_length(random.random(1000), lengths, bins=4)
    assert bands["questions"].sum() == 1000
    assert (abs(bands["questions"] - 250) < 25).all()
    single = accuracy_by_answer_length([0.0, 1.0], [7, 7])
    assert (single["length"].tolist(), single["value"].tolist(), single["questions"].tolist()) == ([7], [0.5], [2])


def test_errors_of_bands():
    with pytest.raises(ValueError, match=r"lengths.shape=\(2,\)"):
        accuracy_by_answer_length([1.0], [1, 2])
    with pytest.raises(ValueError, match="edges must rise"):
        accuracy_by_answer_length([1.0], [1], edges=[3, 2])
    with pytest.raises(ValueError, match="none"):
        accuracy_by_answer_length([numpy.nan], [1])


def test_the_mean_of_several_runs_is_taken_question_by_question():
    results = list(systems().values())
    mean = average_results(results)
    assert mean["questions"] == results[0]["questions"] == 59
    for name in FIGURES:
        assert mean[name] == pytest.approx(sum(result[name] for result in results) / 3)
        expected = sum(result["values"][name] for result in results) / 3
        numpy.testing.assert_allclose(mean["values"][name], expected)
        assert numpy.isnan(mean["values"][name][0])
    answer_selection_rows({"BM25": results[0], "mean": mean})
    other = evaluate_answer_selection([[0.1, 0.2]] * 60, [[1, 0]] * 60)
    for bad in ([], [results[0], other]):
        with pytest.raises(ValueError, match="of the same questions"):
            average_results(bad)

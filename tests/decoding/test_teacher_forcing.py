"""Scores of given outputs: against the tables, and against what the searches say of their own results."""

import numpy as np
import pytest

from keras_attention.decoding import beam_search, greedy_decode, sample, score_targets

START, END = 2, 3


def test_scores_equal_the_tables(table_model, as_numpy):
    model = table_model(seed=1, batch=4, vocabulary=5)
    outputs = [(4, 1, END), (END,), (1, 1, 4, 4), ()]
    targets = np.zeros((4, 4), "int32")
    for row, output in zip(targets, outputs):
        row[: len(output)] = output
    result = as_numpy(
        score_targets(
            model.step,
            model.state,
            model.memory,
            targets,
            start_id=START,
            length_normalization=0.8,
            coverage_penalty=0.3,
            source_mask=model.mask,
            return_alignment=True,
        )
    )
    assert result["lengths"].tolist() == [3, 1, 4, 0]
    for b, output in enumerate(outputs):
        steps = [model.log_softmax(b, output[:i]) for i in range(len(output))]
        tokens = [p[t] for (p, _), t in zip(steps, output)] + [0.0] * (4 - len(output))
        np.testing.assert_allclose(result["token_log_probabilities"][b], tokens, rtol=1e-5, atol=1e-6)
        score, total = model.score(b, output, 0.8, 0.3) if output else (0.0, 0.0)
        np.testing.assert_allclose(result["log_probabilities"][b], total, rtol=1e-5)
        np.testing.assert_allclose(result["scores"][b], score, rtol=1e-5)
        np.testing.assert_allclose(
            result["alignment"][b], [w for _, w in steps] + [[0.0] * 3] * (4 - len(output)), rtol=1e-6
        )


def test_what_the_searches_return_scores_as_they_said(table_model, as_numpy):
    model = table_model(seed=2, batch=9, vocabulary=6)
    ids = {"start_id": START, "end_id": END, "maximum_length": np.arange(9) % 4 + 1}
    options = {"source_mask": model.mask, "return_alignment": True}
    penalties = {"length_normalization": 1.2, "coverage_penalty": 0.4}
    arguments = (model.step, model.state, model.memory)
    for result, scoring in (
        (greedy_decode(*arguments, **ids, **options), {}),
        (sample(*arguments, **ids, **options, seed=3, sample_count=4, temperature=1.5, top_k=4), {}),
        (beam_search(*arguments, **ids, **options, beam_width=3, n_best=2, **penalties), penalties),
    ):
        result = as_numpy(result)
        again = as_numpy(score_targets(*arguments, result["token_ids"], start_id=START, **options, **scoring))
        exists = result["lengths"] > 0
        for name in ("scores", "log_probabilities", "lengths", "alignment"):
            assert again[name].shape == result[name].shape
            np.testing.assert_allclose(again[name][exists], result[name][exists], rtol=1e-5, atol=1e-6, err_msg=name)


def test_nothing_to_score(table_model, as_numpy):
    model = table_model()
    result = as_numpy(score_targets(model.step, model.state, model.memory, np.zeros((3, 0), "int32"), start_id=START))
    assert result["scores"].tolist() == [0.0, 0.0, 0.0]
    model = model.rows([])
    result = as_numpy(score_targets(model.step, model.state, model.memory, np.zeros((0, 4), "int32"), start_id=START))
    assert result["token_log_probabilities"].shape == (0, 4)


def test_bad_arguments_are_named(table_model):
    model = table_model()
    arguments = (model.step, model.state, model.memory)
    with pytest.raises(ValueError, match=r"target_ids.shape=\(3,\)"):
        score_targets(*arguments, np.zeros((3,), "int32"), start_id=START)
    with pytest.raises(ValueError, match="coverage_penalty=-1"):
        score_targets(*arguments, np.zeros((3, 2), "int32"), start_id=START, coverage_penalty=-1)
    with pytest.raises(ValueError, match="source_mask"):
        score_targets(*arguments, np.zeros((3, 2), "int32"), start_id=START, coverage_penalty=0.1)
    with pytest.raises(ValueError, match="gave none"):
        score_targets(
            model.step_without_weights,
            *arguments[1:],
            np.ones((3, 2), "int32"),
            start_id=START,
            source_mask=model.mask,
            return_alignment=True,
        )

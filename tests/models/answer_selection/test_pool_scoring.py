import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from keras_attention.models.answer_selection import pool_scoring


def loop(question, answer, kernel, scale):
    """One pair, token by token."""
    scores = np.array([[q @ kernel @ a for a in answer] for q in question])
    question_weights = np.exp(scale * np.tanh(scores.max(axis=1)))
    answer_weights = np.exp(scale * np.tanh(scores.max(axis=0)))
    left = (question_weights[:, None] * question).sum(axis=0)
    right = (answer_weights[:, None] * answer).sum(axis=0)
    return left @ right / np.sqrt(left @ left) / np.sqrt(right @ right)


def encoded(random, count, length, width, shortest):
    """Texts whose real tokens are anywhere, and whose padding is large."""
    mask = random.permuted(np.arange(length) < random.integers(shortest, length + 1, (count, 1)), axis=1)
    features = random.normal(size=(count, length, width)).astype("float32")
    return {"features": np.where(mask[..., None], features, 1e6).astype("float32"), "mask": mask}


@pytest.mark.parametrize("part, threaded_from", [(1, 0), (7, 0), (1000, 0), (7, 1000)])
def test_many_answers_on_several_threads(part, threaded_from, monkeypatch):
    monkeypatch.setattr(pool_scoring, "_PART", part)
    monkeypatch.setattr(pool_scoring, "_THREADED_FROM", threaded_from)
    random = np.random.default_rng(0)
    questions, answers = encoded(random, 9, 5, 6, 0), encoded(random, 50, 8, 6, 0)
    kernel = random.normal(size=(6, 6)).astype("float32")
    pools = np.stack([random.permutation(50)[:20] for _ in range(9)])
    pools[3, 5:] = -1
    pools[4] = -1
    before = [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()]
    scored = pool_scoring.score_pools(questions, answers, pools, kernel, 2.0)
    assert [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()] == before
    for row, pool in enumerate(pools):
        question = questions["features"][row][questions["mask"][row]]
        for column, number in enumerate(pool):
            answer = answers["features"][number][answers["mask"][number]]
            expected = loop(question, answer, kernel, 2.0) if number >= 0 and len(question) and len(answer) else 0.0
            assert scored[row, column] == pytest.approx(expected, abs=1e-5)


def test_an_error_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(pool_scoring, "_PART", 1)
    monkeypatch.setattr(pool_scoring, "_THREADED_FROM", 0)
    random = np.random.default_rng(0)
    questions, answers = encoded(random, 2, 3, 4, 1), encoded(random, 3, 5, 7, 1)  # widths that do not fit
    with pytest.raises(ValueError, match="matmul"):
        pool_scoring.score_pools(questions, answers, np.array([[0, 1], [1, 2]]), np.eye(4))

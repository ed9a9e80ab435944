"""Similarities of many questions with their pools of answers, from what was encoded once."""

import numpy as np


def score_pools(questions, answers, pools, alignment_kernel=None, score_scale=1.0):
    """Score each question against its pool.

    The pools of an evaluation overlap: 2,000 pools of 500 out of 27,000 answers hold each answer 37 times. Gathering
    the answers of a question moves `pool_size x answer_length x width` numbers per question; going answer by answer
    moves the questions instead, which are ten times shorter, and multiplies only real tokens.

    Args:
        questions: Dict of encoded questions: `vector` `(questions, width)`, or `features` `(questions, length, width)`
            with `mask` `(questions, length)`.
        answers: Dict of encoded answers, same keys.
        pools: Integer array `(questions, pool_size)` of rows of `answers`; -1 is padding.
        alignment_kernel: Attentive pooling's `U`, `(width, width)`; None for vectors.
        score_scale: Attentive pooling's factor on the scores.

    Returns:
        Float32 array `(questions, pool_size)`, 0 at padding.

    Raises:
        ValueError: if the pools do not fit the questions and answers.
    """
    pools = np.asarray(pools)
    key = "vector" if "vector" in questions else "features"
    if pools.ndim != 2 or len(pools) != len(questions[key]) or pools.max(initial=-1) >= len(answers[key]):
        raise ValueError(
            f"`pools` must be ({len(questions[key])}, pool_size) with rows below {len(answers[key])}. Received: pools "
            f"of shape {pools.shape} with a largest row of {pools.max(initial=-1)}"
        )
    similarities = np.zeros(pools.shape, "float32")
    if key == "vector":
        question_unit, answer_unit = _unit(questions["vector"]), _unit(answers["vector"])
        for row, pool in enumerate(pools):
            similarities[row] = np.where(pool >= 0, answer_unit[pool] @ question_unit[row], 0.0)
        return similarities

    tokens = [np.asarray(f, "float32")[m] for f, m in zip(questions["features"], questions["mask"])]
    projected = [t @ alignment_kernel for t in tokens]
    lengths = np.array([len(t) for t in tokens])
    rows, columns = np.nonzero(pools >= 0)
    keep = lengths[rows] > 0
    rows, columns = rows[keep], columns[keep]
    order = np.argsort(pools[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    numbers, starts = np.unique(pools[rows, columns], return_index=True)
    for number, here in zip(numbers, np.split(np.arange(len(rows)), starts[1:])):
        answer = np.asarray(answers["features"][number], "float32")[np.asarray(answers["mask"][number])]
        if len(answer) == 0:
            continue
        asked = rows[here]
        first = np.concatenate([[0], np.cumsum(lengths[asked])[:-1]])
        scores = np.concatenate([projected[q] for q in asked]) @ answer.T  # (tokens of all questions, answer_length)
        question_scores = np.tanh(scores.max(axis=1))
        answer_scores = np.tanh(np.maximum.reduceat(scores, first, axis=0))
        # Shifted by each question's own highest score: with a large scale the others would leave float32's range.
        peaks = np.repeat(np.maximum.reduceat(question_scores, first), lengths[asked])
        question_weights = np.exp(score_scale * (question_scores - peaks))
        answer_weights = np.exp(score_scale * (answer_scores - answer_scores.max(axis=1, keepdims=True)))
        # The softmax's denominators fall out of the cosine.
        words = np.concatenate([tokens[q] for q in asked]) * question_weights[:, None]
        similarities[asked, columns[here]] = np.sum(
            _unit(np.add.reduceat(words, first, axis=0)) * _unit(answer_weights @ answer), axis=1
        )
    return similarities


def _unit(x):
    x = np.asarray(x, "float32")
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.where(length > 1e-12, x / np.where(length > 1e-12, length, 1.0), 0.0)

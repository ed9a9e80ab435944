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

    words = _QuestionWords(questions, alignment_kernel)
    rows, columns = np.nonzero(pools >= 0)
    keep = words.lengths[rows] > 0
    rows, columns = rows[keep], columns[keep]
    order = np.argsort(pools[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    numbers, starts = np.unique(pools[rows, columns], return_index=True)
    for number, here in zip(numbers, np.split(np.arange(len(rows)), starts[1:])):
        answer = np.asarray(answers["features"][number], "float32")[np.asarray(answers["mask"][number])]
        if len(answer):
            similarities[rows[here], columns[here]] = words.similarities(rows[here], answer, score_scale)
    return similarities


class _QuestionWords:
    """The real tokens of all questions, one under another, `Q U` beside `Q`, and each question's `Q Q^T`."""

    def __init__(self, questions, alignment_kernel):
        mask = np.asarray(questions["mask"])
        tokens = [np.asarray(f, "float32")[m] for f, m in zip(questions["features"], mask)]
        self.lengths = np.array([len(t) for t in tokens])
        self.starts = np.cumsum(self.lengths) - self.lengths
        features = np.concatenate(tokens)
        self.width = features.shape[1]
        self.rows = np.concatenate([features @ alignment_kernel, features], axis=1)
        longest = self.lengths.max()
        self.products = np.zeros((len(tokens), longest, longest), "float32")
        for products, own in zip(self.products, tokens):
            products[: len(own), : len(own)] = own @ own.T

    def similarities(self, asked, answer, score_scale):
        """Score one answer, `(length, width)`, with each of the questions `asked`.

        Nothing as wide as the features is made per question: with weights w over its tokens, a question's vector is
        r = w Q, so that r . r_a = w (Q r_a) and |r|^2 = w (Q Q^T) w.
        """
        lengths = self.lengths[asked]
        first = np.cumsum(lengths) - lengths
        question = np.repeat(np.arange(len(asked)), lengths)
        place = np.arange(len(question)) - first[question]
        rows = self.rows[self.starts[asked][question] + place]
        scores = rows[:, : self.width] @ answer.T  # (tokens of all questions, answer_length)
        question_scores = np.tanh(scores.max(axis=1))
        answer_scores = np.tanh(np.maximum.reduceat(scores, first, axis=0))
        # Shifted by each question's own highest score: with a large scale the others would leave float32's range. The
        # softmax's denominators fall out of the cosine.
        weights = np.zeros((len(asked), lengths.max()), "float32")
        peaks = np.maximum.reduceat(question_scores, first)
        weights[question, place] = np.exp(score_scale * (question_scores - peaks[question]))
        answer_weights = np.exp(score_scale * (answer_scores - answer_scores.max(axis=1, keepdims=True)))
        vectors = _unit(answer_weights @ answer)
        along = (rows[:, self.width :] @ vectors.T)[np.arange(len(question)), question]
        products = self.products[asked, : weights.shape[1], : weights.shape[1]]
        square = np.einsum("ni,nij,nj->n", weights, products, weights, optimize=False)
        dots = np.add.reduceat(weights[question, place] * along, first)
        length = np.sqrt(np.maximum(square, 0.0))
        return np.where(length > 1e-12, dots / np.where(length > 1e-12, length, 1.0), 0.0)


def _unit(x):
    x = np.asarray(x, "float32")
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.where(length > 1e-12, x / np.where(length > 1e-12, length, 1.0), 0.0)

"""Similarities of many questions with their pools of answers, from what was encoded once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController

_PART = 32  # Answers that a thread takes at a time.
_THREADED_FROM = 4096  # Pairs; fewer are scored sooner than threads are made.


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
    order = np.lexsort((-words.lengths[rows], pools[rows, columns]))
    rows, columns = rows[order], columns[order]
    numbers, starts = np.unique(pools[rows, columns], return_index=True)
    ends = np.append(starts[1:], len(rows))

    def score(part):
        for number, start, end in zip(numbers[part], starts[part], ends[part]):
            answer, real = np.asarray(answers["features"][number], "float32"), np.asarray(answers["mask"][number])
            answer = answer if real.all() else answer[real]
            if len(answer):
                asked = rows[start:end]
                similarities[asked, columns[start:end]] = words.similarities(asked, answer, score_scale)

    if len(rows) < _THREADED_FROM:
        score(slice(None))
        return similarities
    parts = [slice(begin, begin + _PART) for begin in range(0, len(numbers), _PART)]
    # One answer a thread, and each product on one thread: what is not a product runs side by side too.
    blas = ThreadpoolController().select(user_api="blas")
    threads = max((library["num_threads"] for library in blas.info()), default=1)
    with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        list(pool.map(score, parts))
    return similarities


class _QuestionWords:
    """The tokens of all questions, `(questions, length, width)`, padded with zeros, as `Q` and as `Q U`."""

    def __init__(self, questions, alignment_kernel):
        mask = np.asarray(questions["mask"])
        self.lengths = mask.sum(axis=1)
        self.longest = max(int(self.lengths.max(initial=0)), 1)
        features = np.asarray(questions["features"])
        self.features = np.zeros((len(mask), self.longest, features.shape[2]), "float32")
        self.features[np.arange(self.longest) < self.lengths[:, None]] = features[mask]  # real tokens to the left
        rows = self.features.reshape(-1, features.shape[2])
        self.projected = rows @ np.asarray(alignment_kernel, "float32")

    def similarities(self, asked, answer, score_scale):
        """Score one answer, `(length, width)`, with each of the questions `asked`, which stand longest first.

        The product's rows are all first tokens, then all second tokens and so on: no row is padding, and the highest
        score over a question's tokens is that of a few blocks that lie one under another.
        """
        lengths = self.lengths[asked]
        places = np.arange(lengths[0])[:, None]
        real = places < lengths  # (tokens of the longest, questions)
        scores = self.projected[(asked * self.longest + places)[real]] @ answer.T
        question_scores = np.full(real.shape, -np.inf, "float32")
        question_scores[real] = score_scale * np.tanh(scores.max(axis=1))
        highest, begin = scores[: len(asked)], len(asked)  # of the first tokens; in place, once they are not needed
        for count in real.sum(axis=1)[1:].tolist():
            np.maximum(highest[:count], scores[begin : begin + count], out=highest[:count])
            begin += count
        question_weights = np.ascontiguousarray(_softmax(question_scores, axis=0).T)
        question_vectors = (question_weights[:, None] @ self.features[asked, : len(places)])[:, 0]
        answer_weights = _softmax(score_scale * np.tanh(highest), axis=1)
        return _cosine(question_vectors, answer_weights @ answer)


def _softmax(scores, axis):
    """Return the weights up to their sum, which the cosine takes out, shifted so that none leaves float32's range."""
    return np.exp(scores - scores.max(axis=axis, keepdims=True))


def _cosine(a, b):
    """Return the cosine of each row of `a` with the same row of `b`; 0 where one of them is zero."""
    lengths = np.sqrt(np.einsum("ij,ij->i", a, a)) * np.sqrt(np.einsum("ij,ij->i", b, b))
    return np.einsum("ij,ij->i", a, b) / np.where(lengths > 1e-20, lengths, np.inf)


def _unit(x):
    x = np.asarray(x, "float32")
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.where(length > 1e-12, x / np.where(length > 1e-12, length, 1.0), 0.0)

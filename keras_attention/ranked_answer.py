"""One answer in a ranking, with what belongs to it."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class RankedAnswer:
    """An answer with its score.

    Attributes:
        text: The answer.
        score: Its similarity to the question, a cosine from -1 to 1.
        place: Its place, from 0, among the candidates or in the index.
        question_tokens: The tokens of the question that were read; None if weights were not asked for.
        question_weights: Float32 `(question tokens,)`, how much each was looked at, beside this answer; sum 1.
        answer_tokens: The tokens of the answer that were read.
        answer_weights: Float32 `(answer tokens,)`; sum 1.
    """

    text: str
    score: float
    place: int
    question_tokens: list[str] | None = None
    question_weights: np.ndarray | None = None
    answer_tokens: list[str] | None = None
    answer_weights: np.ndarray | None = None

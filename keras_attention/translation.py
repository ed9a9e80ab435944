"""One translation with what belongs to it."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Translation:
    """A translated sentence.

    Attributes:
        text: The translation.
        score: Its score: the log-probability in nats, or what beam search made of it (see `beam_search`).
        source_tokens: The tokens that were read, the end symbol last.
        target_tokens: The tokens that were written, the end symbol last unless the length limit came first.
        alignment: Float `(target tokens, source tokens)`, each row the weights of one output step; None if not asked
            for.
    """

    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    alignment: np.ndarray | None = None

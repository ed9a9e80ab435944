"""The one structure that every answer-selection loader gives."""

import dataclasses

import numpy


@dataclasses.dataclass(frozen=True, eq=False)
class AnswerSelectionData:
    """Questions, a collection of answers, and per question which answers are right and which stand to choice.

    Attributes:
        questions: tuple of ``Q`` strings.
        answers: tuple of ``A`` strings, the whole collection; answers are named by their place here, from 0.
        gold: tuple of ``Q`` int64 arrays, the right answers of each question. May be empty for a question.
        pools: tuple of ``Q`` int64 arrays, the candidates of each question in the publisher's order, or ``None`` where
            a set comes without pools (then wrong answers are drawn from the collection). A pool need not hold a right
            answer.

    Raises:
        ValueError: lengths differ, or an answer id lies outside the collection.

    Example:
    >>> from keras_attention.data.answer_selection_data import AnswerSelectionData
    >>> data = AnswerSelectionData(["who ?", "where ?"], ["Ada", "here", "now"], [[0], [1]], [[0, 2], [1, 0, 2]])
    >>> data.pool_matrix()[1]
    array([[ 1,  0, -1],
           [ 1,  0,  0]], dtype=int8)
    """

    questions: tuple
    answers: tuple
    gold: tuple
    pools: tuple | None = None

    def __post_init__(self):
        set_field = object.__setattr__
        set_field(self, "questions", tuple(self.questions))
        set_field(self, "answers", tuple(self.answers))
        set_field(self, "gold", self._id_arrays("gold", self.gold))
        if self.pools is not None:
            set_field(self, "pools", self._id_arrays("pools", self.pools))

    def _id_arrays(self, name, lists):
        arrays = tuple(numpy.asarray(ids, dtype="int64").reshape(-1) for ids in lists)
        if len(arrays) != len(self.questions):
            raise ValueError(
                f"{name} must hold one list of answer ids per question. "
                f"Received: {len(arrays)} lists for {len(self.questions)} questions"
            )
        if arrays:
            flat = numpy.concatenate(arrays)
            if flat.size and (flat.min() < 0 or flat.max() >= len(self.answers)):
                wrong = next(q for q, ids in enumerate(arrays) if ((ids < 0) | (ids >= len(self.answers))).any())
                raise ValueError(
                    f"{name} must hold ids from 0 to {len(self.answers) - 1}. "
                    f"Received: {arrays[wrong].tolist()[:20]} at question {wrong}"
                )
        return arrays

    def __repr__(self):
        pools = "no pools" if self.pools is None else f"{sum(map(len, self.pools))} candidates in pools"
        return f"AnswerSelectionData({len(self.questions)} questions, {len(self.answers)} answers, {pools})"

    def pool_labels(self):
        """Return a list of ``Q`` int8 arrays: 1 where the candidate of the pool is right, else 0."""
        self._require_pools()
        return [numpy.isin(pool, gold).astype("int8") for pool, gold in zip(self.pools, self.gold)]

    def pool_matrix(self):
        """Return the pools as two arrays of one width.

        Returns:
            ``candidates``, int64 ``(Q, C)`` answer ids, and ``labels``, int8 ``(Q, C)``: 1 right, 0 wrong. Both are -1
            where a pool is shorter than the widest.
        """
        labels = self.pool_labels()
        width = max((len(pool) for pool in self.pools), default=0)
        candidates = numpy.full((len(self.questions), width), -1, dtype="int64")
        padded_labels = numpy.full(candidates.shape, -1, dtype="int8")
        for row, (pool, pool_label) in enumerate(zip(self.pools, labels)):
            candidates[row, : len(pool)] = pool
            padded_labels[row, : len(pool)] = pool_label
        return candidates, padded_labels

    def select(self, questions):
        """Return the data of some questions, with the whole collection of answers.

        Args:
            questions: question numbers from 0, in the order wanted, or a boolean mask of length ``Q``.
        """
        questions = numpy.asarray(questions)
        if questions.dtype == bool:
            questions = numpy.flatnonzero(questions)
        return AnswerSelectionData(
            questions=[self.questions[i] for i in questions],
            answers=self.answers,
            gold=[self.gold[i] for i in questions],
            pools=None if self.pools is None else [self.pools[i] for i in questions],
        )

    def join(self, other):
        """Return the questions and answers of both, this data's first; pools if both have them.

        Args:
            other: ``AnswerSelectionData``; its answers are named from ``len(self.answers)`` on.
        """
        shift = len(self.answers)
        pools = None
        if self.pools is not None and other.pools is not None:
            pools = [*self.pools, *(pool + shift for pool in other.pools)]
        return AnswerSelectionData(
            questions=self.questions + other.questions,
            answers=self.answers + other.answers,
            gold=[*self.gold, *(ids + shift for ids in other.gold)],
            pools=pools,
        )

    def with_right_answer(self):
        """Return only the questions whose pool holds a right answer.

        This is the protocol of WikiQA ("questions with a correct sentence") and of InsuranceQA's SOLR pools, where
        retrieval missed every right answer of some questions.
        """
        return self.select(numpy.array([bool(row.any()) for row in self.pool_labels()], dtype=bool))

    def with_right_and_wrong_answers(self):
        """Return only the questions whose pool holds both a right and a wrong answer: TREC-QA's "clean" protocol."""
        return self.select(numpy.array([bool(row.any() and not row.all()) for row in self.pool_labels()], dtype=bool))

    def split(self, held_out, seed=0):
        """Split by question into a larger and a held-out part, both with the whole collection of answers.

        Questions that read the same (up to letter case and white space) stay on one side, so that nothing of the
        held-out part is seen in training.

        Args:
            held_out: share of the distinct questions to hold out, between 0 and 1, or their number (an int).
            seed: seed of the draw.

        Returns:
            ``(rest, held_out)``, both ``AnswerSelectionData``, questions in their order.

        Raises:
            ValueError: nothing would be left on one side.
        """
        texts = [" ".join(question.lower().split()) for question in self.questions]
        _, group = numpy.unique(numpy.array(texts, dtype=object), return_inverse=True)
        distinct = int(group.max()) + 1 if len(texts) else 0
        count = held_out if isinstance(held_out, (int, numpy.integer)) else round(held_out * distinct)
        if not 0 < count < distinct:
            raise ValueError(
                f"held_out must leave questions on both sides of {distinct} distinct ones. Received: {held_out!r}"
            )
        drawn = numpy.zeros(distinct, dtype=bool)
        drawn[numpy.random.default_rng(seed).permutation(distinct)[:count]] = True
        return self.select(~drawn[group]), self.select(drawn[group])

    def with_random_pools(self, size, seed=0):
        """Return the data with new pools: the right answers of each question and random others up to ``size``.

        This is the setting of the attentive-pooling paper on InsuranceQA (pools of 500). Candidates are in random
        order; questions without a right answer get wrong candidates only.

        Args:
            size: candidates per pool; a question with more right answers keeps them all.
            seed: seed of the draw.

        Raises:
            ValueError: the collection holds fewer than ``size`` answers.
        """
        if not 0 < size <= len(self.answers):
            raise ValueError(f"size must lie between 1 and the {len(self.answers)} answers. Received: size={size!r}")
        random = numpy.random.default_rng(seed)
        pools = []
        for gold in self.gold:
            gold = numpy.unique(gold)
            missing = max(size - len(gold), 0)
            drawn = random.choice(len(self.answers), min(missing + len(gold), len(self.answers)), replace=False)
            others = drawn[~numpy.isin(drawn, gold)][:missing]
            pools.append(random.permutation(numpy.concatenate([gold, others])))
        return dataclasses.replace(self, pools=tuple(pools))

    def _require_pools(self):
        if self.pools is None:
            raise ValueError("this data has no pools; with_random_pools(size) draws some. Received: pools=None")

"""Which questions meet which answers in one epoch of training, as a pure function of seed and epoch."""

import numpy

from keras_attention.data.negative_sampling import draw_from_rows, draw_without, pad_groups


class EpochPlanner:
    """Plans epochs of answer-selection training; nothing of an epoch depends on the epochs before it.

    Answers are handled as groups of equal token ids (``EncodedAnswerSelection.answer_group``), so an answer that reads
    like a right one is never drawn as wrong, and no wrong answer is drawn twice for a question. Where a question stands
    in the data several times, what is right for it once is never wrong for it.

    Args:
        encoded: ``EncodedAnswerSelection``. Questions without a right answer are passed over.
        seed: seed of order and draws.
        right_answers: ``"one"``: every question once an epoch, with one right answer drawn; ``"all"``: every pair of
            question and right answer once an epoch.

    Raises:
        ValueError: an unknown choice, or no question with a right answer.
    """

    def __init__(self, encoded, seed, right_answers="one"):
        if right_answers not in ("one", "all"):
            raise ValueError(f"right_answers must be 'one' or 'all'. Received: right_answers={right_answers!r}")
        self.encoded = encoded
        self.seed = seed
        self.right_answers = right_answers
        data, group = encoded.data, encoded.answer_group
        counts = numpy.array([len(gold) for gold in data.gold], dtype="int64")
        if not counts.sum():
            raise ValueError(f"at least one question must have a right answer. Received: {data!r}")
        self.gold_question = numpy.repeat(numpy.arange(len(counts)), counts)
        self.gold_answer = numpy.concatenate(data.gold)
        self.gold_begin = numpy.cumsum(counts) - counts
        self.gold_count = counts
        right_groups = _right_groups(encoded)
        self.gold_groups = pad_groups(right_groups)
        self.pool_groups = None
        if data.pools is not None:
            self.pool_groups = pad_groups(
                [numpy.setdiff1d(group[pool], right) for pool, right in zip(data.pools, right_groups)]
            )
        question = numpy.repeat(numpy.arange(len(counts)), [len(right) for right in right_groups])
        self.gold_keys = numpy.unique(question * len(encoded.group_answer) + numpy.concatenate(right_groups))

    @property
    def size(self):
        """Number of examples in an epoch."""
        return len(self.gold_question) if self.right_answers == "all" else int((self.gold_count > 0).sum())

    def random(self, epoch):
        """Return the generator of an epoch."""
        return numpy.random.default_rng([self.seed, epoch])

    def examples(self, random):
        """Return ``(questions, right_answers)``, int64, in the epoch's order."""
        if self.right_answers == "all":
            order = random.permutation(len(self.gold_question))
            return self.gold_question[order], self.gold_answer[order]
        questions = random.permutation(numpy.flatnonzero(self.gold_count))
        place = random.integers(0, self.gold_count[questions])
        return questions, self.gold_answer[self.gold_begin[questions] + place]

    def wrong_answers(self, random, questions, count, pool_count):
        """Return int64 ``(len(questions), count)`` wrong answers, distinct within a row.

        Up to ``pool_count`` come from the question's own pool (fewer if the pool holds fewer wrong ones), the rest
        from the whole collection.

        Raises:
            ValueError: the collection has fewer than ``count`` distinct wrong answers for a question.
        """
        gold = self.gold_groups[questions]
        size = len(self.encoded.group_answer)
        if not pool_count:
            groups = draw_without(random, numpy.full(len(questions), count), gold, size)
        else:
            from_pool = draw_from_rows(random, pool_count, self.pool_groups[questions])
            found = (from_pool >= 0).sum(axis=1)
            others = draw_without(random, count - found, numpy.concatenate([gold, from_pool], axis=1), size)
            # Column c is the pool's c-th, or from where the pool ends the collection's (c - found)-th.
            column = numpy.arange(count)
            from_pool = numpy.pad(from_pool, ((0, 0), (0, count - pool_count)), constant_values=-1)
            place = numpy.clip(column - found[:, None], 0, max(others.shape[1] - 1, 0))
            rest = numpy.take_along_axis(others, place, axis=1) if others.shape[1] else from_pool
            groups = numpy.where(column < found[:, None], from_pool, rest)
        return self.encoded.group_answer[groups]

    def require_wrong_answers(self, count):
        """Refuse data in which a question has fewer than ``count`` distinct wrong answers in the collection."""
        right = numpy.where(self.gold_count > 0, (self.gold_groups >= 0).sum(axis=1), 0)
        left = len(self.encoded.group_answer) - right
        if left.min() < count:
            raise ValueError(
                "every question needs as many distinct wrong answers in the collection as are to be drawn; "
                f"question {left.argmin()} has {left.min()}. Received: {count} to draw"
            )

    def is_right(self, questions, answers):
        """Return booleans ``(len(questions), len(answers))``: is the answer, or one that reads the same, right?"""
        keys = questions[:, None] * len(self.encoded.group_answer) + self.encoded.answer_group[answers]
        place = numpy.minimum(numpy.searchsorted(self.gold_keys, keys), len(self.gold_keys) - 1)
        return self.gold_keys[place] == keys


def _right_groups(encoded):
    """Return, per question, the groups of the answers that are right for it, wherever it stands in the data."""
    rights = [encoded.answer_group[gold] for gold in encoded.data.gold]
    _, same = numpy.unique(encoded.question_ids, axis=0, return_inverse=True)
    same = same.reshape(-1)
    if len(rights) == same.max(initial=-1) + 1:
        return rights
    shared = {}
    for question, right in zip(same, rights):
        shared.setdefault(question, []).append(right)
    return [numpy.unique(numpy.concatenate(shared[question])) for question in same]

"""Answers as one matrix each: the index of AP-CNN and AP-biLSTM."""

import numpy

from keras_attention.retrieval.row_writer import RowWriter, open_rows

_CHUNK = 256  # Candidates scored at a time.


class AnswerFeatureIndex:
    """Feature matrices of answers, ``(tokens of the answer, width)`` each, kept without padding.

    With attentive pooling an answer's vector depends on the question, so no nearest-neighbour search is possible:
    candidates come from outside (BM25, a list of the user's) and get exact scores here. Made by
    ``build_answer_index`` from ``{"features": (answers, length, width), "mask": (answers, length)}`` and read back by
    ``load_answer_index``.

    Args:
        features: ``(tokens of all answers, width)``, float32 or float16, in memory or memory-mapped.
        offsets: int64 ``(answers + 1,)``: answer ``i`` has the rows ``offsets[i]`` to ``offsets[i + 1]``.
    """

    kind = "features"

    def __init__(self, features, offsets):
        self.features = features
        self.offsets = numpy.asarray(offsets, dtype="int64")
        if self.offsets[0] != 0 or self.offsets[-1] != len(features) or (numpy.diff(self.offsets) < 0).any():
            raise ValueError(
                f"offsets must rise from 0 to the {len(features)} rows of features. Received: {self.offsets}"
            )

    def __len__(self):
        return len(self.offsets) - 1

    @property
    def bytes(self):
        """Size of the features in bytes."""
        return self.features.nbytes

    @property
    def lengths(self):
        """Tokens of each answer, int64 ``(answers,)``."""
        return numpy.diff(self.offsets)

    @classmethod
    def from_parts(cls, parts, dtype, directory=None):
        """Build from an iterable of parts, written into ``directory`` if one is given.

        A part is ``{"features": (answers, length, width), "mask": (answers, length)}``, or without padding
        ``{"features": (tokens of all answers, width), "lengths": (answers,)}``.
        """
        writer = RowWriter(dtype, None if directory is None else directory / "features.bin")
        lengths = [numpy.zeros(1, dtype="int64")]
        for part in parts:
            features = numpy.asarray(part["features"])
            if "lengths" in part:
                counts = numpy.asarray(part["lengths"], dtype="int64")
                if features.ndim != 2 or counts.ndim != 1 or counts.sum() != len(features) or (counts < 0).any():
                    raise ValueError(
                        "features must be (tokens of all answers, width) and lengths (answers,) add up to the tokens. "
                        f"Received: features.shape={features.shape}, lengths of {counts.sum()} tokens"
                    )
            else:
                mask = numpy.asarray(part["mask"], dtype=bool)
                if features.ndim != 3 or mask.shape != features.shape[:2]:
                    raise ValueError(
                        "features must be (answers, length, width) and mask (answers, length). "
                        f"Received: features.shape={features.shape}, mask.shape={mask.shape}"
                    )
                features, counts = features[mask], mask.sum(axis=1).astype("int64")
            writer.append(features)
            lengths.append(counts)
        offsets = numpy.cumsum(numpy.concatenate(lengths))
        if directory is not None:
            numpy.save(directory / "offsets.npy", offsets)
        return cls(writer.finish(), offsets)

    def describe(self):
        """Return what ``load`` needs beside the files of features and offsets."""
        return {"dtype": str(self.features.dtype), "shape": list(self.features.shape)}

    def write(self, directory):
        """Write features and offsets into an existing folder."""
        self.features.tofile(directory / "features.bin")
        numpy.save(directory / "offsets.npy", self.offsets)

    @classmethod
    def read(cls, directory, description, memory_map):
        """Read what ``write`` wrote."""
        path = directory / "features.bin"
        features = open_rows(path, description["dtype"], tuple(description["shape"]), memory_map)
        return cls(features, numpy.load(directory / "offsets.npy"))

    def encoded_answers(self):
        """Return ``{"features", "mask"}`` whose ``[i]`` give ``(tokens, width)`` and ``(tokens,)`` of answer ``i``.

        A model's ``score_pools(questions, answers, pools)`` takes it for ``answers``; nothing is padded or copied.
        """
        return {"features": _Rows(self, with_features=True), "mask": _Rows(self, with_features=False)}

    def gather(self, answers):
        """Return some answers padded to the longest of them.

        Args:
            answers: int ``(n,)`` ids.

        Returns:
            ``{"features": float32 (n, longest, width), "mask": bool (n, longest)}``, features 0 at padding; at least
            one column.

        Raises:
            ValueError: an id outside the index.
        """
        answers = self._check(answers)
        lengths = self.lengths[answers]
        longest = max(int(lengths.max(initial=0)), 1)
        features = numpy.zeros((len(answers), longest, self.features.shape[1]), dtype="float32")
        for row, (begin, length) in enumerate(zip(self.offsets[answers], lengths)):
            features[row, :length] = self.features[begin : begin + length]
        return {"features": features, "mask": numpy.arange(longest) < lengths[:, None]}

    def rank(self, question, candidates, scorer, top_k=None):
        """Score candidates of one question exactly and order them.

        Args:
            question: the encoded question, handed on to ``scorer``.
            candidates: int ``(n,)`` ids of answers, say from ``BM25.search``.
            scorer: callable ``(question, answers) -> (n,)`` similarities, with ``answers`` as ``gather`` gives them:
                a model's ``score``. It is called with candidates of like length together, to save padding.
            top_k: how many to give back; ``None``: all.

        Returns:
            ``ids``, int64 ``(k,)``, best first, equal scores in the order given, and ``scores``, float32 ``(k,)``.

        Raises:
            ValueError: an id outside the index, or a scorer that gives another number of scores.
        """
        candidates = self._check(candidates)
        scores = numpy.zeros(len(candidates), dtype="float32")
        by_length = numpy.argsort(self.lengths[candidates], kind="stable")
        for begin in range(0, len(candidates), _CHUNK):
            rows = by_length[begin : begin + _CHUNK]
            found = numpy.asarray(scorer(question, self.gather(candidates[rows])), dtype="float32")
            if found.shape != (len(rows),):
                raise ValueError(f"scorer must give {len(rows)} scores. Received: shape {found.shape}")
            scores[rows] = found
        order = numpy.argsort(-scores, kind="stable")[:top_k]
        return candidates[order], scores[order]

    def _check(self, answers):
        answers = numpy.asarray(answers, dtype="int64").reshape(-1)
        if answers.size and (answers.min() < 0 or answers.max() >= len(self)):
            raise ValueError(f"ids must lie between 0 and {len(self) - 1}. Received: {answers[:20]}")
        return answers


class _Rows:
    """The answers' matrices, or masks of their lengths, by number."""

    def __init__(self, index, with_features):
        self.index = index
        self.with_features = with_features

    def __len__(self):
        return len(self.index)

    def __getitem__(self, answer):
        begin, end = self.index.offsets[answer], self.index.offsets[answer + 1]
        return self.index.features[begin:end] if self.with_features else numpy.ones(end - begin, dtype=bool)

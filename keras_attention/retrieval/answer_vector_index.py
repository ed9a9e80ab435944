"""Answers as one vector each: the index of QA-CNN and QA-biLSTM."""

import numpy

from keras_attention.retrieval.inverted_lists import InvertedLists, import_faiss
from keras_attention.retrieval.row_writer import RowWriter, open_rows

_LISTS_FILE = "lists.faiss"
_BLOCK = 65_536  # Rows compared at a time: bounds the float32 copy of a float16 or memory-mapped index.


class AnswerVectorIndex:
    """Unit vectors of answers, searched by cosine with ``faiss``: exactly, or most of the best ones in far less time.

    Made by ``build_answer_index`` from ``{"vector": (answers, width)}`` and read back by ``load_answer_index``.
    Vectors are brought to length 1 when the index is built; a zero vector stays zero and has similarity 0 to anything.

    An exact search reads every vector. From some hundred thousand answers on, ``make_approximate`` puts them into
    inverted lists, of which a search reads a few; what it misses is the price, and is measured.

    Args:
        vectors: ``(answers, width)`` unit vectors, float32 or float16, in memory or memory-mapped.
        lists: ``InvertedLists`` of the same vectors, or ``None``.

    Example:
    >>> import numpy
    >>> from keras_attention.retrieval.answer_index import build_answer_index
    >>> index = build_answer_index({"vector": numpy.random.default_rng(0).normal(size=(200, 4))})
    >>> index.make_approximate(recall=0.9) >= 0.9
    True
    """

    kind = "vector"

    def __init__(self, vectors, lists=None):
        self.vectors = vectors
        self.lists = lists

    def __len__(self):
        return len(self.vectors)

    @property
    def bytes(self):
        """Size of the vectors in bytes."""
        return self.vectors.nbytes

    @classmethod
    def from_parts(cls, parts, dtype, directory=None):
        """Build from an iterable of ``{"vector": (n, width)}``, written into ``directory`` if one is given."""
        writer = RowWriter(dtype, None if directory is None else directory / "vectors.bin")
        for part in parts:
            writer.append(_unit(part["vector"]))
        return cls(writer.finish())

    def describe(self):
        """Return what ``load`` needs beside the file of vectors."""
        description = {"dtype": str(self.vectors.dtype), "shape": list(self.vectors.shape)}
        return description if self.lists is None else {**description, "probes": self.lists.probes}

    def write(self, directory):
        """Write the vectors into an existing folder."""
        self.vectors.tofile(directory / "vectors.bin")
        if self.lists is not None:
            self.lists.write(directory / _LISTS_FILE)

    @classmethod
    def read(cls, directory, description, memory_map):
        """Read what ``write`` wrote."""
        path = directory / "vectors.bin"
        lists = None
        if "probes" in description:
            lists = InvertedLists.read(directory / _LISTS_FILE, description["probes"])
        return cls(open_rows(path, description["dtype"], tuple(description["shape"]), memory_map), lists)

    def make_approximate(self, recall=0.95, *, questions=None, top_k=10, sample=1000, seed=0):
        """Put the answers into inverted lists, so that ``search`` need not read all of them.

        Args:
            recall: share of the true ``top_k`` that is to be found, from 0 to 1. Sets how much a search reads.
            questions: encoded questions, as in ``search``, on which the recall is measured; best real ones. ``None``:
                answers stand in for questions, and are not counted among their own results.
            top_k: answers per question for which the recall is meant.
            sample: how many questions are used.
            seed: seed of the sample and of the lists.

        Returns:
            The recall measured.

        Raises:
            ImportError: ``faiss`` is not installed.
            ValueError: no answers, or a recall that is not above 0 and at most 1.
        """
        if not 0 < recall <= 1 or not len(self):
            raise ValueError(
                f"expected 0 < recall <= 1 and some answers. Received: recall={recall}, {len(self)} answers"
            )
        random = numpy.random.default_rng(seed)
        stand_in = questions is None
        asked = self.vectors if stand_in else self._questions(questions)
        rows = numpy.sort(random.permutation(len(asked))[:sample])
        asked = numpy.ascontiguousarray(asked[rows], dtype="float32")
        expected, _ = self.search(asked, top_k + stand_in, approximate=False)
        if stand_in:  # the answer itself stands first, or an equal one does
            own = expected == rows[:, None]
            own[~own.any(axis=1), -1] = True
            expected = expected[~own].reshape(len(expected), -1)
        self.lists = InvertedLists.build(self.vectors, seed=seed)
        return self.lists.tune(asked, expected, recall, top_k + stand_in) if expected.shape[1] else 1.0

    def search(self, questions, top_k=10, approximate=None):
        """Return the best answers of the whole index for many questions.

        Args:
            questions: ``{"vector": (questions, width)}`` as ``encode_questions`` gives, or the array itself.
            top_k: answers per question.
            approximate: whether to read only what ``make_approximate`` found enough; ``None``: if that was called.

        Returns:
            ``ids``, int64 ``(questions, k)``, best first, answers of equal score in order of place, and ``scores``,
            float32 of that shape: cosines. ``k`` is ``min(top_k, answers)``. An approximate search may leave out any of
            equal ones.

        Raises:
            ImportError: ``faiss`` is not installed.
            ValueError: another width, ``top_k`` below 1, or ``approximate`` without lists.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1. Received: top_k={top_k!r}")
        if approximate and self.lists is None:
            raise ValueError("call `make_approximate` first. Received: approximate=True for an index without lists")
        unit = self._questions(questions)
        if self.lists is None or approximate is False:
            return self._search_all(unit, top_k)
        ids, scores = self.lists.search(unit, min(top_k, len(self)))
        few = (ids < 0).any(axis=1)  # the lists read held fewer answers than were asked for
        if few.any():
            ids[few], scores[few] = self._search_all(unit[few], top_k)
        return ids, scores

    def _search_all(self, unit, top_k):
        found_ids, found_scores = [], []
        for begin in range(0, len(self), _BLOCK):
            block = numpy.ascontiguousarray(self.vectors[begin : begin + _BLOCK], dtype="float32")
            ids, scores = _best_of_block(unit, block, min(top_k, len(block)))
            found_scores.append(scores)
            found_ids.append(ids + begin)
        if not found_ids:
            return numpy.zeros((len(unit), 0), "int64"), numpy.zeros((len(unit), 0), "float32")
        ids, scores = numpy.concatenate(found_ids, axis=1), numpy.concatenate(found_scores, axis=1)
        order = numpy.lexsort((ids, -scores), axis=1)[:, :top_k]
        return numpy.take_along_axis(ids, order, axis=1), numpy.take_along_axis(scores, order, axis=1)

    def score_candidates(self, questions, candidates):
        """Return the cosines of given pairs.

        Args:
            questions: as in ``search``.
            candidates: int ``(questions, C)`` ids of answers, -1 as padding.

        Returns:
            float32 ``(questions, C)``, 0 at padding.
        """
        unit = self._questions(questions)
        rows = zip(unit, numpy.asarray(candidates))
        scores = [numpy.asarray(self.vectors[pool], "float32") @ vector for vector, pool in rows]
        return numpy.where(numpy.asarray(candidates) < 0, numpy.float32(0), numpy.stack(scores))

    def _questions(self, questions):
        vectors = questions["vector"] if isinstance(questions, dict) else questions
        unit = _unit(numpy.atleast_2d(vectors))
        if unit.ndim != 2 or unit.shape[1] != self.vectors.shape[1]:
            raise ValueError(
                f"questions must be (questions, {self.vectors.shape[1]}). Received: shape {numpy.shape(vectors)}"
            )
        return unit


def _best_of_block(unit, block, k):
    """Return ids and scores `(questions, k)` of the best rows; of equal ones the first belong to them."""
    faiss = import_faiss()
    # One more than wanted shows whether the last has an equal that was left out, which may stand before it.
    scores, ids = faiss.knn(unit, block, min(k + 1, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
    tied = numpy.flatnonzero(scores[:, k - 1] == scores[:, k]) if k < len(block) else ()
    order = numpy.lexsort((ids, -scores), axis=1)[:, :k]
    ids, scores = numpy.take_along_axis(ids, order, axis=1), numpy.take_along_axis(scores, order, axis=1)
    for row in tied:
        every = block @ unit[row]
        near = numpy.flatnonzero(every >= numpy.partition(every, -k)[-k])
        ids[row] = near[numpy.argsort(-every[near], kind="stable")[:k]]
        scores[row] = every[ids[row]]
    return ids, scores


def _unit(vectors):
    vectors = numpy.asarray(vectors, dtype="float32")
    length = numpy.linalg.norm(vectors, axis=-1, keepdims=True)
    return numpy.ascontiguousarray(vectors / numpy.where(length > 1e-12, length, 1.0))

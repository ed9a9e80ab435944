"""Answers as one vector each: the index of QA-CNN and QA-biLSTM."""

import numpy

from keras_attention.retrieval.row_writer import RowWriter, open_rows

_BLOCK = 65_536  # Rows compared at a time: bounds the float32 copy of a float16 or memory-mapped index.


class AnswerVectorIndex:
    """Unit vectors of answers, searched exactly by cosine with ``faiss``.

    Made by ``build_answer_index`` from ``{"vector": (answers, width)}`` and read back by ``load_answer_index``.
    Vectors are brought to length 1 when the index is built; a zero vector stays zero and has similarity 0 to anything.

    Args:
        vectors: ``(answers, width)`` unit vectors, float32 or float16, in memory or memory-mapped.
    """

    kind = "vector"

    def __init__(self, vectors):
        self.vectors = vectors

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
        return {"dtype": str(self.vectors.dtype), "shape": list(self.vectors.shape)}

    def write(self, directory):
        """Write the vectors into an existing folder."""
        self.vectors.tofile(directory / "vectors.bin")

    @classmethod
    def read(cls, directory, description, memory_map):
        """Read what ``write`` wrote."""
        path = directory / "vectors.bin"
        return cls(open_rows(path, description["dtype"], tuple(description["shape"]), memory_map))

    def search(self, questions, top_k=10):
        """Return the best answers of the whole index for many questions.

        Args:
            questions: ``{"vector": (questions, width)}`` as ``encode_questions`` gives, or the array itself.
            top_k: answers per question.

        Returns:
            ``ids``, int64 ``(questions, k)``, best first, and ``scores``, float32 of that shape: cosines. ``k`` is
            ``min(top_k, answers)``.

        Raises:
            ImportError: ``faiss`` is not installed.
            ValueError: another width, or ``top_k`` below 1.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1. Received: top_k={top_k!r}")
        faiss = _import_faiss()
        unit = self._questions(questions)
        found_ids, found_scores = [], []
        for begin in range(0, len(self), _BLOCK):
            block = numpy.ascontiguousarray(self.vectors[begin : begin + _BLOCK], dtype="float32")
            k = min(top_k, len(block))
            scores, ids = faiss.knn(unit, block, k, metric=faiss.METRIC_INNER_PRODUCT)
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


def _unit(vectors):
    vectors = numpy.asarray(vectors, dtype="float32")
    length = numpy.linalg.norm(vectors, axis=-1, keepdims=True)
    return numpy.ascontiguousarray(vectors / numpy.where(length > 1e-12, length, 1.0))


def _import_faiss():
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "searching vectors wants the package faiss-cpu: pip install 'keras_attention[selection]'"
        ) from error
    return faiss

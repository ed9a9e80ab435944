"""Approximate nearest neighbours: vectors in lists by their nearest centre, of which a search reads a few."""

import math

import numpy

_BLOCK = 65_536  # Vectors handed over at a time.
_TRAINED_ON = 64  # Vectors per centre that the centres are computed from.


class InvertedLists:
    """Unit vectors in ``faiss`` inverted lists (IVF): similarities are exact, but not every vector is looked at.

    About ``4 sqrt(n)`` centres are computed from a sample, and every vector is put into the list of its nearest centre.
    A search compares the question with all centres and then with the vectors of the nearest ``probes`` lists, so it
    reads about ``n * probes / lists`` vectors. It has no tuning but ``probes``, and its scores are the cosines
    themselves.

    Made by ``InvertedLists.build``.

    Args:
        index: A ``faiss.IndexIVFFlat``.
        probes: Lists read per question.

    Reference: Jégou, Douze, Schmid 2011, "Product quantization for nearest neighbor search", section IV (the inverted
    file, here without the quantised codes).
    """

    def __init__(self, index, probes):
        self.index = index
        self.probes = probes

    @classmethod
    def build(cls, vectors, lists=None, seed=0):
        """Put vectors into lists.

        Args:
            vectors: ``(n, width)`` unit vectors, float32 or float16, in memory or memory-mapped.
            lists: number of lists; ``None``: about ``4 sqrt(n)``, at least 39 vectors a list on average.
            seed: seed of the sample and of the centres.

        Returns:
            ``InvertedLists`` with one probe; see ``tune``.
        """
        faiss = import_faiss()
        count, width = vectors.shape
        lists = lists or max(1, min(int(4 * math.sqrt(count)), count // 39))
        quantizer = faiss.IndexFlatIP(width)
        index = faiss.IndexIVFFlat(quantizer, width, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed, index.cp.niter, index.cp.spherical = seed + 1, 10, True
        rows = numpy.random.default_rng(seed).permutation(count)[: lists * _TRAINED_ON]
        index.train(numpy.ascontiguousarray(vectors[numpy.sort(rows)], dtype="float32"))
        for begin in range(0, count, _BLOCK):
            index.add(numpy.ascontiguousarray(vectors[begin : begin + _BLOCK], dtype="float32"))
        return cls(index, 1)

    def tune(self, questions, expected, recall, top_k=None):
        """Read as many lists as give the recall, and no more than a tenth more.

        These questions are a sample: what is held to ``recall`` is the lower end of the 95 % interval of their mean, so
        that other questions of the kind find as much.

        Args:
            questions: ``(questions, width)`` float32 unit vectors.
            expected: int ``(questions, k)``: what the exact search finds.
            recall: share of ``expected`` to be found, from 0 to 1.
            top_k: how many to search for; ``None``: k.

        Returns:
            The recall reached.
        """
        probes, reached = 1, 0.0
        while True:
            self.probes = min(probes, self.index.nlist)
            found, _ = self.search(questions, top_k or expected.shape[1])
            shares = numpy.array([numpy.isin(e, f).mean() for e, f in zip(expected, found)])
            reached = float(shares.mean())
            if reached - 1.96 * shares.std() / math.sqrt(len(shares)) >= recall or self.probes == self.index.nlist:
                return reached
            probes = max(probes + 1, round(probes * 1.1))

    def search(self, questions, top_k):
        """Return ``ids`` int64 and ``scores`` float32, ``(questions, top_k)``; -1 where the lists read held fewer."""
        faiss = import_faiss()
        scores, ids = self.index.search(questions, top_k, params=faiss.SearchParametersIVF(nprobe=self.probes))
        return ids, scores

    def write(self, path):
        """Write lists and vectors into one file."""
        import_faiss().write_index(self.index, str(path))

    @classmethod
    def read(cls, path, probes):
        """Read what ``write`` wrote."""
        return cls(import_faiss().read_index(str(path)), probes)


def import_faiss():
    """Return the module ``faiss``, or raise an ``ImportError`` that says how to install it."""
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "searching vectors wants the package faiss-cpu: pip install 'keras_attention[selection]'"
        ) from error
    return faiss

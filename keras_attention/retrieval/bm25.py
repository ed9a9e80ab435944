"""BM25, the lexical baseline of every table and the source of candidates for models that score pairs."""

import json
import re
from pathlib import Path

import numpy

_WORD = re.compile(r"[^\W_]+")
_STEMMER_FILE = "stemmer.json"


def split_words(text):
    """Return the runs of letters and digits of ``text``, lower-cased.

    >>> split_words("What's a Co-pay, 20%?")
    ['what', 's', 'a', 'co', 'pay', '20']
    """
    return match_words(text.lower())


def match_words(text):
    """Return the runs of letters and digits of ``text`` as they are spelled."""
    return _WORD.findall(text)


class BM25:
    """BM25 scores over a collection of answers, computed by the package ``bm25s``.

    ``score(q, a) = sum over words w of q, repeated ones counted, of idf(w) tf / (tf + k1 (1 - b + b |a| / mean |a|))``
    with ``idf(w) = log(1 + (A - n_w + 0.5) / (n_w + 0.5))``, ``tf`` the count of ``w`` in ``a``, ``n_w`` the answers
    that hold it and ``A`` all answers: the variant of Lucene, which is never negative. Words are lower-cased runs of
    letters and digits; nothing is left out, and nothing stemmed unless a stemmer is named.

    Where answers are single sentences, a stemmer and a small ``k1`` and ``b``, such as 0.4 and 0.2, are often
    better than the usual values.

    The statistics are those of the collection given here: the scores of a pool depend on it.

    Args:
        answers: sequence of strings, named by their place from 0.
        k1: how fast a repeated word stops counting.
        b: how much long answers are held back, from 0 to 1.
        stemmer: language of a Snowball stemmer of the package ``PyStemmer``, such as ``"english"``, to which ``runs``
            and ``running`` are the same word; ``None``: words as they are.

    Raises:
        ImportError: ``bm25s`` is not installed, or ``PyStemmer`` where a stemmer is named.
        ValueError: no answer holds a word, or a parameter out of range.

    Example:
    >>> from keras_attention.retrieval.bm25 import BM25
    >>> bm25 = BM25(["the cat sat", "a dog barked", "the dog and the cat"])
    >>> ids, scores = bm25.search("a cat", top_k=2)
    >>> ids.tolist()
    [1, 0]

    Reference: Robertson and Zaragoza 2009, The probabilistic relevance framework: BM25 and beyond; Lu 2024, BM25S;
    Porter 1980, An algorithm for suffix stripping.
    """

    def __init__(self, answers, *, k1=1.2, b=0.75, stemmer=None):
        if k1 < 0 or not 0 <= b <= 1:
            raise ValueError(f"k1 must be at least 0 and b from 0 to 1. Received: k1={k1!r}, b={b!r}")
        self._set_stemmer(stemmer)
        words = [self._words(answer) for answer in answers]
        if not any(words):
            raise ValueError(f"at least one answer must hold a word. Received: {len(words)} answers without any")
        self._index = _import_bm25s().BM25(k1=k1, b=b, method="lucene")
        self._index.index(words, show_progress=False)
        self._count = len(words)

    def _set_stemmer(self, language):
        self.stemmer = language
        self._stem = None if language is None else make_stemmer(language).stemWords

    def _words(self, text):
        words = split_words(text)
        return words if self._stem is None else self._stem(words)

    def __len__(self):
        return self._count

    def scores(self, question):
        """Return float32 ``(answers,)``, the score of every answer for one question."""
        words = [word for word in self._words(question) if word in self._index.vocab_dict]
        if not words:
            return numpy.zeros(self._count, dtype="float32")
        return numpy.asarray(self._index.get_scores(words), dtype="float32")

    def score_pools(self, questions, candidates):
        """Return the scores of each question's candidates.

        Args:
            questions: sequence of ``Q`` strings.
            candidates: int ``(Q, C)`` places of answers, -1 as padding, as ``AnswerSelectionData.pool_matrix`` gives.

        Returns:
            float32 ``(Q, C)``; 0 at padding.

        Raises:
            ValueError: the shapes do not fit, or a candidate lies outside the collection.
        """
        candidates = checked_candidates(candidates, len(questions), self._count)
        rows = [self.scores(question)[pool] for question, pool in zip(questions, candidates)]
        scores = numpy.stack(rows) if rows else numpy.zeros(candidates.shape, dtype="float32")
        return numpy.where(candidates < 0, numpy.float32(0), scores)

    def search(self, question, top_k=10):
        """Return the best answers of the collection.

        Args:
            question: a string.
            top_k: how many.

        Returns:
            ``ids``, int64 ``(min(top_k, answers),)``, best first, answers of equal score in order of place; and
            ``scores``, float32 of the same shape.

        Raises:
            ValueError: ``top_k`` below 1.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1. Received: top_k={top_k!r}")
        scores = self.scores(question)
        candidates = numpy.arange(len(scores))
        if top_k < len(scores):  # those that can be among the best: with all that equal the last of them
            candidates = numpy.flatnonzero(scores >= numpy.partition(scores, -top_k)[-top_k])
        order = candidates[numpy.argsort(-scores[candidates], kind="stable")][:top_k]
        return order, scores[order]

    def postings(self):
        """Return the index itself, for a search elsewhere: a question's score is the sum over its words.

        Returns:
            Dict of `words`, the list of words, stemmed if there is a stemmer; `offsets`, int64 ``(words + 1,)``; and,
            for word ``w`` in the rows ``offsets[w]`` to ``offsets[w + 1]``, `places`, int32, the answers that hold it,
            and `scores`, float32, what it adds to theirs.
        """
        stored, ids = self._index.scores, self._index.vocab_dict
        words = [word for word in sorted(ids, key=ids.get) if ids[word] < len(stored["indptr"]) - 1]
        return {
            "words": words,
            "offsets": numpy.asarray(stored["indptr"], "int64")[: len(words) + 1],
            "places": numpy.asarray(stored["indices"], "int32"),
            "scores": numpy.asarray(stored["data"], "float32"),
        }

    def save(self, directory):
        """Write the index into a folder, which is made if missing."""
        self._index.save(str(directory), show_progress=False)
        (Path(directory) / _STEMMER_FILE).write_text(json.dumps(self.stemmer) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory, *, memory_map=False):
        """Read an index that ``save`` wrote.

        Args:
            directory: the folder.
            memory_map: leave the scores on disk and let the system page them in.

        Raises:
            ImportError: ``bm25s`` is not installed, or ``PyStemmer`` for an index with a stemmer.
            ValueError: no index stands there.
        """
        bm25s = _import_bm25s()
        try:
            index = bm25s.BM25.load(str(directory), mmap=memory_map)
        except FileNotFoundError as error:
            raise ValueError(f"expected an index written by save. Received: directory={str(directory)!r}") from error
        loaded = cls.__new__(cls)
        stemmer = Path(directory) / _STEMMER_FILE
        loaded._set_stemmer(json.loads(stemmer.read_text(encoding="utf-8")) if stemmer.exists() else None)
        loaded._index = index
        loaded._count = int(index.scores["num_docs"])
        return loaded


def _import_bm25s():
    try:
        import bm25s
    except ImportError as error:
        raise ImportError("BM25 wants the package bm25s: pip install 'keras_attention[selection]'") from error
    return bm25s


def checked_candidates(candidates, question_count, answer_count):
    """Return `candidates` as an array; an error if it is not `(questions, C)`, or one lies outside the answers."""
    candidates = numpy.asarray(candidates)
    if candidates.ndim != 2 or len(candidates) != question_count:
        raise ValueError(f"candidates must be ({question_count}, C). Received: candidates.shape={candidates.shape}")
    if candidates.size and candidates.max() >= answer_count:
        raise ValueError(
            f"candidates must be below the {answer_count} answers. Received: {candidates.max()} among them"
        )
    return candidates


def make_stemmer(language):
    """Return a Snowball stemmer of ``PyStemmer``."""
    try:
        import Stemmer
    except ImportError as error:
        raise ImportError("A stemmer wants the package PyStemmer: pip install 'keras_attention[selection]'") from error
    if language not in Stemmer.algorithms():
        raise ValueError(f"stemmer must be one of {sorted(Stemmer.algorithms())}, or None. Received: {language!r}")
    return Stemmer.Stemmer(language)

"""What a question and an answer have in common as words, and whether the answer is of the kind that is asked for."""

import json
from pathlib import Path

import numpy

from keras_attention.data.text_lines import find_file
from keras_attention.evaluation import fit_listwise
from keras_attention.retrieval.bm25 import checked_candidates, make_stemmer, match_words, split_words
from keras_attention.retrieval.overlap_features import (
    BY_VECTORS,
    FORMS,
    SHARED,
    form_features,
    kinds_of_words,
    shared_features,
    vector_features,
)

_MOST_PAIRS = 100_000  # Pairs that the weights are fitted to; more tell little more, and want gigabytes.
_CUE_SHARE = 0.01  # of the training questions that hold a word, for it to be a cue


class WordOverlap:
    """A linear ranker on words: how much of the question an answer holds, and the form that such questions want.

    ``score(q, a) = w . f(q, a)``. The features ``f``, words being compared in lower case and stemmed if a stemmer is
    named:

    - what is shared: the words of ``q`` that ``a`` holds, as a share of the words of ``q``, once weighted by
      ``idf(w) = log(A / (df(w) + 0.5))`` and once not; their idf summed, over 30; the share of neighbouring pairs of
      ``q`` that are neighbours in ``a``; whether all words are there; how early the first of them stands in ``a``,
      ``max(0, 1 - log(1 + place) / 4)`` with ``place`` from 0; and the greatest weighted share within 12 neighbouring
      words of ``a``;
    - with word vectors, what is similar: the weighted share once more, where a word of ``q`` that ``a`` does not hold
      counts the greatest cosine of its vector with that of a word of ``a``, at least 0; and the cosine of the sums of
      ``q``'s distinct and ``a``'s words' vectors, each of length 1 times its word's idf;
    - the form of what ``a`` adds, of its words that ``q`` does not hold: ``log(1 + words) / 4``,
      ``log(1 + capitalised words) / 2``, whether there is a number among them, and whether one of four digits;
    - the form once more for each cue: a word that one in a hundred training questions holds. So "when" may want a year,
      "how many" a number and "who" a name, which a model of lower-cased word vectors hardly sees in a year it has never
      met. Which cue wants what is learnt, not written down.

    The weights ``w`` are those of ``fit_listwise`` on the pools that were trained on: a convex problem with one
    solution, fitted in seconds. Beside a model's similarities the scores count ``weight``, chosen by
    ``choose_weight_beside`` on questions held out.

    Made by ``WordOverlap.train`` or ``load``.

    Args:
        inverse_frequencies: dict from a word, stemmed if there is a stemmer, to its idf.
        unknown: idf of a word that is not among them.
        cues: sequence of words, lower-cased.
        weights: float ``(7 + 4 (1 + cues),)``, with word vectors ``(9 + 4 (1 + cues),)``.
        stemmer: language of a Snowball stemmer of the package ``PyStemmer``, such as ``"english"``; ``None``: none.
        weight: what a point adds to a model's similarity; ``None`` if not chosen yet.
        vector_words: sequence of lower-cased words that have a vector; of one that stands twice the last counts.
        vectors: ``(vector_words, d)``; ``None``: no vectors.

    Raises:
        ImportError: ``PyStemmer`` is not installed and a stemmer is named.
        ValueError: another number of weights, or of vectors.

    Example:
    >>> from keras_attention.data.answer_selection_data import AnswerSelectionData
    >>> from keras_attention.retrieval.word_overlap import WordOverlap
    >>> answers = ["Ada wrote it", "in 1843", "in the garden", "by hand"]
    >>> data = AnswerSelectionData(["when was it ?", "who wrote it ?"], answers, [[1], [0]], [[0, 1, 2], [3, 0]])
    >>> overlap = WordOverlap.train(data)
    >>> overlap.score_pools(["when did she live ?"], answers, [[2, 1]])[0].argmax()
    np.int64(1)

    References: Severyn and Moschitti 2015, Learning to rank short text pairs with convolutional deep neural networks,
    section 4.2 (overlap features beside a network); Li and Roth 2002, Learning question classifiers (answer kinds);
    Yih, Chang, Meek and Pastusiak 2013, Question answering using enhanced lexical semantic models, section 4 (words
    that are similar count as shared).
    """

    def __init__(
        self,
        inverse_frequencies,
        unknown,
        cues,
        weights,
        *,
        stemmer=None,
        weight=None,
        vector_words=(),
        vectors=None,
    ):
        self.inverse_frequencies = dict(inverse_frequencies)
        self.unknown = float(unknown)
        self.cues = tuple(cues)
        self.weights = numpy.asarray(weights, "float64")
        self.stemmer = stemmer
        self.weight = weight
        self._stem = list if stemmer is None else make_stemmer(stemmer).stemWords
        self.vector_words, self.vectors = tuple(vector_words), None
        self._vector_rows = {word: row for row, word in enumerate(self.vector_words)}
        if vectors is not None or self.vector_words:
            self.vectors = _of_length_one(vectors, len(self.vector_words))
        size = len(self.feature_names)
        if self.weights.shape != (size,):
            raise ValueError(f"weights must be ({size},). Received: weights.shape={self.weights.shape}")

    @classmethod
    def train(cls, data, *, stemmer=None, ridge=3.0, vector_words=(), vectors=None):
        """Count words in the answers of a training set, and fit the weights to its pools.

        Args:
            data: ``AnswerSelectionData`` with pools, none of them reported or held out. With more than 100,000
                pairs the weights are fitted to a part of the questions.
            stemmer: as above.
            ridge: as in ``fit_listwise``.
            vector_words, vectors: as above, of words that answers to come may hold, say as GloVe publishes them.

        Returns:
            A ``WordOverlap``.

        Raises:
            ImportError: as above.
            ValueError: data without pools, or without a pool that holds a right and a wrong answer; other vectors
                than words.
        """
        if data.pools is None:
            raise ValueError("WordOverlap is trained on candidates: expected data with pools. Received: pools=None")
        stem = list if stemmer is None else make_stemmer(stemmer).stemWords
        held, asked = {}, {}
        for answer in data.answers:
            for word in set(stem(split_words(answer))):
                held[word] = held.get(word, 0) + 1
        for question in data.questions:
            for word in set(split_words(question)):
                asked[word] = asked.get(word, 0) + 1
        count = max(len(data.answers), 2)
        idf = {word: max(float(numpy.log(count / (number + 0.5))), 0.05) for word, number in held.items()}
        cues = [word for word in sorted(asked, key=lambda w: (-asked[w], w)) if asked[word] >= _cue_count(data)]
        size = len(_names(cues, vectors is not None))
        given = {"stemmer": stemmer, "vector_words": vector_words, "vectors": vectors}
        made = cls(idf, float(numpy.log(count / 0.5)), cues, numpy.zeros(size), **given)
        candidates, labels = data.pool_matrix()
        kept = _some_questions((candidates >= 0).sum(axis=1))
        candidates, labels = candidates[kept], labels[kept]
        real = candidates >= 0
        rows = made._feature_rows([data.questions[number] for number in kept], data.answers, candidates)
        starts = numpy.append(0, numpy.cumsum(real.sum(axis=1)))[:-1]
        features = numpy.concatenate([numpy.zeros((0, size)), *(features for _, features in rows)])
        made.weights = fit_listwise(features, labels[real], starts, ridge)
        return made

    def score_pools(self, questions, answers, candidates):
        """Return the scores of each question's candidates.

        Args:
            questions: sequence of ``Q`` strings.
            answers: sequence of strings.
            candidates: int ``(Q, C)`` places in ``answers``, -1 as padding.

        Returns:
            float32 ``(Q, C)``; 0 at padding.

        Raises:
            ValueError: the shapes do not fit, or a candidate lies outside the answers.
        """
        candidates = checked_candidates(candidates, len(questions), len(answers))
        scores = numpy.zeros(candidates.shape, "float32")
        for row, features in self._feature_rows(questions, answers, candidates):
            scores[row, candidates[row] >= 0] = features @ self.weights
        return scores

    def features(self, question, answers):
        """Return the features of one question with some answers, float64 ``(answers, features)``."""
        return next(self._feature_rows([question], answers, numpy.arange(len(answers))[None]))[1]

    @property
    def feature_names(self):
        """Names of the features, in the order of ``weights``: ``"when: year"`` is the form beside a cue."""
        return _names(self.cues, self.vectors is not None)

    def _feature_rows(self, questions, answers, candidates):
        """Yield `(number, features)` of each question, the features `(its candidates, K)`."""
        ids, words = {}, {}
        for place in numpy.unique(candidates[candidates >= 0]).tolist():
            words[place] = self._words_of(answers[place], ids)
        slots = numpy.full(len(ids), -1)  # of a word in the question at hand
        for number, question in enumerate(questions):
            pool = candidates[number][candidates[number] >= 0].tolist()
            if not pool:
                yield number, numpy.zeros((0, len(self.weights)))
                continue
            asked = split_words(question)
            stems = self._stem(asked)
            slot_of = {stem: slot for slot, stem in enumerate(dict.fromkeys(stems))}
            known = [ids[stem] for stem in slot_of if stem in ids]
            slots[known] = [slot for stem, slot in slot_of.items() if stem in ids]
            found = slots[numpy.concatenate([words[place]["ids"] for place in pool])]
            slots[known] = -1
            sizes = [len(words[place]["ids"]) for place in pool]
            where = found, numpy.repeat(numpy.arange(len(pool)), sizes), len(pool)
            idf = self._idf(slot_of)
            parts = [shared_features(numpy.array([slot_of[stem] for stem in stems], "int64"), idf, *where)]
            if self.vectors is not None:
                spelled = dict(zip(stems[::-1], asked[::-1]))  # the first spelling of each
                own = self.vectors[self._rows_of_vectors([spelled[stem] for stem in slot_of])]
                rows = numpy.concatenate([words[place]["rows"] for place in pool])
                sums = numpy.stack([words[place]["sum"] for place in pool])
                rows, back = numpy.unique(rows, return_inverse=True)  # a table may have millions
                parts.append(vector_features(idf, own, (own @ self.vectors[rows].T)[:, back], sums, *where))
            form = form_features(numpy.concatenate([words[place]["kinds"] for place in pool]), *where)
            asks = numpy.isin(self.cues, asked) if self.cues else numpy.zeros(0, bool)
            by_cue = numpy.where(asks[:, None], form[:, None], 0.0).reshape(len(pool), len(FORMS) * len(self.cues))
            yield number, numpy.concatenate([*parts, form, by_cue], axis=1)

    def _words_of(self, answer, ids):
        """Return what the features want of an answer's words, a dict; words that are new get a number in `ids`."""
        spelled = match_words(answer)
        lower = [word.lower() for word in spelled]
        stems = self._stem(lower)
        found = {
            "ids": numpy.array([ids.setdefault(stem, len(ids)) for stem in stems], "int64"),
            "kinds": kinds_of_words(spelled),
        }
        if self.vectors is not None:
            found["rows"] = self._rows_of_vectors(lower)
            found["sum"] = self._idf(stems) @ self.vectors[found["rows"]]
        return found

    def _idf(self, stems):
        return numpy.array([self.inverse_frequencies.get(stem, self.unknown) for stem in stems], "float64")

    def _rows_of_vectors(self, words):
        """Return the row of each word's vector, the last, which is 0, for words that have none."""
        return numpy.array([self._vector_rows.get(word, len(self.vector_words)) for word in words], "int64")

    def save(self, path):
        """Write a JSON file for ``load``, and beside it, if there are any, the vectors: ``<path>.vectors.npy``."""
        path = Path(path)
        content = {
            "stemmer": self.stemmer,
            "weight": self.weight,
            "unknown": self.unknown,
            "cues": self.cues,
            "weights": self.weights.tolist(),
            "inverse_frequencies": self.inverse_frequencies,
            "vector_words": self.vector_words,
        }
        if self.vectors is not None:
            numpy.save(_vectors_path(path), self.vectors[:-1])
        path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read what ``save`` wrote.

        Raises:
            ImportError: ``PyStemmer`` is not installed and the file names a stemmer.
            ValueError: no such file, or another one.
        """
        path = find_file(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            vectors = numpy.load(_vectors_path(path)) if content.get("vector_words") else None
            return cls(**content, vectors=vectors)
        except (AttributeError, TypeError, ValueError, OSError, EOFError) as error:
            raise ValueError(
                f"{path}: expected a file written by WordOverlap.save of this version, and its vectors beside it if "
                f"it had any. {error}"
            ) from error


def _some_questions(sizes):
    """Return the numbers of questions with candidates, at random no more than hold `_MOST_PAIRS` together."""
    order = numpy.random.default_rng(0).permutation(numpy.flatnonzero(sizes))
    return numpy.sort(order[numpy.cumsum(sizes[order]) <= max(_MOST_PAIRS, sizes.max(initial=0))])


def _names(cues, by_vectors):
    """Return the names of the features."""
    by_cue = (f"{cue}: {form}" for cue in cues for form in FORMS)
    return (*SHARED, *(BY_VECTORS if by_vectors else ()), *FORMS, *by_cue)


def _of_length_one(vectors, count):
    """Return the vectors at length 1, float32 `(count + 1, d)`, the last row being 0."""
    vectors = numpy.asarray([] if vectors is None else vectors, "float32")
    if vectors.ndim != 2 or len(vectors) != count or not count or not numpy.isfinite(vectors).all():
        raise ValueError(
            f"vectors must be finite ({count}, d), as vector_words. Received: vectors.shape={vectors.shape}"
        )
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / numpy.where(lengths > 0, lengths, 1.0)
    return numpy.concatenate([vectors, numpy.zeros((1, vectors.shape[1]), "float32")])


def _vectors_path(path):
    return path.with_name(f"{path.name}.vectors.npy")


def _cue_count(data):
    return max(2, _CUE_SHARE * len(data.questions))

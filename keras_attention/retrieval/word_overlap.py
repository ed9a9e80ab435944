"""What a question and an answer have in common as words, and whether the answer is of the kind that is asked for."""

import json
from pathlib import Path

import numpy

from keras_attention.data.text_lines import find_file
from keras_attention.evaluation import fit_listwise
from keras_attention.retrieval.bm25 import checked_candidates, make_stemmer, match_words, split_words

_SHARED = ("weighted share", "share", "weighted sum", "share of pairs", "all", "early")
_FORMS = ("words", "capitals", "number", "year")
_MOST_PAIRS = 100_000  # Pairs that the weights are fitted to; more tell little more, and want gigabytes.
_CUE_SHARE = 0.01  # of the training questions that hold a word, for it to be a cue


class WordOverlap:
    """A linear ranker on words: how much of the question an answer holds, and the form that such questions want.

    ``score(q, a) = w . f(q, a)``. The features ``f``, words being compared in lower case and stemmed if a stemmer is
    named:

    - what is shared: the words of ``q`` that ``a`` holds, as a share of the words of ``q``, once weighted by
      ``idf(w) = log(A / (df(w) + 0.5))`` and once not; their idf summed, over 30; the share of neighbouring pairs of
      ``q`` that are neighbours in ``a``; whether all words are there; and how early the first of them stands in ``a``,
      ``max(0, 1 - log(1 + place) / 4)`` with ``place`` from 0;
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
        weights: float ``(6 + 4 (1 + cues),)``.
        stemmer: language of a Snowball stemmer of the package ``PyStemmer``, such as ``"english"``; ``None``: none.
        weight: what a point adds to a model's similarity; ``None`` if not chosen yet.

    Raises:
        ImportError: ``PyStemmer`` is not installed and a stemmer is named.
        ValueError: another number of weights.

    Example:
    >>> from keras_attention.data.answer_selection_data import AnswerSelectionData
    >>> from keras_attention.retrieval.word_overlap import WordOverlap
    >>> answers = ["Ada wrote it", "in 1843", "in the garden", "by hand"]
    >>> data = AnswerSelectionData(["when was it ?", "who wrote it ?"], answers, [[1], [0]], [[0, 1, 2], [3, 0]])
    >>> overlap = WordOverlap.train(data)
    >>> overlap.score_pools(["when did she live ?"], answers, [[2, 1]])[0].argmax()
    np.int64(1)

    References: Severyn and Moschitti 2015, Learning to rank short text pairs with convolutional deep neural networks,
    section 4.2 (overlap features beside a network); Li and Roth 2002, Learning question classifiers (answer kinds).
    """

    def __init__(self, inverse_frequencies, unknown, cues, weights, *, stemmer=None, weight=None):
        self.inverse_frequencies = dict(inverse_frequencies)
        self.unknown = float(unknown)
        self.cues = tuple(cues)
        self.weights = numpy.asarray(weights, "float64")
        self.stemmer = stemmer
        self.weight = weight
        self._stem = list if stemmer is None else make_stemmer(stemmer).stemWords
        size = _feature_count(self.cues)
        if self.weights.shape != (size,):
            raise ValueError(f"weights must be ({size},). Received: weights.shape={self.weights.shape}")

    @classmethod
    def train(cls, data, *, stemmer=None, ridge=3.0):
        """Count words in the answers of a training set, and fit the weights to its pools.

        Args:
            data: ``AnswerSelectionData`` with pools, none of them reported or held out. With more than 100,000
                pairs the weights are fitted to a part of the questions.
            stemmer: as above.
            ridge: as in ``fit_listwise``.

        Returns:
            A ``WordOverlap``.

        Raises:
            ImportError: as above.
            ValueError: data without pools, or without a pool that holds a right and a wrong answer.
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
        size = _feature_count(cues)
        made = cls(idf, float(numpy.log(count / 0.5)), cues, numpy.zeros(size), stemmer=stemmer)
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
        """Return the features of one question with some answers, float64 ``(answers, 6 + 4 (1 + cues))``."""
        return next(self._feature_rows([question], answers, numpy.arange(len(answers))[None]))[1]

    @property
    def feature_names(self):
        """Names of the features, in the order of ``weights``: ``"when: year"`` is the form beside a cue."""
        return (*_SHARED, *_FORMS, *(f"{cue}: {form}" for cue in self.cues for form in _FORMS))

    def _feature_rows(self, questions, answers, candidates):
        """Yield `(number, features)` of each question, the features `(its candidates, K)`."""
        ids, words, kinds = {}, {}, {}
        for place in numpy.unique(candidates[candidates >= 0]).tolist():
            spelled = match_words(answers[place])
            stems = self._stem([word.lower() for word in spelled])
            words[place] = numpy.array([ids.setdefault(stem, len(ids)) for stem in stems], "int64")
            kinds[place] = _kinds(spelled)
        slots = numpy.full(len(ids), -1)  # of a word in the question at hand
        for number, question in enumerate(questions):
            pool = candidates[number][candidates[number] >= 0].tolist()
            if not pool:
                yield number, numpy.zeros((0, len(self.weights)))
                continue
            lower = split_words(question)
            asked = self._stem(lower)
            slot_of = {stem: slot for slot, stem in enumerate(dict.fromkeys(asked))}
            known = [ids[stem] for stem in slot_of if stem in ids]
            slots[known] = [slot for stem, slot in slot_of.items() if stem in ids]
            found = slots[numpy.concatenate([words[place] for place in pool])]
            slots[known] = -1
            rows = numpy.repeat(numpy.arange(len(pool)), [len(words[place]) for place in pool])
            form = _form(numpy.concatenate([kinds[place] for place in pool])[found < 0], rows[found < 0], len(pool))
            asks = numpy.isin(self.cues, lower) if self.cues else numpy.zeros(0, bool)
            by_cue = numpy.where(asks[:, None], form[:, None], 0.0).reshape(len(pool), len(_FORMS) * len(self.cues))
            shared = self._shared(asked, slot_of, found, rows, len(pool))
            yield number, numpy.concatenate([shared, form, by_cue], axis=1)

    def _shared(self, asked, slot_of, slots, rows, count):
        """Return `(count, 6)`; the words of all answers lie in one row: `slots` of the question or -1, and answers."""
        if not asked:
            return numpy.zeros((count, len(_SHARED)))
        idf = numpy.array([self.inverse_frequencies.get(stem, self.unknown) for stem in slot_of])
        held = numpy.zeros((count, len(slot_of) + 1), bool)
        held[rows, slots] = True  # the last column takes what is -1
        held = held[:, :-1]
        inside = numpy.array([slot_of[stem] for stem in asked])
        pairs = numpy.unique(inside[:-1] * len(slot_of) + inside[1:])
        beside = (rows[:-1] == rows[1:]) & (slots[:-1] >= 0) & (slots[1:] >= 0)
        codes = slots[:-1][beside] * len(slot_of) + slots[1:][beside]
        is_pair = numpy.isin(codes, pairs)
        met = numpy.zeros((count, max(len(pairs), 1)), bool)
        met[rows[:-1][beside][is_pair], numpy.searchsorted(pairs, codes[is_pair])] = True
        weighted = held @ idf
        shares = (weighted / idf.sum(), held.mean(axis=1), weighted / 30, met.mean(axis=1), held.all(axis=1))
        return numpy.stack((*shares, _early(slots >= 0, rows, count)), axis=1).astype("float64")

    def save(self, path):
        """Write a JSON file for ``load``."""
        content = {
            "stemmer": self.stemmer,
            "weight": self.weight,
            "unknown": self.unknown,
            "cues": self.cues,
            "weights": self.weights.tolist(),
            "inverse_frequencies": self.inverse_frequencies,
        }
        Path(path).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read what ``save`` wrote.

        Raises:
            ImportError: ``PyStemmer`` is not installed and the file names a stemmer.
            ValueError: no such file, or another one.
        """
        path = find_file(path)
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: expected a file written by WordOverlap.save: {error}") from error


def _some_questions(sizes):
    """Return the numbers of questions with candidates, at random no more than hold `_MOST_PAIRS` together."""
    order = numpy.random.default_rng(0).permutation(numpy.flatnonzero(sizes))
    return numpy.sort(order[numpy.cumsum(sizes[order]) <= max(_MOST_PAIRS, sizes.max(initial=0))])


def _feature_count(cues):
    return len(_SHARED) + len(_FORMS) * (1 + len(cues))


def _cue_count(data):
    return max(2, _CUE_SHARE * len(data.questions))


def _early(is_shared, rows, count):
    """Return `(count,)`: how early the first shared word of each answer stands; the words of all lie in one row."""
    places = numpy.arange(len(rows)) - numpy.searchsorted(rows, rows)
    early = numpy.zeros(count)
    last_to_first = numpy.flatnonzero(is_shared)[::-1]  # of several assignments the last one stays
    early[rows[last_to_first]] = numpy.maximum(1 - numpy.log1p(places[last_to_first]) / 4, 0)
    return early


def _kinds(words):
    """Return bool `(words, 3)`: which begin with a capital, hold a digit, are four digits."""
    kinds = [(w[0].isupper(), any(map(str.isdecimal, w)), len(w) == 4 and w.isdecimal()) for w in words]
    return numpy.array(kinds, bool).reshape(-1, 3)


def _form(kinds, rows, count):
    """Return `(count, 4)`: the form of each of `count` answers from the kinds of its words, those of all in one row."""
    words, capitals, digits, years = (
        numpy.bincount(rows, weights=one, minlength=count) for one in (None, *kinds.T.astype("float64"))
    )
    return numpy.stack([numpy.log1p(words) / 4, numpy.log1p(capitals) / 2, digits > 0, years > 0], axis=1)

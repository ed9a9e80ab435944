"""The features of word overlap: what an answer shares with a question, and the form of what it adds.

Of one question with all its candidates at a time. The words of all candidates lie in one row: `rows` says whose a word
is, rising from 0 to `count - 1`, and `slots` which of the question's distinct words it is, -1 for none of them.
"""

import numpy

WINDOW = 12  # words

SHARED = (
    "weighted share",
    "share",
    "weighted sum",
    "share of pairs",
    "all",
    "early",
    "share in a window",
)
BY_VECTORS = ("soft share", "cosine")
FORMS = ("words", "capitals", "number", "year")


def shared_features(asked, idf, slots, rows, count):
    """Return `(count, 7)`, as `SHARED` names them.

    `asked` is int `(words of the question,)`: which of the distinct ones each is. `idf` `(distinct words,)` is theirs.
    """
    if not len(asked):
        return numpy.zeros((count, len(SHARED)))
    held = numpy.zeros((count, len(idf) + 1), bool)
    held[rows, slots] = True  # the last column takes what is -1
    held = held[:, :-1]
    pairs = numpy.unique(asked[:-1] * len(idf) + asked[1:])
    beside = (rows[:-1] == rows[1:]) & (slots[:-1] >= 0) & (slots[1:] >= 0)
    codes = slots[:-1][beside] * len(idf) + slots[1:][beside]
    is_pair = numpy.isin(codes, pairs)
    met = numpy.zeros((count, max(len(pairs), 1)), bool)
    met[rows[:-1][beside][is_pair], numpy.searchsorted(pairs, codes[is_pair])] = True
    weighted = held @ idf
    shares = (weighted / idf.sum(), held.mean(axis=1), weighted / 30, met.mean(axis=1), held.all(axis=1))
    places = numpy.flatnonzero(slots >= 0)
    firsts = numpy.searchsorted(rows, rows[places])  # where the answer of each shared word begins
    near = _window_shares(places, slots[places], firsts, idf)
    window, early = numpy.zeros(count), numpy.zeros(count)
    numpy.maximum.at(window, rows[places], near)
    numpy.maximum.at(early, rows[places], 1 - numpy.log1p(places - firsts) / 4)
    return numpy.stack((*shares, early, window), axis=1).astype("float64")


def _window_shares(places, slots, firsts, idf):
    """Return what share of the question the `WINDOW` words hold that end at each shared word, `(shared words,)`."""
    last = numpy.full((len(places), len(idf)), -1)  # where each of the question's words was met last
    last[numpy.arange(len(places)), slots] = places
    last = numpy.maximum.accumulate(last, axis=0)
    since = numpy.maximum(firsts, places - WINDOW + 1)
    return (last >= since[:, None]) @ idf / idf.sum()


def vector_features(idf, vectors, found, answer_vectors, slots, rows, count):
    """Return `(count, 2)`, as `BY_VECTORS` names them.

    Args:
        idf: `(distinct words of the question,)`.
        vectors: `(distinct words of the question, d)`, of length 1, or 0 where there is none.
        found: `(distinct words of the question, words)`, their cosines with the words of all answers.
        answer_vectors: `(count, d)`, sums over the words of each answer, weighted by idf.
        slots, rows, count: as above.
    """
    if not len(idf):
        return numpy.zeros((count, len(BY_VECTORS)))
    likeness = numpy.zeros((count, len(idf) + 1))  # no word is less like another than not at all
    filled, starts = numpy.unique(rows, return_index=True)
    if len(filled):
        likeness[filled, :-1] = numpy.maximum(numpy.maximum.reduceat(found, starts, axis=1).T, 0.0)
    likeness[rows, slots] = 1.0
    question = idf @ vectors
    lengths = numpy.linalg.norm(answer_vectors, axis=1) * numpy.linalg.norm(question)
    cosine = answer_vectors @ question / numpy.where(lengths > 0, lengths, 1.0)
    return numpy.stack((likeness[:, :-1] @ idf / idf.sum(), cosine), axis=1)


def kinds_of_words(words):
    """Return bool `(words, 3)`: which begin with a capital, hold a digit, are four digits."""
    kinds = [(w[0].isupper(), any(map(str.isdecimal, w)), len(w) == 4 and w.isdecimal()) for w in words]
    return numpy.array(kinds, bool).reshape(-1, 3)


def form_features(kinds, slots, rows, count):
    """Return `(count, 4)`, as `FORMS` names them, from `kinds_of_words` of all answers: of the words not shared."""
    kinds, rows = kinds[slots < 0], rows[slots < 0]
    words, capitals, digits, years = (
        numpy.bincount(rows, weights=one, minlength=count) for one in (None, *kinds.T.astype("float64"))
    )
    return numpy.stack([numpy.log1p(words) / 4, numpy.log1p(capitals) / 2, digits > 0, years > 0], axis=1)

"""First word vectors that make the cosine of two bags of words a TF-IDF comparison."""

import numpy


def frequency_scaled_vectors(answer_ids, vocabulary_size, width, pretrained=None, seed=0):
    """Return word vectors whose length is the word's inverse document frequency.

    Each word gets a random direction, so two different words are nearly orthogonal, and beside it, if given, its
    pretrained vector, which brings related words near. Both parts have length one; the whole is then multiplied by
    ``idf(w) = log(N / (df(w) + 0.5))`` over the mean idf, ``df`` being the number of the ``N`` answers that hold the
    word. The cosine of two sums of such vectors is near to TF-IDF with some reach beyond the same word. A model that
    begins there already ranks, and keeps what words tell by being rare; from vectors of even length it has to learn
    that word by word. Nothing of a question's overlap with an answer enters the model: only its first word vectors.

    Args:
        answer_ids: integer array ``(answers, length)``, 0 is padding: the collection that frequencies are counted in.
        vocabulary_size: number of ids including 0.
        width: width of the vectors.
        pretrained: optional float array ``(vocabulary_size, d)`` with ``d < width``; it becomes the first ``d``
            components. A row of zeros stays zero there.
        seed: seed of the random directions.

    Returns:
        float32 array ``(vocabulary_size, width)``; row 0 is zero.

    Raises:
        ValueError: ids or shapes that do not fit.

    Example:
    >>> import numpy
    >>> from keras_attention.data.frequency_scaled_vectors import frequency_scaled_vectors
    >>> vectors = frequency_scaled_vectors(numpy.array([[1, 2], [1, 3], [1, 0]]), vocabulary_size=4, width=8)
    >>> lengths = numpy.linalg.norm(vectors, axis=1)
    >>> bool(lengths[0] == 0 and lengths[1] < lengths[2])
    True

    Reference: Robertson 2004, "Understanding inverse document frequency".
    """
    answer_ids = numpy.asarray(answer_ids)
    if answer_ids.ndim != 2 or answer_ids.max(initial=0) >= vocabulary_size or answer_ids.min(initial=0) < 0:
        raise ValueError(
            f"answer_ids must be (answers, length) with ids below vocabulary_size={vocabulary_size}. Received: "
            f"answer_ids of shape {answer_ids.shape}, ids {answer_ids.min(initial=0)} to {answer_ids.max(initial=0)}"
        )
    given = numpy.zeros((vocabulary_size, 0)) if pretrained is None else numpy.asarray(pretrained, "float32")
    if given.ndim != 2 or len(given) != vocabulary_size or given.shape[1] >= width:
        raise ValueError(
            f"pretrained must be ({vocabulary_size}, d) with d below width={width}. Received: shape={given.shape}"
        )
    rows = numpy.sort(answer_ids, axis=1)
    first = numpy.concatenate([numpy.ones((len(rows), 1), bool), rows[:, 1:] != rows[:, :-1]], axis=1)
    frequency = numpy.bincount(rows[first], minlength=vocabulary_size)
    idf = numpy.log(max(len(answer_ids), 2) / (frequency + 0.5)).clip(min=0.05)
    random = numpy.random.default_rng(seed).normal(size=(vocabulary_size, width - given.shape[1]))
    known = given.any(axis=1)
    if known.any():
        # Published vectors have a common direction, which would make all texts alike.
        given = numpy.where(known[:, None], given - given[known].mean(axis=0), 0.0)
    vectors = numpy.concatenate([_unit(given), _unit(random)], axis=1) * (idf / idf[1:].mean())[:, None]
    vectors[0] = 0.0
    return vectors.astype("float32")


def _unit(rows):
    length = numpy.linalg.norm(rows, axis=1, keepdims=True)
    return rows / numpy.where(length > 0, length, 1.0)

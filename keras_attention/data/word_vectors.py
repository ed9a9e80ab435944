"""Published word vectors, laid out in the order of a vocabulary."""

import itertools
from pathlib import Path

import numpy

from keras_attention.data.text_lines import find_file, numbered_lines

_SPACE_MARKS = "\uffed\u2581"


def read_word_vectors(path, vocabulary, *, vocabulary_path=None, missing="random", seed=0):
    """Read the vectors of a vocabulary's words.

    Text files as GloVe writes them, ``word v1 v2 ... vd``, or as word2vec does, with a first line ``words d``; plain
    or gzipped; read line by line, so only the vectors wanted are held. Or an array ``.npy`` of ``(words, d)`` with a
    file of its words, one a line. A word of the vocabulary that is not in the file is looked up in lower case, and then
    without the marks by which tokenizers tell where a space was (U+FFED, U+2581).

    Args:
        path: the text file, or the ``.npy``.
        vocabulary: sequence of words, the row's number being the token id. Row 0 is padding and stays zero.
        vocabulary_path: the words of the ``.npy``, one a line; only with ``.npy``.
        missing: what a word without a vector gets: ``"random"`` (normal, with the mean and standard deviation that
            the found vectors have in each dimension, so that it is no outlier among them) or ``"zeros"``.
        seed: seed of the random vectors.

    Returns:
        ``vectors``, float32 ``(len(vocabulary), d)``, and ``found``, booleans ``(len(vocabulary),)``.

    Raises:
        ValueError: a missing or malformed file (file and line are named), an array that does not fit its words, or
            not one word found.

    Reference: Pennington, Socher and Manning 2014, GloVe: global vectors for word representation.
    """
    if missing not in ("random", "zeros"):
        raise ValueError(f"missing must be 'random' or 'zeros'. Received: missing={missing!r}")
    is_array = _is_array(path, vocabulary_path)
    vocabulary = list(vocabulary)
    wanted = {word for text in vocabulary[1:] for word in _spellings(text)}
    known = _from_array(path, vocabulary_path, wanted) if is_array else _from_text(path, wanted)
    names = [next((word for word in _spellings(text) if word in known), text) for text in vocabulary]
    found = numpy.array([row > 0 and name in known for row, name in enumerate(names)], dtype=bool)
    if not found.any():
        raise ValueError(
            f"{path}: expected vectors of some words of the vocabulary. Received: none of {vocabulary[:5]}"
        )
    given = numpy.stack([known[name] for name, is_found in zip(names, found) if is_found]).astype("float32")
    vectors = numpy.zeros((len(vocabulary), given.shape[1]), dtype="float32")
    if missing == "random":
        random = numpy.random.default_rng(seed)
        vectors[1:] = random.normal(given.mean(axis=0), given.std(axis=0), size=vectors[1:].shape)
    vectors[found] = given
    return vectors, found


def read_vector_words(path, *, vocabulary_path=None, count=None):
    """Read the words of published vectors, in the order of their file, which is that of their frequency in GloVe.

    Args:
        path: the text file, or the ``.npy``, as in ``read_word_vectors``.
        vocabulary_path: the words of the ``.npy``, one a line; only with ``.npy``.
        count: how many of them; ``None``: all.

    Returns:
        List of words.

    Raises:
        ValueError: as ``read_word_vectors``.
    """
    if _is_array(path, vocabulary_path):
        words = (line for _, line in numbered_lines(vocabulary_path))
    else:
        words = (word for word, _, _ in _text_rows(path))
    return list(itertools.islice(words, count))


def _is_array(path, vocabulary_path):
    is_array = Path(path).suffix == ".npy"
    if is_array != (vocabulary_path is not None):
        raise ValueError(
            "vocabulary_path goes with a .npy file, and with nothing else. "
            f"Received: path={str(path)!r}, vocabulary_path={vocabulary_path!r}"
        )
    return is_array


def _spellings(text):
    """Return the spellings under which a word is looked up, the first found being taken."""
    bare = text.strip(_SPACE_MARKS)
    return text, text.lower(), bare, bare.lower()


def _from_text(path, wanted):
    known = {}
    for word, numbers, number in _text_rows(path):
        if word in wanted and word not in known:
            try:
                known[word] = numpy.array(numbers, dtype="float32")
            except ValueError as error:
                raise ValueError(
                    f"{path}, line {number}: expected a word and {len(numbers)} numbers. "
                    f"Received: {' '.join([word, *numbers])[:80]!r}"
                ) from error
            _check_finite(known[word], f"{path}, line {number}", word)
    return known


def _text_rows(path):
    """Yield word, its numbers as strings, and the number of the line."""
    width = None
    for number, line in numbered_lines(path):
        parts = line.rstrip().split(" ")
        if number == 1 and len(parts) == 2 and all(part.isdecimal() for part in parts):
            width = int(parts[1])
            continue
        if width is None:
            width = len(parts) - 1
        # Some published words hold spaces, so the numbers are counted from the end.
        word = " ".join(parts[:-width]) if width > 0 else ""
        if not word:
            raise ValueError(f"{path}, line {number}: expected a word and {width} numbers. Received: {line[:80]!r}")
        yield word, parts[-width:], number


def _from_array(path, vocabulary_path, wanted):
    path = find_file(path)
    try:
        vectors = numpy.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path}: expected an array of numbers in numpy's format: {error}") from error
    words = [line for _, line in numbered_lines(vocabulary_path)]
    if vectors.ndim != 2 or len(words) != len(vectors):
        raise ValueError(
            f"{path}: expected one row for each of the {len(words)} words of {vocabulary_path}. "
            f"Received: shape={vectors.shape}"
        )
    known = {}
    for word, row in zip(words, range(len(words))):
        if word in wanted and word not in known:
            known[word] = numpy.array(vectors[row], dtype="float32")
            _check_finite(known[word], f"{path}, row {row}", word)
    return known


def _check_finite(vector, where, word):
    if not numpy.isfinite(vector).all():
        raise ValueError(f"{where}: expected finite numbers. Received: word={word!r}, vector={vector.tolist()[:4]}...")

"""Building, saving and loading the index of encoded answers, whichever kind the model needs.

    index = build_answer_index(model.encode_answers(ids[i : i + 1024]) for i in range(0, len(ids), 1024))

A model's ``encode_answers`` says which kind it is: ``{"vector"}`` gives an ``AnswerVectorIndex``, ``{"features",
"mask"}``, or ``{"features", "lengths"}`` of tokens without padding, an ``AnswerFeatureIndex``.
"""

import itertools
import json
from pathlib import Path

from keras_attention.retrieval.answer_feature_index import AnswerFeatureIndex
from keras_attention.retrieval.answer_vector_index import AnswerVectorIndex

_KINDS = {kind.kind: kind for kind in (AnswerVectorIndex, AnswerFeatureIndex)}
_FORMAT = 1


def build_answer_index(encoded, *, dtype="float32", directory=None):
    """Build an index from encoded answers.

    Args:
        encoded: what ``encode_by_length`` or ``encode_answers`` gives, or an iterable of such parts, in the order of
            the answers. Features without padding in one part, as ``encode_by_length`` gives them, become the index
            itself, without a copy. Parts must not be changed afterwards.
        dtype: ``"float32"``, or ``"float16"`` for half the memory: vectors and features lie near 1 in size and lose
            about three decimal digits after the first three.
        directory: folder to write the index into part by part; it is then memory-mapped and never stands in memory
            as a whole. ``None``: in memory.

    Returns:
        ``AnswerVectorIndex`` or ``AnswerFeatureIndex``.

    Raises:
        ValueError: another dtype, no answers, or parts that hold neither vectors nor features.

    Example:
    >>> import numpy
    >>> from keras_attention.retrieval.answer_index import build_answer_index
    >>> index = build_answer_index({"vector": numpy.array([[1.0, 0.0], [0.6, 0.8], [0.0, 2.0]])})
    >>> ids, scores = index.search(numpy.array([[0.0, 1.0]]), top_k=2)
    >>> ids.tolist()
    [[2, 1]]
    >>> scores.round(2)
    array([[1. , 0.8]], dtype=float32)
    """
    if dtype not in ("float32", "float16"):
        raise ValueError(f"dtype must be 'float32' or 'float16'. Received: dtype={dtype!r}")
    parts = iter([encoded] if isinstance(encoded, dict) else encoded)
    first = next(parts, None)
    if first is None:
        raise ValueError("at least one part of encoded answers is needed. Received: none")
    kind = next((kind for name, kind in _KINDS.items() if name in first), None)
    if kind is None:
        raise ValueError(f"encoded answers hold 'vector', or 'features' and 'mask'. Received: {sorted(first)}")
    if directory is not None:
        directory = _empty(directory)
    index = kind.from_parts(itertools.chain([first], parts), dtype, directory)
    if directory is not None:
        _write_description(index, directory)
    return index


def save_answer_index(index, directory):
    """Write an index into a folder, which is made if missing.

    Args:
        index: ``AnswerVectorIndex`` or ``AnswerFeatureIndex``.
        directory: the folder. One that this index is memory-mapped from is refused.

    Raises:
        ValueError: the index reads from that very folder.
    """
    if is_mapped_from(index, directory):
        raise ValueError(f"the index is memory-mapped from that folder already. Received: directory={str(directory)!r}")
    directory = _empty(directory)
    index.write(directory)
    _write_description(index, directory)


def is_mapped_from(index, directory):
    """Return whether an index reads its vectors or features from that folder, directly or through a view."""
    rows = index.vectors if isinstance(index, AnswerVectorIndex) else index.features
    while rows is not None and not getattr(rows, "filename", None):
        rows = getattr(rows, "base", None)
    return rows is not None and Path(rows.filename).resolve().parent == Path(directory).resolve()


def load_answer_index(directory, *, memory_map=True):
    """Read an index that ``save_answer_index`` or ``build_answer_index`` wrote.

    Args:
        directory: the folder.
        memory_map: leave vectors or features on disk and let the system page them in.

    Raises:
        ValueError: no index stands there, it was cut off while being written, or it is of another format.
    """
    directory = Path(directory)
    try:
        description = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError) as error:
        raise ValueError(f"expected an index of answers. Received: directory={str(directory)!r}") from error
    if description.get("format") != _FORMAT or description.get("kind") not in _KINDS:
        raise ValueError(f"{directory}: expected an index of format {_FORMAT}. Received: {description}")
    return _KINDS[description["kind"]].read(directory, description, memory_map)


def _empty(directory):
    """Make the folder, and take away the description of an older index until the new one is complete."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "index.json").unlink(missing_ok=True)
    return directory


def _write_description(index, directory):
    description = {"format": _FORMAT, "kind": index.kind, **index.describe()}
    (directory / "index.json").write_text(json.dumps(description), encoding="utf-8")

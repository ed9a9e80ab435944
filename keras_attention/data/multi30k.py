"""Multi30k, task 1, as its publishers lay it out; the data are not part of this package."""

from pathlib import Path

from keras_attention.data.translation_files import read_parallel

MULTI30K_FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
MULTI30K_LANGUAGES = ("en", "de", "fr", "cs")


def load_multi30k(directory, split, source="de", target="en"):
    """Read one split of Multi30k from the folder ``data/task1/raw`` of its publication.

    The folder holds one sentence a line in ``train.<language>``, ``val.<language>`` and
    ``test_2016_flickr.<language>``, plain or with ``.gz`` appended. For research and education only, says its licence.

    Args:
        directory: the folder.
        split: ``"train"`` (29,000 pairs), ``"validation"`` (1,014) or ``"test"`` (1,000).
        source: language of the sources, ``"en"``, ``"de"``, ``"fr"`` or ``"cs"``.
        target: language of the targets.

    Returns:
        A ``ParallelCorpus``.

    Raises:
        ValueError: an unknown split or language, a file that is missing (its name is in the message) or unreadable,
            as for ``read_parallel``.

    References:
        Elliott, Frank, Sima'an and Specia 2016, "Multi30K: Multilingual English-German Image Descriptions".
    """
    if split not in MULTI30K_FILES:
        raise ValueError(f"`split` must be one of {list(MULTI30K_FILES)}. Received: split={split!r}")
    for name, language in (("source", source), ("target", target)):
        if language not in MULTI30K_LANGUAGES:
            raise ValueError(f"`{name}` must be one of {MULTI30K_LANGUAGES}. Received: {name}={language!r}")
    if source == target:
        raise ValueError(f"expected two languages. Received: source={source!r}, target={target!r}")
    stem = Path(directory) / MULTI30K_FILES[split]
    return read_parallel(f"{stem}.{source}", f"{stem}.{target}")

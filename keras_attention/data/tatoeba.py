"""The embedded corpus of English and French sentence pairs."""

from keras_attention.data.translation_files import ParallelCorpus, read_tsv
from keras_attention.datasets.draw_tatoeba import SPLITS, TATOEBA_FOLDER


def load_tatoeba(split, source="en", target="fr"):
    """Read one split of the embedded Tatoeba corpus.

    No English sentence, whatever its case, spaces and punctuation, stands in two splits. A sentence may have several
    translations in its split; each makes a pair.

    Args:
        split: ``"train"``, ``"validation"`` or ``"test"``.
        source: language of the sources, ``"en"`` or ``"fr"``.
        target: the other language.

    Returns:
        A ``ParallelCorpus``.

    Raises:
        ValueError: an unknown split or pair of languages.

    Example:
    >>> corpus = load_tatoeba("validation")
    >>> len(corpus.sources) == len(corpus.targets) >= 1000
    True
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {list(SPLITS)}. Received: split={split!r}")
    if {source, target} != {"en", "fr"}:
        raise ValueError(f"expected 'en' and 'fr', in either order. Received: source={source!r}, target={target!r}")
    corpus = read_tsv(TATOEBA_FOLDER / f"{split}.tsv.gz")
    return corpus if source == "en" else ParallelCorpus(corpus.targets, corpus.sources)

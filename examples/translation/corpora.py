"""Where the sentence pairs of a run come from: your files, the embedded corpus, or Multi30k."""

import dataclasses
import hashlib

from keras_attention.data import ParallelCorpus, load_multi30k, load_tatoeba, read_parallel, read_tsv

HELD_OUT = 0.05  # share of your own pairs that validates, where no validation files are given
HELD_OUT_AT_MOST = 2000


@dataclasses.dataclass(frozen=True)
class Corpora:
    """Training, validation and, where there is one, test part."""

    train: ParallelCorpus
    validation: ParallelCorpus
    test: ParallelCorpus | None = None

    @property
    def parts(self):
        """All three, in this order."""
        return self.train, self.validation, self.test


def read_pairs(source=None, target=None, tsv=None):
    """Read two parallel files, or one TSV.

    Raises:
        ValueError: If not exactly one of the two is named, or a file is not as it should be.
    """
    if bool(source) != bool(target):
        raise ValueError(f"--source and --target go together. Received: source={source}, target={target}")
    if bool(source) == bool(tsv):
        raise ValueError(f"Expected --source with --target, or --tsv. Received: source={source}, tsv={tsv}")
    return read_parallel(source, target) if source else read_tsv(tsv)


def open_corpora(
    source=None,
    target=None,
    tsv=None,
    validation_source=None,
    validation_target=None,
    multi30k=None,
    tatoeba=False,
    languages="",
):
    """Read what the command line names: exactly one of two parallel files, one TSV, Multi30k's folder, or Tatoeba.

    Without validation files a share of your pairs is held out, chosen by a hash of the source sentence, so that no
    source sentence stands on both sides and the choice is the same every time.

    Raises:
        ValueError: If not exactly one corpus is named, or a file is not as it should be.
    """
    named = [name for name, value in (("--source", source), ("--tsv", tsv), ("--multi30k", multi30k)) if value]
    named += ["--tatoeba"] if tatoeba else []
    if len(named) != 1:
        raise ValueError(
            "Expected one corpus: --source with --target, --tsv, --multi30k or --tatoeba. "
            f"Received: {' and '.join(named) or 'none'}"
        )
    if bool(validation_source) != bool(validation_target):
        raise ValueError(
            "--validation-source and --validation-target go together. "
            f"Received: validation_source={validation_source}, validation_target={validation_target}"
        )
    if multi30k or tatoeba:
        pair = _language_pair(languages, "de-en" if multi30k else "en-fr")
        parts = ("train", "validation", "test")
        if multi30k:
            return Corpora(*(load_multi30k(multi30k, part, *pair) for part in parts))
        return Corpora(*(load_tatoeba(part, *pair) for part in parts))
    train = read_pairs(source, target, tsv)
    if validation_source:
        return Corpora(train, read_parallel(validation_source, validation_target))
    return Corpora(*_hold_out(train))


def _language_pair(languages, default):
    pair = (languages or default).split("-")
    if len(pair) != 2:
        raise ValueError(f"Expected --languages as source-target, such as {default}. Received: languages={languages!r}")
    return pair


def _hold_out(corpus):
    share = min(HELD_OUT, HELD_OUT_AT_MOST / len(corpus.sources))

    def held(sentence):
        return int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8]) < share * 2**64

    sides = ([], []), ([], [])
    for pair in zip(corpus.sources, corpus.targets):
        for column, text in zip(sides[held(pair[0])], pair):
            column.append(text)
    if not sides[1][0] or not sides[0][0]:
        raise ValueError(
            f"{len(corpus.sources)} pairs are too few to hold some out for validation; give --validation-source and "
            "--validation-target"
        )
    return (ParallelCorpus(*side) for side in sides)

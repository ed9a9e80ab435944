"""Draws the embedded English-French corpus: ``python -m keras_attention.datasets.draw_tatoeba fra-eng.zip``.

The archive is the one of manythings.org/anki, sentence pairs of tatoeba.org. Every pair's split follows from a hash of
its English sentence alone; there is no filter on length, difficulty or anything else. The hash is taken of the
sentence's letters and digits, after compatibility normalisation and case folding, so that ``Go.`` and ``GO!`` fall in
one split, and no English sentence stands in two. The same archive gives the same splits everywhere, and the same bytes
with the same zlib.
"""

import argparse
import gzip
import hashlib
import io
import unicodedata
import zipfile
from pathlib import Path

TATOEBA_FOLDER = Path(__file__).parent / "tatoeba_en_fr"
SPLITS = ("train", "validation", "test")
TEST_SHARE = 0.0134
VALIDATION_SHARE = 0.0064
SIZE_LIMIT = 3_000_000  # bytes, everything in the folder


def english_key(sentence):
    """Return the letters and digits of a sentence, folded; what is left of it when spelling variants are one.

    Example:
    >>> english_key("Don't GO!") == english_key("don't go.")
    True
    """
    folded = unicodedata.normalize("NFKC", sentence).casefold()
    return "".join(character for character in folded if character.isalnum()) or sentence.strip()


def split_of(sentence, train_share=1.0):
    """Return the split of an English sentence, or ``None`` if a smaller ``train_share`` leaves it out.

    Args:
        sentence: the English sentence.
        train_share: share of the training sentences to keep, 0 to 1.

    Returns:
        ``"train"``, ``"validation"``, ``"test"`` or ``None``.

    Example:
    >>> split_of("Go.") == split_of("go!")
    True
    """
    digest = hashlib.blake2b(english_key(sentence).encode("utf-8"), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64  # uniform in [0, 1)
    if place < TEST_SHARE:
        return "test"
    if place < TEST_SHARE + VALIDATION_SHARE:
        return "validation"
    held_out = TEST_SHARE + VALIDATION_SHARE
    return "train" if (place - held_out) / (1 - held_out) < train_share else None


def read_archive(path):
    """Return the ``(English, French)`` pairs of the archive, in its order.

    Args:
        path: ``fra-eng.zip``; its member ``fra.txt`` has ``English TAB French`` a line, in newer editions with an
            attribution after a further tab.

    Returns:
        List of pairs.

    Raises:
        ValueError: no such archive or member, bytes that are not UTF-8, or a line of fewer fields.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if Path(name).name == "fra.txt"]
            if not members:
                raise ValueError(f"{path}: expected a member fra.txt. Received: {archive.namelist()}")
            lines = archive.read(members[0]).decode("utf-8").removesuffix("\n").split("\n")
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ValueError(f"expected an archive of UTF-8 text. Received: path={str(path)!r}: {error}") from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        fields = line.removesuffix("\r").split("\t")
        if len(fields) < 2:
            raise ValueError(f"{path}, fra.txt, line {number}: expected English TAB French. Received: {line[:80]!r}")
        pairs.append((fields[0], fields[1]))
    return pairs


def draw(pairs, train_share=1.0):
    """Divide pairs among the splits.

    Args:
        pairs: iterable of ``(English, French)``.
        train_share: share of the training sentences to keep.

    Returns:
        Dictionary from split to its sorted pairs (sorted text takes less room).
    """
    splits = {name: [] for name in SPLITS}
    for english, french in pairs:
        split = split_of(english, train_share)
        if split is not None:
            splits[split].append((english, french))
    return {name: sorted(members) for name, members in splits.items()}


def write_splits(splits, directory):
    """Write each split as ``<split>.tsv.gz``, with no time and no name in the archive.

    Args:
        splits: dictionary from split to pairs.
        directory: folder to write into.

    Raises:
        ValueError: the files together would take more than the size limit.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    archives = {}
    for name, pairs in splits.items():
        stream = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=9, mtime=0) as archive:
            archive.write("".join(f"{english}\t{french}\n" for english, french in pairs).encode("utf-8"))
        archives[name] = stream.getvalue()
    size = sum(len(archive) for archive in archives.values())
    if size > SIZE_LIMIT:
        raise ValueError(f"expected at most {SIZE_LIMIT} bytes; a smaller train share takes less. Received: {size}")
    for name, archive in archives.items():
        (directory / f"{name}.tsv.gz").write_bytes(archive)


def main():
    """Draw the corpus from an archive."""
    parser = argparse.ArgumentParser(description="Draw the embedded English-French corpus from fra-eng.zip.")
    parser.add_argument("archive", help="fra-eng.zip of manythings.org/anki")
    parser.add_argument("--directory", default=TATOEBA_FOLDER, help="folder to write into")
    parser.add_argument("--train-share", type=float, default=1.0, help="share of the training sentences to keep")
    arguments = parser.parse_args()
    splits = draw(read_archive(arguments.archive), arguments.train_share)
    write_splits(splits, arguments.directory)
    for name, pairs in splits.items():
        print(f"{name}: {len(pairs)} pairs, {len({english for english, _ in pairs})} English sentences")


if __name__ == "__main__":
    main()

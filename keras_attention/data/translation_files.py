"""Reading parallel text: two files line by line, or one tab-separated file, checked before anything is trained."""

from typing import NamedTuple

from keras_attention.data.text_lines import numbered_lines, tab_separated_lines


class ParallelCorpus(NamedTuple):
    """Sentences and their translations.

    Attributes:
        sources: list of ``str``.
        targets: list of ``str``, as long; ``targets[i]`` translates ``sources[i]``.
    """

    sources: list
    targets: list


def read_parallel(source_path, target_path):
    """Read two files of which line n of one translates line n of the other.

    Empty lines are kept, since they hold the lines' numbers together.

    Args:
        source_path: UTF-8 text, one sentence a line; plain, or gzipped with a name that ends in ``.gz``. Where the
            plain file is missing, the name with ``.gz`` appended is tried.
        target_path: the same for the translations.

    Returns:
        A ``ParallelCorpus``.

    Raises:
        ValueError: a file is missing, holds no text, or has bytes that are not UTF-8 (file and line are named); the
            files have different numbers of lines (both counts are named).
    """
    sources = _read_sentences(source_path)
    targets = _read_sentences(target_path)
    if len(sources) != len(targets):
        raise ValueError(
            "expected two files with the same number of lines. "
            f"Received: {source_path} with {len(sources)} lines, {target_path} with {len(targets)} lines"
        )
    return ParallelCorpus(sources, targets)


def read_tsv(path, source_column=0, target_column=1):
    """Read one tab-separated file with a sentence pair a line.

    Every line has as many fields as the first one; further columns, such as attributions, are passed over.

    Args:
        path: UTF-8 text without a header; plain or gzipped, as for ``read_parallel``.
        source_column: number of the source's column, from 0.
        target_column: number of the target's column, from 0.

    Returns:
        A ``ParallelCorpus``.

    Raises:
        ValueError: the file is missing, empty, not UTF-8, or a line has another number of fields (file and line are
            named).
    """
    needed = 1 + max(source_column, target_column)
    if min(source_column, target_column) < 0:
        raise ValueError(
            f"expected columns counted from 0. Received: source_column={source_column}, target_column={target_column}"
        )
    columns = needed
    for number, line in numbered_lines(path):
        columns = line.count("\t") + 1
        if columns < needed:
            raise ValueError(
                f"{path}, line {number}: expected at least {needed} tab-separated fields. "
                f"Received: {columns}: {line[:80]!r}"
            )
        break
    sources, targets = [], []
    for _, fields in tab_separated_lines(path, columns):
        sources.append(fields[source_column])
        targets.append(fields[target_column])
    return ParallelCorpus(sources, targets)


def _read_sentences(path):
    sentences = [line for _, line in numbered_lines(path)]
    if not any(sentence.strip() for sentence in sentences):
        raise ValueError(f"{path}: expected one sentence a line. Received: a file without text")
    return sentences

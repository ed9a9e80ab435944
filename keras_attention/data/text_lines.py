"""Reading text files line by line, so that every complaint can name the file and the line."""

import gzip
import zlib
from pathlib import Path


def find_file(path):
    """Return ``path``, or ``path`` with ``.gz`` appended, whichever exists.

    Args:
        path: file to look for.

    Returns:
        A ``pathlib.Path`` of an existing file.

    Raises:
        ValueError: neither exists.
    """
    path = Path(path)
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    raise ValueError(f"expected a file, plain or with .gz appended. Received: path={str(path)!r}, which does not exist")


def numbered_lines(path):
    """Yield ``(number, line)`` of a UTF-8 file, plain or gzipped (by its name's ``.gz``), numbers from 1.

    Line ends (of Unix or Windows) are taken off, and so is a byte order mark; nothing else is.

    Args:
        path: file to read; ``.gz`` is tried if the plain file is missing.

    Yields:
        Pairs of line number and line.

    Raises:
        ValueError: the file is missing, holds bytes that are not UTF-8 (the line is named), or is a damaged archive.
    """
    path = find_file(path)
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rb") as stream:
            for number, raw in enumerate(stream, start=1):
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                yield number, raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}, line {number}: expected UTF-8. Received: {error.object[:40]!r}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}, after line {number}: the file cannot be read: {error}") from error


def tab_separated_lines(path, columns, *, skip_empty=False):
    """Yield ``(number, fields)`` of a tab-separated file whose every line has ``columns`` fields.

    Args:
        path: file to read, plain or gzipped.
        columns: number of fields, or a tuple of the numbers allowed.
        skip_empty: pass over empty lines instead of refusing them.

    Yields:
        Pairs of line number and list of fields.

    Raises:
        ValueError: as ``numbered_lines``; a line with another number of fields; a file without lines.
    """
    allowed = columns if isinstance(columns, tuple) else (columns,)
    found = False
    for number, line in numbered_lines(path):
        if skip_empty and not line:
            continue
        fields = line.split("\t")
        if len(fields) not in allowed:
            wanted = " or ".join(str(n) for n in allowed)
            raise ValueError(
                f"{path}, line {number}: expected {wanted} tab-separated fields. Received: {len(fields)}: {line[:80]!r}"
            )
        found = True
        yield number, fields
    if not found:
        raise ValueError(f"{path}: expected at least one line. Received: an empty file")


def parse_label(text, path, number):
    """Return the label 0 or 1 written as ``text``; the error names the file and the line."""
    if text.strip() not in ("0", "1"):
        raise ValueError(f"{path}, line {number}: expected a label of 0 or 1. Received: {text[:40]!r}")
    return int(text)


def parse_ids(text, path, number):
    """Return the whole numbers that ``text`` lists, separated by spaces; the error names the file and the line."""
    try:
        return [int(item) for item in text.split()]
    except ValueError as error:
        raise ValueError(f"{path}, line {number}: expected ids separated by spaces. Received: {text[:80]!r}") from error

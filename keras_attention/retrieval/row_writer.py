"""Collecting rows of numbers part by part, in memory or straight onto disk."""

from pathlib import Path

import numpy

_GROWTH = 1.25


class RowWriter:
    """Appends parts ``(n, width)`` to one array of rows; with a path the rows never stand in memory together.

    The file holds the bare numbers in C order; its shape is kept by whoever opens it (``open_rows``).

    Args:
        dtype: dtype of the rows kept, ``"float32"`` or ``"float16"``.
        path: file to write to, or ``None`` for memory.
    """

    def __init__(self, dtype, path=None):
        self.dtype = numpy.dtype(dtype)
        self.path = None if path is None else Path(path)
        self.count = 0
        self.width = None
        self._rows = None  # in memory, with room for more below; the first part itself as long as it is the only one
        self._is_own = False
        self._stream = None if path is None else self.path.open("wb")

    def append(self, rows):
        """Add rows ``(n, width)``. If they are the only ones, and of the dtype kept, they are not copied: they must not
        be changed afterwards.

        Raises:
            ValueError: another rank or width than before.
        """
        rows = numpy.ascontiguousarray(rows, dtype=self.dtype)
        if rows.ndim != 2 or self.width not in (None, rows.shape[1]):
            raise ValueError(f"rows must be (n, {self.width or 'width'}), as before. Received: rows.shape={rows.shape}")
        self.width = rows.shape[1]
        begin, self.count = self.count, self.count + len(rows)
        if self._stream is not None:
            self._stream.write(rows.data if rows.size else b"")
            return
        if begin == 0:
            self._rows, self._is_own = rows, False
            return
        if not self._is_own:
            first, self._rows, self._is_own = self._rows, numpy.empty((self.count, self.width), self.dtype), True
            self._rows[:begin] = first
        elif self.count > len(self._rows):  # grown where it is: joining parts in the end would move all of it
            self._rows.resize((max(self.count, int(_GROWTH * len(self._rows))), self.width), refcheck=False)
        self._rows[begin : self.count] = rows

    def finish(self):
        """Return all rows, ``(count, width)``, memory-mapped if they were written to a file."""
        shape = (self.count, self.width or 0)
        if self._stream is not None:
            self._stream.close()
            return open_rows(self.path, self.dtype, shape, memory_map=True)
        if self._rows is None:
            return numpy.zeros(shape, self.dtype)
        if self._is_own and len(self._rows) > self.count:
            self._rows.resize(shape, refcheck=False)
        return self._rows


def open_rows(path, dtype, shape, memory_map):
    """Return the rows of a file that ``RowWriter`` wrote.

    Raises:
        ValueError: the file is missing or has another size.
    """
    path, dtype = Path(path), numpy.dtype(dtype)
    expected = int(numpy.prod(shape)) * dtype.itemsize
    size = path.stat().st_size if path.is_file() else None
    if size != expected:
        raise ValueError(f"{path}: expected a file of {expected} bytes. Received: {size}")
    if not expected:
        return numpy.zeros(shape, dtype)
    if memory_map:
        return numpy.memmap(path, dtype=dtype, mode="r", shape=shape)
    return numpy.fromfile(path, dtype=dtype).reshape(shape)

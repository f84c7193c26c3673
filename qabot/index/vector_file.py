"""Vectors in a file, read as they are asked for."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from qabot.index.open_file import OpenFile

_Rows = NDArray[np.int64]
# NumPy's header is at most this long in the files that segments hold.
_LONGEST_HEADER = 4096
# NumPy reads a file's header with the interpreter's own parser, which Python 3.11 does not let two
# threads use at once: SystemError, "AST constructor recursion depth mismatch".
parsing = threading.Lock()


class VectorFile:
    """Vectors of one length and type, in NumPy's own format (``.npy``).

    They are read, not mapped: a mapped file that another program cuts short ends the process by
    SIGBUS. Of a large file, what a question needs is read for each one: some hundred reads, which
    take 0.3 ms more than a mapping would. It stays in the system's cache, which all processes
    share.

    Args:
        file: The file.
        kind: The type of a number.
        keep: Files of so many bytes at most are read whole, now.

    Attributes:
        shape: The number of vectors, and the length of each.

    Raises:
        ValueError: The file holds something else.
        DamagedIndexError: It cannot be read.
    """

    def __init__(self, file: OpenFile, kind: DTypeLike, *, keep: int = 0) -> None:
        self._file = file
        self._kind = np.dtype(kind)
        stream = io.BytesIO(file.read(0, min(_LONGEST_HEADER, file.size)))
        with parsing:
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):
                raise ValueError(f"{file.path.name}: version {version} of NumPy's format")
            shape, by_columns, found = np.lib.format.read_array_header_1_0(stream)
        if by_columns or found != self._kind or len(shape) != 2:
            raise ValueError(f"{file.path.name}: no rows of {self._kind}")
        self._all: NDArray[np.generic] | None = None
        self.shape: tuple[int, int] = shape
        self._begin = stream.tell()
        self._all = self[:] if file.size <= keep else None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | _Rows) -> NDArray[np.generic]:
        """The vectors of a slice without steps, or of row numbers: ``(n, dimension)``.

        Raises:
            DamagedIndexError: They cannot be read.
        """
        if self._all is not None:
            return self._all[rows]
        if isinstance(rows, slice):
            first, stop, _ = rows.indices(len(self))
            return self._read(np.array([first]), np.array([max(0, stop - first)]))
        # Rows that follow one another are read at once, as all vectors of a segment.
        breaks = np.concatenate([[True], rows[1:] - rows[:-1] != 1])
        begins = np.flatnonzero(breaks[: len(rows)])
        if len(begins) == len(rows):
            return self._read(rows, np.ones_like(rows))
        return self._read(rows[begins], np.diff(begins, append=len(rows)))

    def runs(self, begins: _Rows, counts: _Rows) -> NDArray[Any]:
        """The vectors of several runs of rows, one after the other: ``(sum of counts, dimension)``.

        Raises:
            DamagedIndexError: They cannot be read.
        """
        if self._all is not None:
            return self._all[runs(begins, counts)]
        return self._read(begins, counts)

    def _read(self, firsts: _Rows, counts: _Rows) -> NDArray[np.generic]:
        size = self.shape[1] * self._kind.itemsize
        offsets, sizes = self._begin + firsts * size, counts * size
        parts = self._file.read_each(offsets.tolist(), sizes.tolist())
        return np.frombuffer(b"".join(parts), self._kind).reshape(-1, self.shape[1])


def widened(halves: NDArray[np.generic]) -> NDArray[np.float32]:
    """Finite numbers of 16 bits as ``astype(np.float32)`` makes them, five times as fast.

    NumPy converts them one by one. Moved to their places, the bits are the same numbers, but that
    exponents of the two types do not begin at the same power of two.
    """
    bits = halves.view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= ~0x70001FFF  # What the sign was carried to.
    numbers = bits.view(np.float32)
    numbers *= np.float32(2.0**112)
    return numbers


def runs(begins: _Rows, counts: _Rows) -> _Rows:
    """The numbers of several runs, one after the other."""
    ends = np.cumsum(counts)
    return np.repeat(begins - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0)

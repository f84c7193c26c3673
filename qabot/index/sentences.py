"""Sentence vectors, read from disk as they are asked for."""

from __future__ import annotations

import io
import threading

import numpy as np
from numpy.typing import NDArray

from qabot.index.open_file import OpenFile
from qabot.index.vectors import RowArray

# Up to this size, a file is read whole: some 40,000 sentences, or 5,000 passages.
_SMALL = 32_000_000
# NumPy's header is at most this long in the files that segments hold.
_LONGEST_HEADER = 4096
# NumPy reads a file's header with the interpreter's own parser, which Python 3.11 does not let two
# threads use at once: SystemError, "AST constructor recursion depth mismatch".
parsing = threading.Lock()


class SentenceVectors:
    """Vectors of all sentences of a segment: float16 ``(sentences, dimension)``, in a file.

    They are read, not mapped: a mapped file that another program cuts short ends the process by
    SIGBUS. Of a large file, what a question needs is read for each one: two or three hundred reads,
    which take 0.3 ms more than a mapping would. It stays in the system's cache, which all processes
    share.

    Args:
        file: NumPy's own format (``.npy``).

    Raises:
        ValueError: The file holds something else.
        DamagedIndexError: It cannot be read.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        stream = io.BytesIO(file.read(0, min(_LONGEST_HEADER, file.size)))
        with parsing:
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):
                raise ValueError(f"{file.path.name}: version {version} of NumPy's format")
            shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
        if by_columns or kind != np.float16 or len(shape) != 2:
            raise ValueError(f"{file.path.name}: no rows of float16")
        self._all: NDArray[np.float16] | None = None
        self.shape: tuple[int, int] = shape
        self._begin = stream.tell()
        self._all = self[:] if file.size <= _SMALL else None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | RowArray) -> NDArray[np.float16]:
        """The vectors of a slice without steps, or of row numbers: float16 ``(n, dimension)``.

        Raises:
            DamagedIndexError: They cannot be read.
        """
        if self._all is not None:
            return self._all[rows]
        if isinstance(rows, slice):
            first, stop, _ = rows.indices(len(self))
            return self._read(np.array([first]), np.array([max(0, stop - first)]))
        # Sentences of one passage follow one another: each run is read at once.
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        begins = np.concatenate([[0], breaks]) if len(rows) else breaks
        return self._read(rows[begins], np.diff(np.append(begins, len(rows))))

    def _read(self, firsts: RowArray, counts: RowArray) -> NDArray[np.float16]:
        size = self.shape[1] * np.dtype(np.float16).itemsize
        parts = [
            self._file.read(self._begin + first * size, count * size)
            for first, count in zip(firsts.tolist(), counts.tolist(), strict=True)
        ]
        return np.frombuffer(b"".join(parts), np.float16).reshape(-1, self.shape[1])

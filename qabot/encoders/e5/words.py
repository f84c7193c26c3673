"""Word embeddings of the unpacked multilingual-e5-small, for networks that share its vocabulary.

The rows that a text needs are read from the encoder's own files, which stay in the system's cache
and so in memory that all processes share. They are not mapped: a mapped file that another program
cuts short, or that the disk cannot read, ends the process by SIGBUS. Reading takes some 2 µs a
word. One that another program overwrites would give other vectors: each look-up compares size and
time of the open files before and after. Files that were only touched, or are as they were unpacked
again, are opened anew.
"""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.base import FloatArray
from qabot.encoders.e5.graph_files import SCALES, WORDS
from qabot.encoders.e5.mark import FolderMark
from qabot.errors import EncoderError
from qabot.files import open_regular, read_at

_BLOCK = 32
_seeking = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Table:
    """An open file of rows.

    Attributes:
        stamp: Size in bytes, and time of the last change in nanoseconds, when it was opened.
        row: Bytes of a row.
    """

    path: Path
    descriptor: int
    stamp: tuple[int, int]
    row: int

    @property
    def changed(self) -> bool:
        return _stamp(self.descriptor) != self.stamp

    def read(self, ids: list[int]) -> bytes:
        """The rows of ``ids``, one after the other."""
        found = [read_at(self.descriptor, self.row, n * self.row, _seeking) for n in ids]
        return b"".join(found)


class WordEmbeddings:
    """The embedding table of an unpacked model folder; calls are safe from several threads.

    Args:
        folder: The model folder.
        hidden: The length of an embedding.

    Raises:
        EncoderError: The files are missing, or their sizes do not fit.
    """

    def __init__(self, folder: Path, hidden: int) -> None:
        self._folder, self._hidden = folder, hidden
        self._tables = self._open()

    def _open(self) -> tuple[_Table, _Table]:
        # Two numbers in a byte; a scale of four bytes for each block.
        words = self._open_table(WORDS, self._hidden // 2)
        scales = self._open_table(SCALES, self._hidden // _BLOCK * 4)
        count = words.stamp[0] // words.row
        if (count * words.row, count * scales.row) != (words.stamp[0], scales.stamp[0]):
            raise self._unreadable(scales.path, "its size does not fit")
        return words, scales

    def _open_table(self, name: str, row: int) -> _Table:
        path = self._folder / "onnx" / name
        try:
            descriptor = open_regular(path)
            # Until nobody looks words up: another thread may just look at it.
            weakref.finalize(self, os.close, descriptor)
            return _Table(path, descriptor, _stamp(descriptor), row)
        except OSError as error:
            raise self._unreadable(path, error.strerror or str(error)) from error

    def _unreadable(self, path: Path, reason: str) -> EncoderError:
        return EncoderError(
            f"{path}: word embeddings cannot be read ({reason}); remove the folder {self._folder}, "
            "which the next question unpacks again"
        )

    def _read(self, table: _Table, ids: list[int]) -> bytes:
        try:
            found = table.read(ids)
        except OSError as error:
            raise self._unreadable(table.path, error.strerror or str(error)) from error
        if len(found) != len(ids) * table.row:
            self._check()  # Says that it changes meanwhile, if it does.
            raise self._unreadable(table.path, "cut short")
        return found

    def _check(self) -> tuple[_Table, _Table]:
        """The tables, which are as they were when they were opened."""
        for table in self._tables:
            if table.changed:
                mark = FolderMark.read(self._folder)
                if mark is None or mark.first_damaged(self._folder, every=True):
                    raise EncoderError(
                        f"{table.path}: changed while it is in use; start qabot again, which "
                        "compares it"
                    )
                self._tables = self._open()
        return self._tables

    def rows(self, ids: NDArray[np.int64]) -> FloatArray:
        """Embeddings of token ids ``(…)``: float32 ``(…, hidden)``.

        Raises:
            EncoderError: The table was changed since it was opened, or cannot be read.
        """
        different, places = np.unique(ids, return_inverse=True)
        numbers = different.tolist()
        tables = self._check()
        packed, scaled = (self._read(table, numbers) for table in tables)
        if self._check() is not tables:
            return self.rows(ids)
        words = np.frombuffer(packed, np.uint8)
        scales = np.frombuffer(scaled, np.float32)[:, np.newaxis]
        # Four-bit two's complement; the first of a pair is in the lower half.
        pairs = np.stack([words & 15, words >> 4], axis=-1).view(np.int8)
        values = ((pairs ^ 8) - 8).reshape(-1, _BLOCK).astype(np.float32)
        rows: FloatArray = (values * scales).reshape(len(numbers), self._hidden)
        return rows[places.reshape(ids.shape)]


def _stamp(descriptor: int) -> tuple[int, int]:
    """Size in bytes, and time of the last change in nanoseconds."""
    found = os.fstat(descriptor)
    return found.st_size, found.st_mtime_ns

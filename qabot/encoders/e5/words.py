"""Word embeddings of the unpacked multilingual-e5-small, for networks that share its vocabulary.

Rows are read from the encoder's own files, which are memory-mapped: a look-up touches only the rows
that it needs, and two networks share the memory. A mapped file that another
program cuts short would end the process, and one that it overwrites would give other vectors: each
look-up compares size and time of the open files first, which takes a microsecond a file. Only the
moment between that and the look-up is not covered. Files that were only touched, or are as they
were unpacked again, are opened anew.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.base import FloatArray
from qabot.encoders.e5.graph_files import SCALES, WORDS
from qabot.encoders.e5.mark import FolderMark
from qabot.errors import EncoderError

_BLOCK = 32
_Table = tuple[list[tuple[Path, int, tuple[int, int]]], NDArray[np.uint8], NDArray[np.float32]]


class WordEmbeddings:
    """The embedding table of an unpacked model folder.

    Args:
        folder: The model folder.
        hidden: The length of an embedding.

    Raises:
        EncoderError: The files are missing, or their sizes do not fit.
    """

    def __init__(self, folder: Path, hidden: int) -> None:
        self._folder, self._hidden = folder, hidden
        self._open()

    def _open(self) -> None:
        folder, hidden = self._folder, self._hidden
        try:
            opened: list[tuple[Path, int, tuple[int, int]]] = []
            for path in (folder / "onnx" / WORDS, folder / "onnx" / SCALES):
                descriptor = os.open(path, os.O_RDONLY)
                # Until nobody looks words up: another thread may just look at it.
                weakref.finalize(self, os.close, descriptor)
                opened.append((path, descriptor, _stamp(descriptor)))
            words = np.memmap(folder / "onnx" / WORDS, np.uint8, "r").reshape(-1, hidden // 2)
            scales = np.memmap(folder / "onnx" / SCALES, np.float32, "r").reshape(len(words), -1)
        except (OSError, ValueError) as error:
            raise EncoderError(
                f"{folder}: its word embeddings cannot be read ({error}); remove the folder"
            ) from error
        self._table: _Table = opened, words, scales

    def _open_again(self, changed: Path) -> None:
        mark = FolderMark.read(self._folder)
        if mark is None or mark.first_damaged(self._folder, every=True):
            raise EncoderError(
                f"{changed}: changed while it is in use; start qabot again, which compares it"
            )
        self._open()

    def rows(self, ids: NDArray[np.int64]) -> FloatArray:
        """Embeddings of token ids ``(…)``: float32 ``(…, hidden)``.

        Raises:
            EncoderError: The table was changed since it was opened.
        """
        for path, descriptor, stamp in self._table[0]:
            if _stamp(descriptor) != stamp:
                self._open_again(path)
        _, words, scales = self._table
        packed = words[ids]
        # Four-bit two's complement; the first of a pair is in the lower half.
        pairs = np.stack([packed & 15, packed >> 4], axis=-1).view(np.int8)
        values = ((pairs ^ 8) - 8).reshape(*ids.shape, -1, _BLOCK).astype(np.float32)
        rows: FloatArray = (values * scales[ids][..., None]).reshape(*ids.shape, -1)
        return rows


def _stamp(descriptor: int) -> tuple[int, int]:
    """Size in bytes, and time of the last change in nanoseconds."""
    found = os.fstat(descriptor)
    return found.st_size, found.st_mtime_ns

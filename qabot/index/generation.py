"""One generation, opened for reading."""

from __future__ import annotations

import sqlite3
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.errors import DamagedIndexError
from qabot.index import manifest as files
from qabot.index.database import Database
from qabot.index.filtering import allowed_rows
from qabot.index.lease import hold
from qabot.index.lexical import LexicalIndex
from qabot.index.manifest import Manifest
from qabot.index.vectors import Mask, RowArray, VectorIndex
from qabot.types import Filters

# Conversations and channels ask within the same few collections again and again.
_FILTERS_KEPT = 64


class Generation:
    """One opened, immutable generation; calls are safe from several threads.

    Attributes:
        sentences: Sentence vectors, float16 ``(sentences, dimension)``, mapped from disk; those of
            passage ``row`` are ``sentences[sentence_rows[row] : sentence_rows[row + 1]]``.
        sentence_rows: int64 ``(passages + 1,)``.

    Raises:
        DamagedIndexError: A file is missing or does not match the manifest.
        IndexMismatchError: The generation is of another format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Closed where it was forgotten, too: else nothing could remove the generation any more.
        self._release = weakref.finalize(self, hold(folder))
        try:
            self._open()
        except BaseException:
            self._release()
            raise
        # Not an lru_cache of a method: the cycle would leave the files to the garbage collector.
        self._allowed: dict[Filters, Mask | None] = {}

    def _open(self) -> None:
        folder = self.folder
        self.manifest = Manifest.read(folder)
        self.manifest.verify(folder)
        try:
            self.vectors = VectorIndex(folder / files.VECTORS)
            self.sentences: NDArray[np.float16] = np.load(
                folder / files.SENTENCES, mmap_mode="r", allow_pickle=False
            )
            self.sentence_rows: RowArray = np.load(folder / files.SENTENCE_ROWS, allow_pickle=False)
            self.database = Database(folder / files.DATABASE)
            self.lexical = LexicalIndex(folder / files.LEXICAL)
        except (OSError, ValueError, sqlite3.Error) as error:
            raise DamagedIndexError(f"{folder}: {error}; run `qabot rebuild --full`") from error

    def allowed(self, filters: Filters) -> Mask | None:
        """Which passages pass ``filters``: bool ``(passages,)``; ``None`` for all of them.

        Raises:
            FilterError: A value is no date, or names what the index does not hold.
        """
        if filters in self._allowed:
            return self._allowed[filters]
        allowed = allowed_rows(filters, self.manifest, self.database)
        if len(self._allowed) < _FILTERS_KEPT:
            self._allowed[filters] = allowed
        return allowed

    def close(self) -> None:
        """Close its files; it may be removed from now on."""
        self.database.close()
        self.lexical.close()
        self._release()

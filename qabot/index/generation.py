"""One generation, opened for reading."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from qabot.errors import DamagedIndexError
from qabot.index import manifest as files
from qabot.index.articles import Database
from qabot.index.filters import allowed_rows
from qabot.index.lease import acquire_shared_lock
from qabot.index.lexical import LexicalIndex
from qabot.index.manifest import Manifest
from qabot.index.vectors import Mask, RowArray, VectorIndex
from qabot.types import Filters

# Conversations and channels ask within the same few collections again and again.
_FILTERS_KEPT = 64
# NumPy reads a file's header with the interpreter's own parser, which Python 3.11 does not let two
# threads use at once: SystemError, "AST constructor recursion depth mismatch".
_parsing = threading.Lock()

_Part = TypeVar("_Part")


class Generation:
    """One opened, immutable generation; calls are safe from several threads.

    Args:
        whole: Whether to open all of it now. Where not, the checksums of all files are compared,
            and each but the database is opened when it is used, which is for one thread only.

    Attributes:
        sentences: Sentence vectors, float16 ``(sentences, dimension)``, mapped from disk; those of
            passage ``row`` are ``sentences[sentence_rows[row] : sentence_rows[row + 1]]``.
        sentence_rows: int64 ``(passages + 1,)``.

    Raises:
        DamagedIndexError: A file is missing or does not match the manifest.
        IndexMismatchError: The generation is of another format.
    """

    def __init__(self, folder: Path, *, whole: bool = True) -> None:
        self.folder = folder
        # Closed where it was forgotten, too: else nothing could remove the generation any more.
        self._release = weakref.finalize(self, acquire_shared_lock(folder))
        try:
            self.manifest = Manifest.read(folder)
            self.manifest.verify(folder)
            self.database = self._read(lambda: Database(folder / files.DATABASE))
            if whole:
                _ = self.vectors, self.sentences, self.sentence_rows, self.lexical
        except BaseException:
            self._release()
            raise
        # Not an lru_cache of a method: the cycle would leave the files to the garbage collector.
        self._allowed: dict[Filters, Mask | None] = {}

    @cached_property
    def vectors(self) -> VectorIndex:
        return self._read(lambda: VectorIndex(self.folder / files.VECTORS))

    @cached_property
    def sentences(self) -> NDArray[np.float16]:
        loaded: NDArray[np.float16] = self._array(files.SENTENCES, mmap_mode="r")
        return loaded

    @cached_property
    def sentence_rows(self) -> RowArray:
        loaded: RowArray = self._array(files.SENTENCE_ROWS)
        return loaded

    @cached_property
    def lexical(self) -> LexicalIndex:
        return self._read(lambda: LexicalIndex(self.folder / files.LEXICAL))

    def _array(self, name: str, **options: Any) -> Any:
        with _parsing:
            return self._read(lambda: np.load(self.folder / name, allow_pickle=False, **options))

    def _read(self, load: Callable[[], _Part]) -> _Part:
        try:
            return load()
        except (OSError, ValueError, sqlite3.Error) as error:
            raise DamagedIndexError(
                f"{self.folder}: {error}; run `qabot rebuild --full`"
            ) from error

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
        if "lexical" in self.__dict__:
            self.lexical.close()
        self._release()

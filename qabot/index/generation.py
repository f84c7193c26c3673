"""One generation, opened for reading."""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from qabot.errors import DamagedIndexError
from qabot.index import manifest as files
from qabot.index.database import Database
from qabot.index.filters import allowed_rows
from qabot.index.identity import Identity
from qabot.index.lease import acquire_shared_lock
from qabot.index.lexical import LexicalIndex
from qabot.index.manifest import FileStamp, Manifest
from qabot.index.open_file import REMEDY, OpenFile
from qabot.index.sentences import SentenceVectors, parsing
from qabot.index.vectors import Mask, RowArray, VectorIndex
from qabot.types import Filters

# Conversations and channels ask within the same few collections again and again.
_FILTERS_KEPT = 64

_Part = TypeVar("_Part")


class Generation:
    """One opened, immutable generation; calls are safe from several threads.

    Args:
        folder: Where it is; named by its number.
        identity: What ``CURRENT`` says of it, if it is the live one.
        whole: Whether to open all of it now. Where not, the checksums of all files are compared,
            and each but the database is opened when it is used, which is for one thread only.

    Attributes:
        sentences: Sentence vectors; those of passage ``row`` are
            ``sentences[sentence_rows[row] : sentence_rows[row + 1]]``.
        sentence_rows: int64 ``(passages + 1,)``.

    Raises:
        DamagedIndexError: A file is missing or does not match the manifest.
        IndexMismatchError: The generation is of another format.
    """

    def __init__(
        self, folder: Path, identity: Identity | None = None, *, whole: bool = True
    ) -> None:
        self.folder = folder
        # Closed where it was forgotten, too: else nothing could remove the generation any more.
        opened = contextlib.ExitStack()
        self._release = weakref.finalize(self, opened.close)
        try:
            opened.callback(acquire_shared_lock(folder))
            self.manifest = Manifest.read(folder, identity)
            self._files: dict[str, OpenFile] = {}
            for name, stamp in self._stamps():
                self._files[name] = OpenFile(folder / name, stamp.size, stamp.sha256)
                opened.callback(self._files[name].close)
            self.database = self._read(lambda: Database(folder / files.DATABASE))
            opened.callback(self.database.close)
            if whole:
                _ = self.vectors, self.sentences, self.sentence_rows, self.lexical
        except BaseException:
            self._release()
            raise
        # Not an lru_cache of a method: the cycle would leave the files to the garbage collector.
        self._allowed: dict[Filters, Mask | None] = {}

    def _stamps(self) -> Iterable[tuple[str, FileStamp]]:
        if self.manifest.files.keys() != set(files.FILES):
            raise DamagedIndexError(f"{self.folder / files.NAME}: lists other files; {REMEDY}")
        return self.manifest.files.items()

    def check(self) -> None:
        """Compare the files that were changed since they were opened.

        Raises:
            DamagedIndexError: One is not as it was written.
        """
        for file in self._files.values():
            file.check()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Give no answer from files that change meanwhile.

        Six files are looked at before and after, which takes some 10 µs. Files that were only
        touched are hashed again.

        Raises:
            DamagedIndexError: A file is not as it was written.
        """
        self.check()
        try:
            yield
        except Exception:
            self.check()  # What was read may have been anything.
            raise
        self.check()

    @cached_property
    def vectors(self) -> VectorIndex:
        return self._read(lambda: VectorIndex(self.folder / files.VECTORS))

    @cached_property
    def sentences(self) -> SentenceVectors:
        file = self._files[files.SENTENCES]
        return self._read(lambda: SentenceVectors(file))

    @cached_property
    def sentence_rows(self) -> RowArray:
        path = self.folder / files.SENTENCE_ROWS
        with parsing:
            loaded: RowArray = self._read(lambda: np.load(path, allow_pickle=False))
        return loaded

    @cached_property
    def lexical(self) -> LexicalIndex:
        return self._read(lambda: LexicalIndex(self.folder / files.LEXICAL))

    def _read(self, load: Callable[[], _Part]) -> _Part:
        try:
            return load()
        except (OSError, ValueError, sqlite3.Error) as error:
            raise DamagedIndexError(f"{self.folder}: {error}; {REMEDY}") from error

    def allowed(self, filters: Filters) -> Mask | None:
        """Mark the passages that pass ``filters``: bool ``(passages,)``; ``None`` for all of them.

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
        if "lexical" in self.__dict__:
            self.lexical.close()
        self._release()

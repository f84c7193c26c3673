"""One segment of a generation, opened for reading."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from qabot.errors import DamagedIndexError
from qabot.index import manifest as files
from qabot.index.database import SegmentDatabase
from qabot.index.manifest import SegmentStamp
from qabot.index.open_file import REMEDY, OpenFile
from qabot.index.segment_words import SegmentWords
from qabot.index.sentences import KEPT_SIZE
from qabot.index.vector_file import VectorFile, parsing
from qabot.index.vectors import RowArray, SegmentVectors

_Part = TypeVar("_Part")


class Segment:
    """One opened, immutable segment; its parts but the database are opened when they are used.

    Args:
        folder: Where it is.
        stamp: What the manifest of a generation says of it.
        opened: Closes its files.

    Attributes:
        files: All its files.
        database: The articles and passages of this generation.

    Raises:
        DamagedIndexError: A file is missing or does not match the manifest; also of each part.
    """

    def __init__(self, folder: Path, stamp: SegmentStamp, opened: contextlib.ExitStack) -> None:
        self.folder, self.stamp = folder, stamp
        self._opened = opened
        self.files: dict[str, OpenFile] = {}
        for name, made in stamp.files.items():
            self.files[name] = OpenFile(folder / name, made)
            opened.callback(self.files[name].close)
        path = folder / files.DATABASE
        self.database = self._read(lambda: SegmentDatabase(path, stamp.left_rows))
        opened.callback(self.database.close)

    @cached_property
    def vectors(self) -> VectorFile:
        """Of passages: float16."""
        return self._read(lambda: VectorFile(self.files[files.VECTORS], np.float16))

    @cached_property
    def nearest(self) -> SegmentVectors:
        codes = self.folder / files.CODES if files.CODES in self.files else None
        return self._read(lambda: SegmentVectors(self.vectors, codes))

    @cached_property
    def sentences(self) -> VectorFile:
        """Of sentences: int8, as ``sentences.pack`` writes them."""
        file = self.files[files.SENTENCES]
        return self._read(lambda: VectorFile(file, np.int8, keep=KEPT_SIZE))

    @cached_property
    def sentence_rows(self) -> RowArray:
        path = self.folder / files.SENTENCE_ROWS
        with parsing:
            loaded: RowArray = self._read(lambda: np.load(path, allow_pickle=False))
        return loaded

    @cached_property
    def words(self) -> SegmentWords:
        file = self.files[files.LEXICAL]
        return self._read(lambda: SegmentWords(file, self.database.live))

    def compare(self) -> None:
        """Compare every byte of its files.

        Raises:
            DamagedIndexError: One is not as it was written.
        """
        for file in self.files.values():
            file.compare()

    def _read(self, load: Callable[[], _Part]) -> _Part:
        try:
            return load()
        except (OSError, ValueError, sqlite3.Error) as error:
            raise DamagedIndexError(f"{self.folder}: {error}; {REMEDY}") from error

"""The next generation while it is written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qabot.index import manifest as files
from qabot.index.identity import Identity
from qabot.index.manifest import Manifest, SegmentStamp, stamps
from qabot.index.publishing import publish
from qabot.index.sentences import Packed
from qabot.index.vectors import EXACT, HalfArray, write_codes

if TYPE_CHECKING:
    from qabot.index.contracts import Writing


class GenerationWriter:
    """The unpublished next generation: callers write ``FILES`` into ``folder``, then publish.

    Attributes:
        index: The index folder.
        folder: Where it is written.
        identity: Its number and id.
        removed: How many leftovers of killed rebuilds were removed before it was begun.
        published: Whether it is the live one.
    """

    def __init__(self, index: Path, folder: Path, identity: Identity, removed: int = 0) -> None:
        self.index = index
        self.folder = folder
        self.identity = identity
        self.removed = removed
        self.published = False
        self._segments: list[SegmentWriter] = []

    @property
    def number(self) -> int:
        """Its number."""
        return self.identity.number

    def writes_all_after(self, live: int) -> bool:  # noqa: ARG002 (as MilvusWriter)
        """Tell if unchanged articles have to be written, too: segments stay where they are."""
        return False

    def write(self, writing: Writing) -> int:
        """Write it as folders are written; return how many passages a killed rebuild encoded."""
        return writing.segments(self)

    def segment(self) -> SegmentWriter:
        """Begin its next segment."""
        name = f"{self.number}-{len(self._segments) + 1}"
        self._segments.append(SegmentWriter(self.folder / files.SEGMENTS / name))
        return self._segments[-1]

    def publish(self, manifest: Manifest) -> None:
        """Make this the live generation, in one step."""
        replace(manifest, id=self.identity.id).write(self.folder)
        publish(self.index, self.folder, self.identity)
        self.published = True


class SegmentWriter:
    """A segment of the next generation: callers write ``SEGMENT_FILES`` into ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder

    def sentence_file(self, count: int, dimension: int) -> Packed:
        """A zeroed array ``(count, dimension)`` mapped to the sentence file.

        The disk's blocks are reserved first, where the system can: writing to a mapped file on a
        full disk would kill the process.
        """
        path = self.folder / files.SENTENCES
        if count == 0:
            np.save(path, np.zeros((0, dimension), np.int8))
            return np.zeros((0, dimension), np.int8)
        vectors = np.lib.format.open_memmap(path, "w+", np.int8, (count, dimension))
        if hasattr(os, "posix_fallocate"):  # Not on macOS.
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return vectors

    def write_vectors(self, vectors: HalfArray) -> None:
        """Write the vectors of passages: float16 ``(passages, dimension)``, of length 1.

        Raises:
            OSError: They cannot be written.
        """
        np.save(self.folder / files.VECTORS, vectors)
        if len(vectors) > EXACT:
            write_codes(self.folder / files.CODES, vectors)

    def stamp(self, *, articles: int, passages: int, sentences: int) -> SegmentStamp:
        """Describe it, once all its files are written."""
        codes = (files.CODES,) if passages > EXACT else ()
        made = stamps(self.folder, (*files.SEGMENT_FILES, *codes))
        return SegmentStamp(self.folder.name, articles, passages, sentences, made)

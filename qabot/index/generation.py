"""One generation, opened for reading."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import DamagedIndexError
from qabot.index import manifest as files
from qabot.index.contracts import Candidates
from qabot.index.filters import allowed_rows
from qabot.index.identity import Identity
from qabot.index.joined import Database, Sentences, Vectors
from qabot.index.lease import acquire_shared_lock
from qabot.index.lexical import LexicalIndex, usual_wording
from qabot.index.manifest import Manifest
from qabot.index.open_file import REMEDY, OpenFile
from qabot.index.rows import Rows
from qabot.index.segment import Segment
from qabot.index.sentences import cosines
from qabot.index.vectors import FloatArray, HalfArray, Mask, RowArray, highest
from qabot.types import Filters

# Conversations and channels ask within the same few collections again and again.
_FILTERS_KEPT = 64


class Generation:
    """One opened, immutable generation; calls are safe from several threads.

    Args:
        folder: Where it is; named by its number.
        identity: What ``CURRENT`` says of it, if it is the live one.
        whole: Whether to open all of it now. Where not, all files are checked, and each but the
            databases is opened when it is used, which is for one thread only.
        compare: Whether to compare every byte first.

    Attributes:
        segments: Its segments, in order of rows.

    Raises:
        DamagedIndexError: A file is missing or does not match the manifest.
        IndexMismatchError: The generation is of another format.
    """

    def __init__(
        self,
        folder: Path,
        identity: Identity | None = None,
        *,
        whole: bool = True,
        compare: bool = False,
    ) -> None:
        self.folder = folder
        # Closed where it was forgotten, too: else nothing could remove the generation any more.
        opened = contextlib.ExitStack()
        self._release = weakref.finalize(self, opened.close)
        try:
            opened.callback(acquire_shared_lock(folder))
            self.manifest = Manifest.read(folder, identity)
            if self.manifest.files.keys() != set(files.FILES):
                raise DamagedIndexError(f"{folder / files.NAME}: lists other files; {REMEDY}")
            self._files: list[OpenFile] = []
            for name, stamp in self.manifest.files.items():
                self._files.append(OpenFile(folder / name, stamp))
                opened.callback(self._files[-1].close)
            parts = folder.parent.parent / files.SEGMENTS
            self.segments: list[Segment] = []
            for made in self.manifest.segments:
                self.segments.append(Segment(parts / made.name, made, opened))
                self._files += self.segments[-1].files.values()
            self._rows = Rows([made.passages for made in self.manifest.segments])
            if compare:
                self.compare()
            if whole:
                _ = self.vectors, self.sentences, self.lexical
        except BaseException:
            self._release()
            raise
        # Not an lru_cache of a method: the cycle would leave the files to the garbage collector.
        self._allowed: dict[Filters, Mask | None] = {}

    def compare(self) -> str:
        """Compare every byte of all files, and say so.

        Raises:
            DamagedIndexError: One is not as it was written.
        """
        for file in self._files:
            file.compare()
        return "all checksums are right"

    def check(self) -> None:
        """Compare the files that were changed since they were opened.

        Raises:
            DamagedIndexError: One is not as it was written.
        """
        for file in self._files:
            file.check()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Give no answer from files that change meanwhile.

        All files are looked at before and after, which takes a microsecond for each. Files that
        were only touched are hashed again.

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

    @property
    def place(self) -> str:
        """Its folder, as messages name it."""
        return str(self.folder)

    @cached_property
    def subspace(self) -> LanguageSubspace:
        """What was taken out of its vectors, and is to be taken out of a question's."""
        path = self.folder / files.SUBSPACE
        try:
            return LanguageSubspace.load(path)
        except (OSError, ValueError) as error:
            raise DamagedIndexError(f"{path}: cannot be read ({error}); {REMEDY}") from error

    @cached_property
    def database(self) -> Database:
        """Articles and passages."""
        return Database([segment.database for segment in self.segments], self._rows)

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors of passages."""
        parts = [(segment.nearest, segment.database.live) for segment in self.segments]
        return Vectors(parts, self._rows)

    def stored_vectors(self, rows: RowArray) -> HalfArray:
        """The vectors of passages as they are stored: float16 ``(len(rows), dimension)``.

        Raises:
            DamagedIndexError: They cannot be read.
        """
        found = np.empty((len(rows), self.manifest.encoder.dimension), np.float16)
        for segment, where, there in self._rows.split(rows):
            found[where] = self.segments[segment].vectors[there]
        return found

    @cached_property
    def sentences(self) -> Sentences:
        """The vectors of sentences."""
        parts = [(segment.sentences, segment.sentence_rows) for segment in self.segments]
        return Sentences(parts, self._rows)

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The words of passages."""
        return LexicalIndex([segment.words for segment in self.segments])

    @property
    def begins(self) -> Sequence[int]:
        """The first row of each segment."""
        return self._rows.begins

    def places(self, rows: RowArray) -> set[int]:
        """Which of ``segments`` hold any of ``rows``."""
        return {place for place, _, _ in self._rows.split(rows)} if len(rows) else set()

    @cached_property
    def rows(self) -> RowArray:
        """The rows of all passages that are in the index, rising."""
        found = [np.zeros(0, np.int64)]
        for begin, segment in zip(self._rows.begins, self.segments, strict=True):
            live = segment.database.live
            there = np.arange(segment.stamp.passages) if live is None else np.flatnonzero(live)
            found.append(there + begin)
        return np.concatenate(found)

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

    def candidates(
        self,
        question: str,
        query: FloatArray,
        filters: Filters,
        *,
        nearest: int,
        wordiest: int,
        most: int,
    ) -> Candidates:
        """The passages to look at closely for a question (``OpenGeneration.candidates``)."""
        allowed = self.allowed(filters)
        if self.manifest.passages == 0 or (allowed is not None and not allowed.any()):
            return Candidates.none()
        words = self.lexical.search(question, wordiest, allowed)
        near = self.vectors.search(query, nearest, allowed)
        wordy = np.fromiter(words, np.int64, len(words))
        # Not np.union1d: it loads numpy.ma, as np.unique by itself does.
        rows = np.sort(np.concatenate([near[1], wordy]))
        rows = rows[np.diff(rows, prepend=-1) > 0]
        lexical = np.zeros(len(rows), np.float32)
        lexical[rows.searchsorted(wordy)] = list(words.values())
        usual = usual_wording(lexical, self.lexical.languages(rows))
        similarities = self.vectors.cosines(query, rows, near)
        kept = np.sort(highest(similarities + lexical, most))
        packed, starts = self.sentences.packed(rows[kept])
        return Candidates(
            rows=rows[kept],
            similarities=similarities[kept],
            sentences=cosines(packed, query),
            starts=starts,
            lexical=lexical[kept],
            usual=usual[kept],
        )

    def shares(self, question: str, language: str, texts: Sequence[str]) -> list[float]:
        """The share of the question's wording in each of ``texts`` (``LexicalIndex.shares``)."""
        return self.lexical.shares(question, language, texts)

    def close(self) -> None:
        """Close its files; it may be removed from now on."""
        self._release()

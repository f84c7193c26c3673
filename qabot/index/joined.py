"""Several segments as one: articles, vectors and sentence vectors of a whole generation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from qabot.index.articles import StoredArticle
from qabot.index.database import SegmentDatabase
from qabot.index.rows import Rows
from qabot.index.sentences import Packed, unpack
from qabot.index.vector_file import VectorFile, runs
from qabot.index.vectors import FloatArray, Mask, RowArray, SegmentVectors, highest
from qabot.types import Article, ArticleInfo, Filters, Passage

# Each hit of a question looks for its article.
_PLACES_KEPT = 256
# Scores of a large segment are rough: so many times more of the nearest are scored again.
_SPARE = 4


class Database:
    """Articles and passages of all segments; calls are safe from several threads.

    Raises:
        DamagedIndexError: Of any call, where a file cannot be read.
    """

    def __init__(self, parts: Sequence[SegmentDatabase], rows: Rows) -> None:
        self._parts = parts
        self._rows = rows
        self._find = lru_cache(_PLACES_KEPT)(self._read_place)
        # The segments of articles whose passages were read: hits need not look in all of them.
        self._segments: dict[str, int] = {}

    def infos(self) -> list[ArticleInfo]:
        """All articles, by id."""
        return [info for info, _ in self.contents()]

    def contents(self) -> list[tuple[ArticleInfo, str | None]]:
        """All articles, by id, each with its ``Article.content``."""
        found = [item for part in self._parts for item in part.contents()]
        return sorted(found, key=lambda item: item[0].id)

    def passage_counts(self) -> dict[str, int]:
        """Article id → how many passages it has."""
        return {name: n for part in self._parts for name, n in part.passage_counts().items()}

    def _read_place(self, article_id: str) -> tuple[int, int] | None:
        """The segment of an article and its row there."""
        known = self._segments.get(article_id)
        for segment in (*(() if known is None else (known,)), *range(len(self._parts))):
            row = self._parts[segment].row_of(article_id)
            if row is not None:
                return segment, row
        return None

    def article(self, article_id: str) -> Article | None:
        """One article with its text, or ``None``."""
        place = self._find(article_id)
        return None if place is None else self._parts[place[0]].article(place[1])

    def passage(self, row: int) -> tuple[Passage, ArticleInfo]:
        """The passage of a row, and its article."""
        segment, there = self._rows.place(row)
        passage, info = self._parts[segment].passage(there)
        if len(self._segments) >= _PLACES_KEPT:
            self._segments.clear()
        self._segments[info.id] = segment
        return passage, info

    def read(self, rows: Sequence[int]) -> list[tuple[Passage, ArticleInfo]]:
        """The passages of some rows, each with its article."""
        return [self.passage(row) for row in rows]

    def pages(self, article_id: str) -> tuple[int, ...]:
        """Where the pages of an article begin (``Article.pages``)."""
        place = self._find(article_id)
        return () if place is None else self._parts[place[0]].pages(place[1])

    def passages(self, article_id: str) -> list[tuple[int, Passage]]:
        """An article's passages in order, each with its row."""
        place = self._find(article_id)
        if place is None:
            return []
        segment, article = place
        begin = self._rows.begins[segment]
        return [(begin + row, passage) for row, passage in self._parts[segment].passages(article)]

    def rows(self, filters: Filters) -> Mask:
        """Mark the passages of articles that pass ``filters``: bool, one for each row."""
        return np.concatenate([part.rows(filters) for part in self._parts])

    def stored(self) -> dict[str, StoredArticle]:
        """Article id → where it is."""
        parts = [part.stored(segment) for segment, part in enumerate(self._parts)]
        return {name: place for part in parts for name, place in part.items()}

    def article_ids(self) -> set[str]:
        """The ids of all articles."""
        return {name for part in self._parts for name in part.ids()}

    def digests(self, wanted: Collection[str]) -> dict[str, int]:
        """Which of these digests passages have: digest → row, of one that has it."""
        found: dict[str, int] = {}
        for begin, part in zip(self._rows.begins, self._parts, strict=True):
            found |= {digest: begin + row for digest, row in part.digests(list(wanted)).items()}
        return found


class Vectors:
    """Passage vectors of all segments.

    Args:
        parts: Those of each segment, and which of its passages are in the index (``None``: all).
    """

    def __init__(self, parts: Sequence[tuple[SegmentVectors, Mask | None]], rows: Rows) -> None:
        self._parts = parts
        self._rows = rows

    def search(
        self, query: FloatArray, count: int, allowed: Mask | None = None
    ) -> tuple[FloatArray, RowArray]:
        """Find the nearest passages of one query vector; as ``SegmentVectors.search``.

        Large segments find nearly all of them. The cosines are exact in any case.
        """
        masks: Sequence[Mask | None] = [live for _, live in self._parts]
        if allowed is not None:
            masks = self._rows.parts(allowed)
        most = _SPARE * count
        least: float | None = None
        found, where = np.zeros(0, np.float32), np.zeros(0, np.int64)
        for (part, _), begin, mask in zip(self._parts, self._rows.begins, masks, strict=True):
            scores, rows = part.search(query, most, mask, least)
            found, where = np.concatenate([found, scores]), np.concatenate([where, rows + begin])
            # What is below ``most`` of these need not be looked for in the segments to come.
            if len(found) >= (most if least is None else 2 * most) > 0:
                best = highest(found, most)
                found, where = found[best], where[best]
                least = float(found[-1])
        if not all(part.exact for part, _ in self._parts):
            where = np.sort(where[highest(found, most)])
            found = np.vecdot(self.vectors(where), query)
        best = highest(found, count)
        return found[best], where[best]

    def cosines(
        self, query: FloatArray, rows: RowArray, known: tuple[FloatArray, RowArray]
    ) -> FloatArray:
        """The cosines of the vectors of ``rows``, which rise, and of a query: float32 ``(n,)``.

        Args:
            known: What ``search`` has found, which is not read again.
        """
        found = np.full(len(rows), np.nan, np.float32)
        if not all(part.exact for part, _ in self._parts):
            found[rows.searchsorted(known[1])] = known[0]
        new = np.flatnonzero(np.isnan(found))
        found[new] = np.vecdot(self.vectors(rows[new]), query)
        return found

    def vectors(self, rows: RowArray) -> FloatArray:
        """The vectors of ``rows``: float32 ``(len(rows), dimension)``."""
        found = np.empty((len(rows), self._parts[0][0].dimension), np.float32)
        for segment, where, there in self._rows.split(rows):
            found[where] = self._parts[segment][0].vectors(there)
        return found


class Sentences:
    """Sentence vectors of all segments.

    Args:
        parts: Those of each segment, and where the sentences of its passages begin, with the end:
            int64 ``(passages + 1,)``.
    """

    def __init__(self, parts: Sequence[tuple[VectorFile, RowArray]], rows: Rows) -> None:
        self._parts = parts
        self._rows = rows
        self._nothing = np.zeros((0, parts[0][0].shape[1] if parts else 0), np.int8)

    def counts(self, rows: RowArray) -> RowArray:
        """How many sentences each of ``rows`` has."""
        counts = np.zeros(len(rows), np.int64)
        for segment, where, there in self._rows.split(rows):
            bounds = self._parts[segment][1]
            counts[where] = bounds[there + 1] - bounds[there]
        return counts

    def of(self, rows: RowArray) -> tuple[FloatArray, RowArray]:
        """The vectors of all sentences of ``rows``.

        Returns:
            Vectors, float32 ``(sentences, dimension)``, and where each row's begin, with the end.

        Raises:
            DamagedIndexError: They cannot be read.
        """
        packed, starts = self.packed(rows)
        return unpack(packed), starts

    def packed(self, rows: RowArray) -> tuple[Packed, RowArray]:
        """The same in 8 bits, as they are stored."""
        counts = np.zeros(len(rows), np.int64)
        parts: list[tuple[RowArray | slice, Packed]] = []
        for segment, where, there in self._rows.split(rows):
            vectors, bounds = self._parts[segment]
            begins = bounds[there]
            counts[where] = bounds[there + 1] - begins
            parts.append((where, vectors.runs(begins, counts[where])))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        if (np.diff(rows) > 0).all():  # Then those of the segments follow one another.
            return np.concatenate([self._nothing, *(some for _, some in parts)]), starts
        found = np.empty((int(starts[-1]), self._nothing.shape[1]), np.int8)
        for where, some in parts:
            found[runs(starts[where], counts[where])] = some
        return found, starts

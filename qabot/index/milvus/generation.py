"""One generation on a Milvus server, opened for reading."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import DamagedIndexError
from qabot.index.contracts import Candidates
from qabot.index.filters import checked_filters
from qabot.index.lexical import LEAST_IDF, MOST_TERMS, rarity, shares_of, usual_wording
from qabot.index.manifest import Manifest
from qabot.index.milvus import packing
from qabot.index.milvus.articles import MilvusArticles
from qabot.index.milvus.server import PRODUCT, VECTOR, Row, Server
from qabot.index.milvus.snapshot import Snapshot
from qabot.index.milvus.tables import Tables, bucket_of
from qabot.index.postings import group_of
from qabot.index.scoring import best_of
from qabot.index.segment_words import K1, B
from qabot.index.sentences import cosines, unpack
from qabot.index.terms import content_terms
from qabot.index.vectors import FloatArray, RowArray, highest
from qabot.types import Filters

# A question weighs its terms once, and then for each of its hits.
_QUESTIONS_KEPT = 256
# As many as a search may return.
_MOST_FOUND = 16_384
# Stands for a month or a day that is missing.
_LAST = 99


@dataclass(frozen=True, slots=True)
class Contents:
    """A generation's manifest, and what belongs to all its passages.

    Attributes:
        subspace: What was taken out of its vectors.
        languages: Language → how many passages are in it, and their words together.
    """

    manifest: Manifest
    subspace: LanguageSubspace
    languages: dict[str, tuple[int, int]]


class MilvusGeneration:
    """One immutable generation; calls are safe from several threads.

    Args:
        collection: The one that holds its manifest, which goes when it is removed.

    Raises:
        UnreachableIndexError: Of any call, where the server does not answer.
    """

    def __init__(self, server: Server, tables: Tables, collection: str, contents: Contents) -> None:
        self._server, self._tables, self._collection = server, tables, collection
        self.manifest, self.subspace = contents.manifest, contents.subspace
        self.languages = contents.languages
        self._rows = Snapshot(server, tables, contents.manifest)
        self.place = self._rows.place
        self.database = MilvusArticles(self._rows)
        self._weights = lru_cache(_QUESTIONS_KEPT)(self._read_weights)

    @property
    def _averages(self) -> dict[str, float]:
        return {name: words / passages for name, (passages, words) in self.languages.items()}

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Give no answer from a generation that is removed meanwhile.

        Raises:
            DamagedIndexError: It was.
        """
        try:
            yield
        except Exception:
            self._check()
            raise
        self._check()

    def _check(self) -> None:
        if not self._server.exists(self._collection):
            raise DamagedIndexError(
                f"{self.place}: generation {self.manifest.generation} was removed; ask again"
            )

    def compare(self) -> str:
        """Find it there, and say so: what the server stores, it checks itself."""
        self._check()
        return "the server has it, and its manifest is whole"

    def close(self) -> None:
        """Let go of it."""

    def _filter(self, filters: Filters) -> str:
        """The condition for passages of articles that pass ``filters``."""
        if filters == Filters():
            return self._rows.condition
        filters = checked_filters(filters, self.manifest, self._holds)
        kinds = ("collection", "language", "source")
        wanted = [(kind, getattr(filters, kind)) for kind in kinds]
        conditions = [
            self._rows.condition,
            *(_tagged(kind, value) for kind, value in wanted if value),
        ]
        if filters.since is not None:
            conditions.append(f"last >= {packing.day(filters.since, 0)}")
        if filters.until is not None:
            conditions.append(f"first <= {packing.day(filters.until, _LAST)}")
        return " and ".join(conditions)

    def _holds(self, source: str) -> bool:
        condition = f"{self._rows.condition} and {_tagged('source', source)}"
        return self._server.any(self._tables.passages, condition, self._rows.level)

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
        """The nearest passages by vector, scored by their words (``OpenGeneration.candidates``).

        Passages that are far by their vectors are not found by their words.
        """
        condition = self._filter(filters)
        if self.manifest.passages == 0:
            return Candidates.none()
        sentences = self._tables.sentences
        fields = ["row", *sentences, "language", "length", "terms"]
        count = min(nearest, _MOST_FOUND)
        found = self._server.search(
            self._tables.passages, query.tolist(), count, condition, fields, level=self._rows.level
        )
        if not found:
            return Candidates.none()
        found.sort(key=lambda row: int(row["row"]))
        similarities = np.array([row[PRODUCT] for row in found], np.float32)
        lexical = self._lexical(question, found, wordiest)
        languages = np.unique([row["language"] for row in found], return_inverse=True)[1]
        usual = usual_wording(lexical, languages)
        kept = np.sort(highest(similarities + lexical, most))
        found = [found[place] for place in kept.tolist()]
        parts = [
            packing.unpack_sentences((r[name] for name in sentences), len(query)) for r in found
        ]
        return Candidates(
            rows=np.array([row["row"] for row in found], np.int64),
            similarities=similarities[kept],
            sentences=cosines(np.concatenate(parts), query),
            starts=np.cumsum([0, *map(len, parts)]).astype(np.int64),
            lexical=lexical[kept],
            usual=usual[kept],
        )

    def _lexical(self, question: str, found: Sequence[Row], count: int) -> FloatArray:
        """As ``LexicalIndex.search`` scores these passages: float32 ``(len(found),)``."""
        kept = np.zeros(len(found), np.float32)
        averages, languages = self._averages, np.array([row["language"] for row in found])
        for language, weights in self._weights(question).items():
            where = np.flatnonzero(languages == language)
            rarities = {
                packing.term_key(language, term): idf
                for term, idf in weights.items()
                if idf > LEAST_IDF
            }
            if not rarities or len(where) == 0:
                continue
            rows = [found[at] for at in where.tolist()]
            keys, often, starts = packing.unpack_terms(row["terms"] for row in rows)
            norms = K1 * (1 - B + B * np.array([r["length"] for r in rows]) / averages[language])
            held = np.flatnonzero(np.isin(keys, list(rarities)))
            of = np.searchsorted(starts, held, "right") - 1
            idfs, often = np.array([rarities[key] for key in keys[held].tolist()]), often[held]
            parts = idfs * often / (often + norms[of])
            # Added up in the order of their keys.
            scores = np.bincount(of, parts, len(rows)) / sum(weights.values())
            best = best_of(scores := np.minimum(scores, 1.0), count)
            kept[where[best]] = scores[best]
        return kept

    def shares(self, question: str, language: str, texts: Sequence[str]) -> list[float]:
        """The share of the question's wording in each of ``texts`` (``LexicalIndex.shares``)."""
        return shares_of(self._weights(question).get(group_of(language), {}), language, texts)

    def _read_weights(self, question: str) -> dict[str, dict[str, float]]:
        """Language → term of the question → idf."""
        words = {name: content_terms(question, name)[:MOST_TERMS] for name in self.languages}
        keys = {packing.term_key(name, word) for name, some in words.items() for word in some}
        counts = self.term_counts(sorted({bucket_of(key) for key in keys}))
        weights = {}
        for name, (size, _) in self.languages.items():
            held = [counts.get(packing.term_key(name, word), 0) for word in words[name]]
            weights[name] = dict(zip(words[name], rarity(held, size).tolist(), strict=True))
        return weights

    def term_counts(self, buckets: Sequence[int]) -> dict[int, int]:
        """How many passages hold each term, of all terms in these buckets: key → count."""
        found: dict[int, int] = {}
        for row in self._rows.of(self._tables.terms, "bucket", buckets, ["counts"]):
            found |= packing.unpack_counts(row["counts"])
        return found

    # --- For rebuilds and checks ------------------------------------------------------------------

    @cached_property
    def rows(self) -> RowArray:
        """The rows of all passages, rising."""
        found = self._rows.every(self._tables.passages, "row >= 0", ["row"])
        return np.array([row["row"] for row in found], np.int64)

    @property
    def segments(self) -> tuple[()]:
        """It has none: all passages are in one collection."""
        return ()

    @property
    def vectors(self) -> _Vectors:
        """The vectors of passages."""
        return _Vectors(self._rows)

    @property
    def sentences(self) -> _Sentences:
        """The vectors of sentences."""
        return _Sentences(self._rows)


class _Vectors:
    def __init__(self, rows: Snapshot) -> None:
        self._rows = rows

    def vectors(self, rows: RowArray) -> FloatArray:
        """The vectors of ``rows``: float32 ``(len(rows), dimension)``."""
        found = self._rows.passages(rows.tolist(), [VECTOR])
        dimension = self._rows.tables.dimension
        return np.array([row[VECTOR] for row in found], np.float32).reshape(-1, dimension)


class _Sentences:
    def __init__(self, rows: Snapshot) -> None:
        self._rows = rows

    def counts(self, rows: RowArray) -> RowArray:
        """How many sentences each of ``rows`` has."""
        found = self._rows.passages(rows.tolist(), ["place"])
        return np.array([len(json.loads(row["place"])["sentences"]) for row in found], np.int64)

    def of(self, rows: RowArray) -> tuple[FloatArray, RowArray]:
        """The vectors of all sentences of ``rows``, and where each row's begin, with the end."""
        names, dimension = self._rows.tables.sentences, self._rows.tables.dimension
        found = self._rows.passages(rows.tolist(), names)
        parts = [packing.unpack_sentences((r[name] for name in names), dimension) for r in found]
        starts = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        return unpack(np.concatenate([np.zeros((0, dimension), np.int8), *parts])), starts


def _tagged(kind: str, value: str) -> str:
    return f"array_contains(tags, {packing.tag(kind, value)})"

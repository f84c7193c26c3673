"""Which segments of the next generation are written, which vectors are reused or missing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from qabot.index import (
    IN_PLACE,
    AnyGeneration,
    Generation,
    IndexedArticle,
    SegmentStamp,
    StoredArticle,
)
from qabot.index.vectors import RowArray
from qabot.indexing import merging
from qabot.indexing.passages import TokenCounter, split_article
from qabot.types import Article, ArticleInfo, Passage, Unchanged

NEW = -1
"""Stands for a row of the live generation where there is none."""


@dataclass(slots=True)
class SegmentPlan:
    """A segment to be written, without its vectors.

    Attributes:
        articles: In the order of their ids; unchanged ones by their place in the live generation.
    """

    articles: list[IndexedArticle | StoredArticle] = field(default_factory=list)
    _origins: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of passages."""
        return len(self._origins)

    @property
    def origins(self) -> RowArray:
        """The live generation's row for each passage, or ``NEW``; shape ``(count,)``."""
        return np.array(self._origins, np.int64)

    def missing(self) -> Iterator[tuple[int, ArticleInfo, Passage]]:
        """Yield the passages to encode: row, article, passage."""
        for row, info, passage in self.written():
            if self._origins[row] == NEW:
                yield row, info, passage

    def written(self) -> Iterator[tuple[int, ArticleInfo, Passage]]:
        """Yield the passages of new articles: row, article, passage."""
        row = 0
        for item in self.articles:
            if isinstance(item, IndexedArticle):
                for number, passage in enumerate(item.passages, row):
                    yield number, item.article.info, passage
            row += size_of(item)

    def add(
        self, item: IndexedArticle | StoredArticle, rows: dict[str, int], begins: Sequence[int]
    ) -> None:
        """Add an article.

        Args:
            rows: Digest → row, of passages of the live generation.
            begins: The first row of each of its segments.
        """
        self.articles.append(item)
        if isinstance(item, IndexedArticle):
            self._origins += [rows.get(digest, NEW) for digest in item.digests]
        else:
            first = begins[item.segment] + item.first
            self._origins += range(first, first + item.count)


@dataclass(frozen=True, slots=True)
class EncodingPlan:
    """The next generation without its vectors.

    Attributes:
        kept: Segments of the live generation that stay, and what has left them.
        stay: Where there are no segments: the rows of articles that stay.
        written: Segments that are written.
        articles, passages: How many it holds.
        differs: It holds something else than the live one.
    """

    kept: tuple[SegmentStamp, ...]
    stay: frozenset[int]
    written: tuple[SegmentPlan, ...]
    articles: int
    passages: int
    differs: bool

    @property
    def encoded(self) -> int:
        """The number of passages to encode."""
        return sum(1 for segment in self.written for _ in segment.missing())


def plan_encoding(
    items: Sequence[Article | Unchanged],
    live: AnyGeneration | None,
    old: AnyGeneration | None,
    count_tokens: TokenCounter,
    *,
    again: bool = False,
) -> EncodingPlan:
    """Split new articles into passages, and find what can be reused.

    Args:
        items: The articles of the next generation, in the order of their ids.
        live: The live generation, if there is one.
        old: The same, if its passages and vectors can be reused.
        count_tokens: Counts the encoder's tokens, to cut new articles into passages.
        again: Unchanged articles are written anew, with the vectors that they have.
    """
    stored = old.database.stored() if old else {}
    differs = len(stored) != len(items)
    placed: list[IndexedArticle | StoredArticle] = []
    for item in items:
        if old and not again and isinstance(item, Unchanged):
            placed.append(stored[item.info.id])
            continue
        article = item if isinstance(item, Article) else _read_again(live, item.info)
        before = stored.get(article.info.id)
        if old and before and before.digest == article.digest:
            passages = [passage for _, passage in old.database.passages(article.info.id)]
        else:
            differs = True
            passages = split_article(article, count_tokens)
        digests = tuple(_digest(article, passage) for passage in passages)
        placed.append(IndexedArticle(article, tuple(passages), digests))
    kept = _kept(placed, old)
    moved = [
        item
        for item in placed
        if isinstance(item, IndexedArticle) or item.segment not in (*kept, IN_PLACE)
    ]
    return EncodingPlan(
        kept=tuple(kept.values()),
        stay=frozenset(
            item.row
            for item in placed
            if isinstance(item, StoredArticle) and item.segment == IN_PLACE
        ),
        written=_written(moved, old),
        articles=len(placed),
        passages=sum(map(size_of, placed)),
        differs=differs,
    )


def _kept(
    placed: Sequence[IndexedArticle | StoredArticle], old: AnyGeneration | None
) -> dict[int, SegmentStamp]:
    """Find the segments of the live generation that stay as they are; place → segment."""
    if old is None or not old.manifest.segments:
        return {}
    left = [np.ones(made.articles, np.bool_) for made in old.manifest.segments]
    stay: Counter[int] = Counter()
    for item in placed:
        if isinstance(item, StoredArticle):
            left[item.segment][item.row] = False
            stay[item.segment] += item.count
    added = sum(size_of(item) for item in placed if isinstance(item, IndexedArticle))
    sizes = [
        merging.Size(made.passages, stay[place]) for place, made in enumerate(old.manifest.segments)
    ]
    dissolved = merging.dissolved(sizes, added)
    return {
        place: made.without(left[place])
        for place, made in enumerate(old.manifest.segments)
        if place not in dissolved
    }


def _written(
    placed: Sequence[IndexedArticle | StoredArticle], old: AnyGeneration | None
) -> tuple[SegmentPlan, ...]:
    """Spread articles over segments of about the same size."""
    total = sum(map(size_of, placed))
    size = total / max(1, -(-total // merging.LARGEST))
    digests = {d for item in placed if isinstance(item, IndexedArticle) for d in item.digests}
    rows = old.database.digests(digests) if old and digests else {}
    begins = old.begins if isinstance(old, Generation) else ()
    segments: list[SegmentPlan] = []
    for item in placed:
        if not segments or segments[-1].count >= size > 0:
            segments.append(SegmentPlan())
        segments[-1].add(item, rows, begins)
    return tuple(segments)


def size_of(item: IndexedArticle | StoredArticle) -> int:
    """Count the passages of an article."""
    return item.count if isinstance(item, StoredArticle) else len(item.passages)


def _read_again(live: AnyGeneration | None, info: ArticleInfo) -> Article:
    article = live.database.article(info.id) if live else None
    if article is None:
        raise AssertionError("unchanged articles are in the live generation")
    return article


def passage_input(title: str, passage: Passage) -> str:
    """Put the title and headings before a passage, as it is encoded.

    A passage says "the foundation" where its title says which one. On XQuAD-R this gains half a
    point of recall within a language and up to a point across languages
    (benchmarks/retrieval.py).
    """
    # A text file's first heading is its title, and a section's first passage begins with its own.
    headings = [
        heading
        for heading in passage.headings
        if heading != title and not passage.text.startswith(heading)
    ]
    return "\n".join([title, *headings, passage.text])


def _digest(article: Article, passage: Passage) -> str:
    parts = [passage_input(article.info.title, passage), passage.sentences]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

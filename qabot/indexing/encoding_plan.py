"""Which vectors of the next generation are reused, and which passages have to be encoded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from qabot.index import Generation, IndexedArticle, StoredArticle
from qabot.index.vectors import RowArray
from qabot.indexing.passages import TokenCounter, split_article
from qabot.types import Article, ArticleInfo, Passage, Unchanged

NEW = -1
"""Stands for a row of the live generation where there is none."""


@dataclass(slots=True)
class EncodingPlan:
    """The next generation without its vectors.

    Attributes:
        articles: In the order of their ids; unchanged ones by their place in the live generation.
        differs: The next generation holds something else than the live one.
    """

    articles: list[IndexedArticle | StoredArticle] = field(default_factory=list)
    differs: bool = False
    _origins: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of passages."""
        return len(self._origins)

    @property
    def origins(self) -> RowArray:
        """The live generation's row for each passage, or ``NEW``; shape ``(count,)``."""
        return np.array(self._origins, np.int64)

    def missing(self) -> Iterator[tuple[int, str, Passage]]:
        """Yield the passages to encode: row, title, passage."""
        row = 0
        for item in self.articles:
            if isinstance(item, IndexedArticle):
                for number, passage in enumerate(item.passages, row):
                    if self._origins[number] == NEW:
                        yield number, item.article.info.title, passage
                row += len(item.passages)
            else:
                row += item.count

    def keep(self, stored: StoredArticle) -> None:
        """Add an unchanged article of the live generation."""
        self.articles.append(stored)
        self._origins += range(stored.first, stored.first + stored.count)

    def add(self, article: Article, passages: list[Passage], rows: dict[str, int]) -> None:
        """Add a new or changed article.

        Args:
            rows: Digest → row, for the passages of the live generation.
        """
        digests = tuple(_digest(article, passage) for passage in passages)
        self.articles.append(IndexedArticle(article, tuple(passages), digests))
        self._origins += [rows.get(digest, NEW) for digest in digests]


def plan_encoding(
    items: Sequence[Article | Unchanged],
    live: Generation | None,
    old: Generation | None,
    count_tokens: TokenCounter,
) -> EncodingPlan:
    """Split new articles into passages, and find the vectors that can be reused.

    Args:
        items: The articles of the next generation, in the order of their ids.
        live: The live generation, if there is one.
        old: The same, if its passages and vectors can be reused.
        count_tokens: Counts the encoder's tokens, to cut new articles into passages.
    """
    stored = old.database.stored() if old else {}
    # Large indexes are mostly unchanged: do nothing here for each unchanged article.
    changed = any(isinstance(item, Article) for item in items)
    rows = dict(old.database.passage_digests()) if old and changed else {}
    plan = EncodingPlan(differs=len(stored) != len(items))
    for item in items:
        if old and isinstance(item, Unchanged):
            plan.keep(stored[item.info.id])
            continue
        article = item if isinstance(item, Article) else _read_again(live, item.info)
        before = stored.get(article.info.id)
        if old and before and before.digest == article.digest:
            passages = [passage for _, passage in old.database.passages(article.info.id)]
        else:
            plan.differs = True
            passages = split_article(article, count_tokens)
        plan.add(article, passages, rows)
    return plan


def _read_again(live: Generation | None, info: ArticleInfo) -> Article:
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

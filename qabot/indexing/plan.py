"""What the next generation holds: what the live one has already, and what is to be encoded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from qabot.index import Generation, IndexedArticle, StoredArticle
from qabot.index.vectors import RowArray
from qabot.indexing.passages import TokenCounter, split_article
from qabot.types import Article, ArticleInfo, Passage

NEW = -1
"""In the place of a row of the live generation: there is none."""


@dataclass(slots=True)
class Plan:
    """The next generation, but for its vectors.

    Attributes:
        articles: By id; of one that the live generation has just so, only where it has it.
        differs: Whether it would hold anything else than the live one.
    """

    articles: list[IndexedArticle | StoredArticle] = field(default_factory=list)
    differs: bool = False
    _origins: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many passages."""
        return len(self._origins)

    @property
    def origins(self) -> RowArray:
        """The live generation's row with the same vectors, or ``NEW``, of each: ``(count,)``."""
        return np.array(self._origins, np.int64)

    def missing(self) -> Iterator[tuple[int, str, Passage]]:
        """The passages to be encoded: row, title, passage."""
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
        """Add an article that the live generation has just so."""
        self.articles.append(stored)
        self._origins += range(stored.first, stored.first + stored.count)

    def add(self, article: Article, passages: list[Passage], rows: dict[str, int]) -> None:
        """Add an article that the live generation does not have, or not quite so.

        Args:
            rows: The live generation's passages by their digests.
        """
        digests = tuple(_digest(article, passage) for passage in passages)
        self.articles.append(IndexedArticle(article, tuple(passages), digests))
        self._origins += [rows.get(digest, NEW) for digest in digests]


def plan_next(
    items: Sequence[Article | ArticleInfo],
    live: Generation | None,
    old: Generation | None,
    count_tokens: TokenCounter,
) -> Plan:
    """What the next generation holds.

    Args:
        items: Its articles, by id. Of one that the live generation has just so, only what is shown
            of it.
        live: The live generation, if there is one.
        old: The same, if its passages and vectors can be taken over.
        count_tokens: The encoder's, to cut new articles into passages.
    """
    stored = old.database.stored() if old else {}
    # In an index of many articles, all that is done for each unchanged one adds up.
    changed = any(isinstance(item, Article) for item in items)
    rows = dict(old.database.passage_digests()) if old and changed else {}
    plan = Plan(differs=len(stored) != len(items))
    for item in items:
        if old and isinstance(item, ArticleInfo):
            plan.keep(stored[item.id])
            continue
        article = item if isinstance(item, Article) else _read_again(live, item)
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
        raise AssertionError("only what is in the live generation is taken out of it")
    return article


def passage_input(title: str, passage: Passage) -> str:
    """What is encoded for a passage: its title and headings stand before it.

    A passage says "the foundation" where its title says which one; on XQuAD-R that is worth half a
    point of recall within a language and up to a whole one across (benchmarks/retrieval.py).
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

"""Read articles and passages from SQLite."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from qabot.index.articles import StoredArticle
from qabot.index.sqlite import damage, open_written
from qabot.index.vectors import Mask
from qabot.types import Article, ArticleInfo, Filters, Heading, Passage, Span

# Whole texts are sliced in memory: SQLite's substr() would walk the text for every passage.
_TEXTS_KEPT = 64
# Passages that are read at a time where all are wanted.
_GROUP = 1000
_DIGESTS = "SELECT digest, row FROM passage ORDER BY row"
_INFO = (
    "id, title, source, url, published, language, author, "
    "(SELECT json_group_array(name) FROM collection WHERE collection.article = article.row)"
)
# Dates are compared as far as both are exact: of "2022-09" and "2022", the year.
_PASSES = """
(:collection IS NULL OR EXISTS
  (SELECT 1 FROM collection WHERE collection.article = article.row AND name = :collection))
AND (:since IS NULL OR published >= substr(:since, 1, length(published)))
AND (:until IS NULL OR substr(published, 1, length(:until)) <= :until)
AND (:language IS NULL OR language = :language)
AND (:source IS NULL OR :source IN (source, url)
  OR substr(source, 1, length(:source) + 1) = :source || '/'
  OR substr(url, 1, length(:source) + 1) = :source || '/')
"""
_PASSAGE = "article, start, stop, headings, sentences"


class Database:
    """Reads what ``write_database`` wrote; calls are safe from several threads.

    Raises:
        DamagedIndexError: Of any call, where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with damage(path):
            self._connection = open_written(path)
        self._text = lru_cache(_TEXTS_KEPT)(self._read_text)
        self._info = lru_cache(4 * _TEXTS_KEPT)(self._read_info)
        self.pages = lru_cache(4 * _TEXTS_KEPT)(self._read_pages)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, damage(self._path):
            return self._connection.execute(query, values).fetchall()

    def infos(self) -> list[ArticleInfo]:
        """All articles, by id."""
        rows = self._all(f"SELECT {_INFO} FROM article ORDER BY id")
        return [_info(row) for row in rows]

    def contents(self) -> list[tuple[ArticleInfo, str | None]]:
        """All articles, by id, each with its ``Article.content``."""
        rows = self._all(f"SELECT content, {_INFO} FROM article ORDER BY id")
        return [(_info(info), content) for content, *info in rows]

    def passage_counts(self) -> dict[str, int]:
        """Article id → how many passages it has."""
        rows = self._all(
            "SELECT id, count(passage.row) FROM article LEFT JOIN passage "
            "ON passage.article = article.row GROUP BY article.row"
        )
        return dict(rows)

    def article(self, article_id: str) -> Article | None:
        """One article with its text, or ``None``."""
        try:
            rows = self._all(
                f"SELECT {_INFO}, text, headings, content, pages FROM article WHERE id = ?",
                article_id,
            )
        except UnicodeEncodeError:  # A lone surrogate: typed bytes that are no text.
            return None
        if not rows:
            return None
        *info, text, headings, content, pages = rows[0]
        marks = tuple(Heading(*mark) for mark in json.loads(headings))
        return Article(_info(info), text, marks, content, tuple(json.loads(pages)))

    def _read_pages(self, article_id: str) -> tuple[int, ...]:
        found = self._all("SELECT pages FROM article WHERE id = ?", article_id)
        return tuple(json.loads(found[0][0])) if found else ()

    def _read_text(self, row: int) -> str:
        return str(self._all("SELECT text FROM article WHERE row = ?", row)[0][0])

    def _read_info(self, row: int) -> ArticleInfo:
        return _info(self._all(f"SELECT {_INFO} FROM article WHERE row = ?", row)[0])

    def passage(self, row: int) -> tuple[Passage, ArticleInfo]:
        """The passage of a row (``0 <= row < passages``), and its article."""
        found = self._all(f"SELECT {_PASSAGE} FROM passage WHERE row = ?", row)
        return self._passage(found[0])

    def passages(self, article_id: str) -> list[tuple[int, Passage]]:
        """An article's passages in order, each with its row."""
        found = self._all(
            f"SELECT {_PASSAGE}, row FROM passage "
            "WHERE article = (SELECT row FROM article WHERE id = ?) ORDER BY row",
            article_id,
        )
        return [(row, self._passage(columns)[0]) for *columns, row in found]

    def all_passages(self) -> Iterator[tuple[Passage, ArticleInfo]]:
        """All passages in order of rows, each with its article."""
        for first in count(0, _GROUP):
            query = f"SELECT {_PASSAGE} FROM passage WHERE row BETWEEN ? AND ? ORDER BY row"
            found = self._all(query, first, first + _GROUP - 1)
            if not found:
                return
            yield from map(self._passage, found)

    def _passage(self, columns: Sequence[Any]) -> tuple[Passage, ArticleInfo]:
        article, start, stop, headings, sentences = columns
        info = self._info(article)
        spans: list[Span] = [
            (begin, end) for begin, end in np.frombuffer(sentences, "<i4").reshape(-1, 2).tolist()
        ]
        path = tuple(json.loads(headings))
        text = self._text(article)[start:stop]
        return Passage(info.id, start, stop, text, path, tuple(spans)), info

    def rows(self, filters: Filters) -> Mask:
        """Mark the passages of articles that pass ``filters``: bool ``(passages,)``."""
        query = (
            "SELECT passage.row FROM passage JOIN article ON article.row = passage.article "
            f"WHERE {_PASSES}"
        )
        with self._lock, damage(self._path):
            found = self._connection.execute(query, asdict(filters)).fetchall()
        allowed = np.zeros(self._all("SELECT count(*) FROM passage")[0][0], np.bool_)
        allowed[[row for (row,) in found]] = True
        return allowed

    def article_digests(self) -> dict[str, str]:
        """Article id → digest."""
        return dict(self._all("SELECT id, digest FROM article"))

    def stored(self) -> dict[str, StoredArticle]:
        """Article id → where it is."""
        rows = self._all(
            "SELECT id, article.row, article.digest, coalesce(min(passage.row), 0), "
            "count(passage.row) FROM article LEFT JOIN passage ON passage.article = article.row "
            "GROUP BY article.row"
        )
        return {article_id: StoredArticle(*place) for article_id, *place in rows}

    def passage_digests(self) -> list[tuple[str, int]]:
        """Passage digests and rows, in order of rows."""
        return [(digest, row) for digest, row in self._all(_DIGESTS)]


def _info(columns: Sequence[Any]) -> ArticleInfo:
    article_id, title, source, url, published, language, author, collections = columns
    members = tuple(sorted(json.loads(collections)))
    return ArticleInfo(article_id, title, source, url, published, language, members, author)

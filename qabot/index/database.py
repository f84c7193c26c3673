"""Read the articles and passages of one segment from SQLite."""

from __future__ import annotations

import json
import threading
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, lru_cache
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
# Digests that are looked up at a time: SQLite's limit of variables is higher.
_DIGESTS = 10_000
_OWN = "id, title, source, url, published, language, author"
_INFO = (
    f"{_OWN}, "
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
_SENTENCE = 8
"""Bytes of a sentence in the database: two offsets."""
_PASSAGE = "article, start, stop, headings, sentences"


class SegmentDatabase:
    """Reads what ``write_database`` wrote; calls are safe from several threads.

    Args:
        path: The file.
        left: The articles that are not in the index any more, bool ``(articles,)``.

    Raises:
        DamagedIndexError: Of any call, where the file cannot be read.
    """

    def __init__(self, path: Path, left: Mask | None = None) -> None:
        self._path = path
        self._left = frozenset(() if left is None else np.flatnonzero(left).tolist())
        self._lock = threading.Lock()
        with damage(path):
            self._connection = open_written(path)
        self._text = lru_cache(_TEXTS_KEPT)(self._read_text)
        self._info = lru_cache(4 * _TEXTS_KEPT)(self._read_info)
        self._pages = lru_cache(4 * _TEXTS_KEPT)(self._read_pages)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, damage(self._path):
            return self._connection.execute(query, values).fetchall()

    def _live(self, query: str, *values: object) -> list[list[Any]]:
        """Rows whose first column is that of an article in the index, without that column."""
        rows = self._all(query, *values)
        return [columns for row, *columns in rows if row not in self._left]

    @cached_property
    def live(self) -> Mask | None:
        """Mark the passages in the index: bool ``(passages,)``; ``None`` if all are."""
        if not self._left:
            return None
        owners = self._all("SELECT article FROM passage ORDER BY row")
        return np.array([row not in self._left for (row,) in owners], np.bool_)

    def count(self) -> int:
        """How many passages it holds, those that have left included."""
        return int(self._all("SELECT count(*) FROM passage")[0][0])

    def held(self) -> tuple[int, list[int]]:
        """How many articles there are, and how many sentences each passage has, by row.

        Those that have left are included.
        """
        found = self._all("SELECT length(sentences) / ? FROM passage ORDER BY row", _SENTENCE)
        ((articles,),) = self._all("SELECT count(*) FROM article")
        return articles, [count for (count,) in found]

    def ids(self) -> list[str]:
        """The ids of all articles."""
        return [name for (name,) in self._live("SELECT row, id FROM article")]

    def infos(self) -> list[ArticleInfo]:
        """All articles."""
        return [info for info, _ in self.contents()]

    def contents(self) -> list[tuple[ArticleInfo, str | None]]:
        """All articles, each with its ``Article.content``."""
        members: defaultdict[int, list[str]] = defaultdict(list)
        for row, name in self._all("SELECT article, name FROM collection ORDER BY name"):
            members[row].append(name)
        found = self._all(f"SELECT row, content, {_OWN} FROM article")
        return [
            (_info_of(own, tuple(members.get(row, ()))), content)
            for row, content, *own in found
            if row not in self._left
        ]

    def passage_counts(self) -> dict[str, int]:
        """Article id → how many passages it has."""
        return {name: place.count for name, place in self.stored(0).items()}

    def row_of(self, article_id: str) -> int | None:
        """The row of an article, or ``None``."""
        try:
            found = self._live("SELECT row, row FROM article WHERE id = ?", article_id)
        except UnicodeEncodeError:  # A lone surrogate: typed bytes that are no text.
            return None
        return found[0][0] if found else None

    def article(self, row: int) -> Article:
        """One article with its text."""
        query = f"SELECT {_INFO}, text, headings, content, pages FROM article WHERE row = ?"
        *info, text, headings, content, pages = self._all(query, row)[0]
        marks = tuple(Heading(*mark) for mark in json.loads(headings))
        return Article(_info(info), self._unpacked(text), marks, content, tuple(json.loads(pages)))

    def pages(self, row: int) -> tuple[int, ...]:
        """Where the pages of an article begin (``Article.pages``)."""
        return self._pages(row)

    def _read_pages(self, row: int) -> tuple[int, ...]:
        return tuple(json.loads(self._all("SELECT pages FROM article WHERE row = ?", row)[0][0]))

    def _read_text(self, row: int) -> str:
        return self._unpacked(self._all("SELECT text FROM article WHERE row = ?", row)[0][0])

    def _unpacked(self, text: bytes) -> str:
        with damage(self._path):
            return zlib.decompress(text).decode()

    def _read_info(self, row: int) -> ArticleInfo:
        return _info(self._all(f"SELECT {_INFO} FROM article WHERE row = ?", row)[0])

    def passage(self, row: int) -> tuple[Passage, ArticleInfo]:
        """The passage of a row (``0 <= row < passages``), and its article."""
        found = self._all(f"SELECT {_PASSAGE} FROM passage WHERE row = ?", row)
        return self._passage(found[0])

    def passages(self, article: int) -> list[tuple[int, Passage]]:
        """An article's passages in order, each with its row."""
        query = f"SELECT {_PASSAGE}, row FROM passage WHERE article = ? ORDER BY row"
        found = self._all(query, article)
        return [(row, self._passage(columns)[0]) for *columns, row in found]

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
        allowed = np.zeros(self.count(), np.bool_)
        allowed[[row for (row,) in found]] = True
        return allowed if self.live is None else allowed & self.live

    def stored(self, segment: int) -> dict[str, StoredArticle]:
        """Article id → where it is.

        Args:
            segment: The number of this segment, which becomes part of that.
        """
        # SQLite finds this in an index; joined with articles, it would have to read all passages.
        counted = "SELECT article, min(row), count(*) FROM passage GROUP BY article"
        passages = {article: place for article, *place in self._all(counted)}
        return {
            name: StoredArticle(segment, row, digest, *passages.get(row, (0, 0)))
            for row, name, digest in self._all("SELECT row, id, digest FROM article")
            if row not in self._left
        }

    def digests(self, wanted: Sequence[str]) -> Mapping[str, int]:
        """Which of these digests passages have: digest → row, of one that has it."""
        found: dict[str, int] = {}
        for at in range(0, len(wanted), _DIGESTS):
            some = wanted[at : at + _DIGESTS]
            marks = ", ".join("?" * len(some))
            rows = self._live(
                f"SELECT article, digest, row FROM passage WHERE digest IN ({marks})", *some
            )
            found.update(dict(rows))
        return found


def _info(columns: Sequence[Any]) -> ArticleInfo:
    *own, collections = columns
    return _info_of(own, tuple(sorted(json.loads(collections))))


def _info_of(own: Sequence[Any], collections: tuple[str, ...]) -> ArticleInfo:
    article_id, title, source, url, published, language, author = own
    return ArticleInfo(article_id, title, source, url, published, language, collections, author)

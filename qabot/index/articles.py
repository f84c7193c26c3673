"""Articles and passages in SQLite: text, titles and offsets, but no vectors."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from qabot.index.sqlite import attach, open_new, open_written
from qabot.index.vectors import Mask
from qabot.types import Article, ArticleInfo, Filters, Heading, Passage, Span

_SCHEMA = """
CREATE TABLE article (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, source TEXT NOT NULL,
  url TEXT, published TEXT, language TEXT NOT NULL, author TEXT, digest TEXT NOT NULL,
  content TEXT, headings TEXT NOT NULL, pages TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE TABLE passage (
  row INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES article,
  start INTEGER NOT NULL, stop INTEGER NOT NULL, headings TEXT NOT NULL,
  sentences BLOB NOT NULL, digest TEXT NOT NULL
) STRICT;
CREATE INDEX passage_article ON passage (article);
CREATE TABLE collection (
  name TEXT NOT NULL, article INTEGER NOT NULL REFERENCES article, PRIMARY KEY (article, name)
) STRICT, WITHOUT ROWID;
"""
_KEPT = """
CREATE TEMP TABLE kept (there INTEGER PRIMARY KEY, here INTEGER NOT NULL, shift INTEGER NOT NULL)
STRICT
"""
# Articles are kept in order of their ids, and so in the order of their rows.
_COPIES = (
    "INSERT INTO article SELECT here, id, title, source, url, published, language, author, digest, "
    "content, headings, pages, text FROM kept JOIN old.article ON row = there ORDER BY there",
    "INSERT INTO passage SELECT row + shift, here, start, stop, headings, sentences, digest "
    "FROM kept JOIN old.passage ON article = there ORDER BY row",
    "INSERT INTO collection SELECT name, here FROM kept JOIN old.collection ON article = there",
)
# Whole texts are sliced in memory: SQLite's substr() would walk the text for every passage.
_TEXTS_KEPT = 64
# Passages that are read at a time where all are wanted.
_GROUP = 1000


@dataclass(frozen=True, slots=True)
class IndexedArticle:
    """An article with its passages, ready to be stored.

    Attributes:
        digests: One for each passage: what was encoded for it, as a hash.
    """

    article: Article
    passages: tuple[Passage, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """Where a database holds an article.

    Attributes:
        row: The article's.
        digest: ``Article.digest``.
        first: The row of its first passage; the others follow it.
        count: How many passages it has.
    """

    row: int
    digest: str
    first: int
    count: int


def write_database(
    path: Path, articles: Iterable[IndexedArticle | StoredArticle], old: Path | None = None
) -> None:
    """Write articles and passages; rows count up from 0 in the order given.

    Args:
        path: A file that does not exist yet.
        articles: Those that are stored are taken out of ``old``.
        old: The database of another generation.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    connection = open_new(path)
    try:
        connection.executescript(_SCHEMA)
        if old:
            attach(connection, old, "old")
        with connection:
            kept: list[tuple[int, int, int]] = []
            row = 0
            for number, item in enumerate(articles):
                if isinstance(item, StoredArticle):
                    kept.append((item.row, number, row - item.first))
                    row += item.count
                    continue
                _insert_article(connection, number, item.article)
                for passage, digest in zip(item.passages, item.digests, strict=True):
                    connection.execute(
                        "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (row, number, *_passage_columns(passage), digest),
                    )
                    row += 1
            if kept:
                _take_over(connection, kept)
    finally:
        connection.close()


def _take_over(connection: sqlite3.Connection, kept: list[tuple[int, int, int]]) -> None:
    """Copy articles out of ``old``: row there, row here, by how much rows of passages move."""
    connection.execute(_KEPT)
    connection.executemany("INSERT INTO kept VALUES (?, ?, ?)", kept)
    for statement in _COPIES:
        connection.execute(statement)


def _insert_article(connection: sqlite3.Connection, row: int, article: Article) -> None:
    info = article.info
    headings = json.dumps([(h.start, h.end, h.level) for h in article.headings])
    connection.execute(
        "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row,
            info.id,
            info.title,
            info.source,
            info.url,
            info.published,
            info.language,
            info.author,
            article.digest,
            article.content,
            headings,
            json.dumps(article.pages),
            article.text,
        ),
    )
    connection.executemany(
        "INSERT INTO collection VALUES (?, ?)", [(name, row) for name in info.collections]
    )


def _passage_columns(passage: Passage) -> tuple[int, int, str, bytes]:
    sentences = np.array(passage.sentences, "<i4").tobytes()
    headings = json.dumps(passage.headings, ensure_ascii=False)
    return passage.start, passage.end, headings, sentences


class Database:
    """Reads what ``write_database`` wrote; calls are safe from several threads.

    Raises:
        sqlite3.Error: The file is no such database.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = open_written(path)
        self._text = lru_cache(_TEXTS_KEPT)(self._read_text)
        self._info = lru_cache(4 * _TEXTS_KEPT)(self._read_info)
        self.pages = lru_cache(4 * _TEXTS_KEPT)(self._read_pages)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
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
        """Which passages are of articles that pass ``filters``: bool ``(passages,)``."""
        query = (
            "SELECT passage.row FROM passage JOIN article ON article.row = passage.article "
            f"WHERE {_PASSES}"
        )
        with self._lock:
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

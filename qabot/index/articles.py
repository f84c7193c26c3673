"""Write articles and passages into SQLite: text, titles and offsets, but no vectors."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from qabot.index.sqlite import attach, open_new
from qabot.types import Article, Passage

_SCHEMA = """
CREATE TABLE article (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, source TEXT NOT NULL,
  url TEXT, published TEXT, language TEXT NOT NULL, author TEXT, digest TEXT NOT NULL,
  content TEXT, headings TEXT NOT NULL, pages TEXT NOT NULL, text BLOB NOT NULL
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
CREATE TEMP TABLE IF NOT EXISTS kept (
  there INTEGER PRIMARY KEY, here INTEGER NOT NULL, shift INTEGER NOT NULL
) STRICT
"""
# Articles are kept in order of their ids, and so in the order of their rows.
_COPIES = (
    "INSERT INTO article SELECT here, id, title, source, url, published, language, author, digest, "
    "content, headings, pages, text FROM kept JOIN old.article ON row = there ORDER BY there",
    "INSERT INTO passage SELECT row + shift, here, start, stop, headings, sentences, digest "
    "FROM kept JOIN old.passage ON article = there ORDER BY row",
    "INSERT INTO collection SELECT name, here FROM kept JOIN old.collection ON article = there",
)

# Higher ones take longer and save a tenth more.
_LEVEL = 1

IN_PLACE = -1
"""Stands for the segment of an article where there are none."""


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
    """The place of an article in a generation.

    Attributes:
        segment: The number of its segment there, from 0, or ``IN_PLACE``.
        row: The article's, in the segment.
        digest: ``Article.digest``.
        first: The row of its first passage in the segment; the others follow it.
        count: How many passages it has.
    """

    segment: int
    row: int
    digest: str
    first: int
    count: int


def write_database(
    path: Path,
    articles: Iterable[IndexedArticle | StoredArticle],
    old: Mapping[int, Path] = MappingProxyType({}),
) -> None:
    """Write articles and passages; rows count up from 0 in the order given.

    Args:
        path: A file that does not exist yet.
        articles: In the order of their ids. Those that are stored are taken out of ``old``.
        old: Segment → its database.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    connection = open_new(path)
    try:
        connection.executescript(_SCHEMA)
        kept: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
        row = 0
        with connection:
            for number, item in enumerate(articles):
                if isinstance(item, StoredArticle):
                    kept[item.segment].append((item.row, number, row - item.first))
                    row += item.count
                    continue
                _insert_article(connection, number, item.article)
                for passage, digest in zip(item.passages, item.digests, strict=True):
                    connection.execute(
                        "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (row, number, *_passage_columns(passage), digest),
                    )
                    row += 1
        for segment, places in kept.items():
            _take_over(connection, old[segment], places)
    finally:
        connection.close()


def _take_over(connection: sqlite3.Connection, old: Path, kept: list[tuple[int, int, int]]) -> None:
    """Copy articles out of ``old``: row there, row here, by how much rows of passages move."""
    attach(connection, old, "old")
    with connection:
        connection.execute(_KEPT)
        connection.execute("DELETE FROM kept")
        connection.executemany("INSERT INTO kept VALUES (?, ?, ?)", kept)
        for statement in _COPIES:
            connection.execute(statement)
    connection.execute("DETACH old")


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
            zlib.compress(article.text.encode(), _LEVEL),
        ),
    )
    connection.executemany(
        "INSERT INTO collection VALUES (?, ?)", [(name, row) for name in info.collections]
    )


def _passage_columns(passage: Passage) -> tuple[int, int, str, bytes]:
    sentences = np.array(passage.sentences, "<i4").tobytes()
    headings = json.dumps(passage.headings, ensure_ascii=False)
    return passage.start, passage.end, headings, sentences

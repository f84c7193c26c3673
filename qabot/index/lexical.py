"""Lexical search: how much of a question's wording a passage holds.

SQLite's full-text index (FTS5) counts and ranks; there is one table for each language, so that
stemming and the rarity of a term are the language's own. A question is asked in every language's
table, without that language's function words. Scores are BM25 divided by the most that the question
could score, so that 1 means "every term, often" and a question in another language fades to nearly
0 by itself.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import regex

from qabot.index.sqlite import damage, open_new, open_written
from qabot.index.terms import content_terms, terms
from qabot.index.vectors import Mask

# FTS5's bm25() has k1 = 1.2 and b = 0.75 built in, and clamps the idf of terms in over half of the
# passages to this.
_K1 = 1.2
_LEAST_IDF = 1e-6
# A question of a thousand words would make a slow query and say no more.
_MOST_TERMS = 64
_WEIGHTS_KEPT = 256
_LANGUAGE = regex.compile(r"[a-z]{2,3}")


def write_lexical(path: Path, texts: Iterable[tuple[int, str, str]]) -> None:
    """Write the full-text index.

    Args:
        path: A file that does not exist yet.
        texts: For each passage its row, language and text.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    connection = open_new(path)
    try:
        known: set[str] = set()
        with connection:
            for row, language, text in texts:
                table = _table(language)
                if table not in known:
                    known.add(table)
                    _create(connection, table)
                insert = f"INSERT INTO {table} (rowid, terms) VALUES (?, ?)"
                connection.execute(insert, (row, " ".join(terms(text, language))))
        for table in known:
            optimize = f"INSERT INTO {table} ({table}) VALUES ('optimize')"
            connection.execute(optimize)
            connection.commit()
    finally:
        connection.close()


def _table(language: str) -> str:
    # The code goes into SQL as a name, where nothing can be bound.
    return f"terms_{language}" if _LANGUAGE.fullmatch(language) else "terms_other"


def _create(connection: sqlite3.Connection, table: str) -> None:
    # The terms are analysed already: the ascii tokenizer only splits at the blanks between them.
    connection.execute(
        f"CREATE VIRTUAL TABLE {table} USING fts5"
        "(terms, content='', columnsize=1, detail='full', tokenize='ascii')"
    )
    connection.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5vocab({table}, 'row')")


class LexicalIndex:
    """The full-text index of one generation; calls are safe from several threads.

    Raises:
        DamagedIndexError: Of any call, where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        schema = (
            "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE % USING fts5(%'"
        )
        with damage(path):
            self._connection = open_written(path)
            names = self._connection.execute(schema).fetchall()
            self._sizes = {name: self._size(name) for (name,) in names}
        # One question weighs its terms in each language, and then for each of its hits.
        self._weights = lru_cache(_WEIGHTS_KEPT)(self._read_weights)

    def _size(self, table: str) -> int:
        count = f"SELECT count(*) FROM {table}_docsize"
        return int(self._connection.execute(count).fetchone()[0])

    def __len__(self) -> int:
        return sum(self._sizes.values())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def search(self, question: str, count: int, allowed: Mask | None = None) -> dict[int, float]:
        """Passage row → lexical score in [0, 1], for the best ``count`` passages of each language.

        Args:
            allowed: The rows to search; all of them where not given. How rare a word is, is
                reckoned among all of them in any case, so that scores compare.
        """
        found: dict[int, float] = {}
        with self._lock, damage(self._path):
            condition = self._limit_to(allowed)
            for table in self._sizes:
                weights = self._weights(table, question)
                most = sum(weights.values()) * (_K1 + 1)
                matching = [word for word, idf in weights.items() if idf > _LEAST_IDF]
                if not matching:
                    continue
                best = (
                    f"SELECT rowid, bm25({table}) FROM {table} WHERE {table} MATCH ? {condition}"
                    "ORDER BY rank LIMIT ?"
                )
                query = " OR ".join(f'"{word}"' for word in matching)
                for row, rank in self._connection.execute(best, (query, count)):
                    found[row] = min(1.0, -rank / most)
        return found

    def _limit_to(self, allowed: Mask | None) -> str:
        """SQL that leaves only ``allowed`` rows among those that match."""
        if allowed is None:
            return ""
        # Asked for each matching passage, where a table of rows would be filled for each question.
        self._connection.create_function("allowed", 1, allowed.tobytes().__getitem__)
        return "AND allowed(rowid) "

    def shares(self, question: str, language: str, texts: Sequence[str]) -> list[float]:
        """The share of the question's wording in each of ``texts``, all in ``language``.

        Returns:
            The share of the question's terms in each text, weighted by rarity, in [0, 1].
        """
        table = _table(language)
        if table not in self._sizes:
            return [0.0] * len(texts)
        with self._lock, damage(self._path):
            weights = self._weights(table, question)
        if not weights:
            return [0.0] * len(texts)
        most = sum(weights.values())
        return [
            sum(weights.get(term, 0.0) for term in set(terms(text, language))) / most
            for text in texts
        ]

    def _read_weights(self, table: str, question: str) -> dict[str, float]:
        """The idf of each of the question's terms, as FTS5's bm25() computes it.

        A term that no passage holds counts as if one did: in a small index it would otherwise
        weigh twice as much as the rarest that is there.
        """
        words = content_terms(question, table.removeprefix("terms_"))[:_MOST_TERMS]
        size = self._sizes[table]
        marks = ", ".join("?" * len(words))
        known = f"SELECT term, doc FROM {table}_words WHERE term IN ({marks})"
        counts: dict[str, int] = dict(self._connection.execute(known, words).fetchall())
        held = {word: max(1, counts.get(word, 0)) for word in words}
        return {
            word: max(_LEAST_IDF, math.log((size - count + 0.5) / (count + 0.5)))
            for word, count in held.items()
        }

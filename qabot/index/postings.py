"""Write and read which passages of a segment hold a word: an inverted index in SQLite.

There is one vocabulary for each language. The passages of a word are one blob. Most words are in
few passages: there, four bytes are a row and how often it holds the word. For others, the blob has
the steps from row to row, then the counts, each as wide as they need: where a word is frequent, its
steps are small, and a passage takes two bytes or one.

All words of a segment are handled at once, as long arrays: one by one, they would take longer than
analysing their texts.
"""

from __future__ import annotations

import contextlib
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import regex
from numpy.typing import NDArray

from qabot.index.sqlite import open_new, open_written
from qabot.index.terms import terms
from qabot.index.vectors import RowArray

Counts = NDArray[np.int64]
# For each posting the number of its word, its row, and how often the row holds the word.
_Postings = tuple[NDArray[np.int64], RowArray, Counts]

_SCHEMA = """
CREATE TABLE word (
  language TEXT NOT NULL, word TEXT NOT NULL, step INTEGER NOT NULL, often INTEGER NOT NULL,
  passages BLOB NOT NULL, PRIMARY KEY (language, word)
) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
  languages TEXT NOT NULL, language BLOB NOT NULL, length BLOB NOT NULL
) STRICT;
"""
_LANGUAGE = regex.compile(r"[a-z]{2,3}")
OTHER = "other"
# A few passages, and the bits of a count among them.
_FEW, _COUNT_BITS = 24, 8
_MOST_COUNT, _MOST_ROW = (1 << _COUNT_BITS) - 1, (1 << 32 - _COUNT_BITS) - 1


def group_of(language: str) -> str:
    """The language among whose passages a word is rare or not: all odd codes are one."""
    return language if _LANGUAGE.fullmatch(language) else OTHER


def pack(rows: RowArray, counts: Counts) -> tuple[int, int, bytes]:
    """Write rising rows, and how often each holds the word.

    Returns:
        How many bytes a step has and how many a count (0 where each is 1), and all of them.
    """
    steps = np.diff(rows, prepend=0)
    step, often = _width(steps), 0 if (counts == 1).all() else _width(counts)
    packed = steps.astype(f"<u{step}").tobytes()
    return step, often, packed + counts.astype(f"<u{often}").tobytes() if often else packed


def unpack(step: int, often: int, packed: bytes) -> tuple[RowArray, Counts]:
    """Read what ``pack`` wrote, or a few passages (``step`` is 0).

    Raises:
        ValueError: It is something else.
    """
    if step == 0:
        pairs = np.frombuffer(packed, "<u4").astype(np.int64)
        return pairs >> _COUNT_BITS, pairs & _MOST_COUNT
    count = held_by(step, often, packed)
    rows = np.cumsum(np.frombuffer(packed, f"<u{step}", count), dtype=np.int64)
    if not often:
        return rows, np.ones(count, np.int64)
    return rows, np.frombuffer(packed, f"<u{often}", count, count * step).astype(np.int64)


def held_by(step: int, often: int, packed: bytes) -> int:
    """How many passages are in what ``unpack`` reads."""
    return len(packed) // (step + often or 4)


def _width(numbers: NDArray[np.int64]) -> int:
    most = int(numbers.max(initial=0))
    return 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4


def write_lexical(
    path: Path,
    texts: Iterable[tuple[int, str, str]],
    count: int,
    old: Sequence[tuple[Path, RowArray]] = (),
) -> None:
    """Write the lexical index of a segment.

    Args:
        path: A file that does not exist yet.
        texts: For each new passage its row, language and text.
        count: How many passages there are in all.
        old: Lexical indexes of which passages are taken over, and for each row there the row
            here, or -1.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    names: dict[str, int] = {}
    words: defaultdict[tuple[str, str], int] = defaultdict()
    words.default_factory = words.__len__
    language, length = np.zeros(count, "<u2"), np.zeros(count, "<u4")
    parts: list[_Postings] = []
    for source, moved in old:
        with contextlib.closing(open_written(source)) as other:
            known, codes, lengths = read_passages(other)
            here = moved >= 0
            numbers = [names.setdefault(name, len(names)) for name in known]
            language[moved[here]] = np.array(numbers, "<u2")[codes[here]]
            length[moved[here]] = lengths[here]
            parts.append(_moved(other, moved, words))
    parts.append(_analysed(texts, names, words, language, length))
    with contextlib.closing(open_new(path)) as connection:
        connection.executescript(_SCHEMA)
        with connection:
            insert = "INSERT INTO word VALUES (?, ?, ?, ?, ?)"
            connection.executemany(insert, _entries(list(words), parts, count))
            connection.execute(
                "INSERT INTO passages VALUES (?, ?, ?)",
                (" ".join(names), language.tobytes(), length.tobytes()),
            )


def read_passages(
    connection: sqlite3.Connection,
) -> tuple[list[str], NDArray[np.uint16], NDArray[np.uint32]]:
    """Read the languages of a lexical index, and of each passage its language's and its length.

    Raises:
        sqlite3.Error: They cannot be read.
    """
    for names, language, length in connection.execute("SELECT * FROM passages"):
        return names.split(), np.frombuffer(language, "<u2"), np.frombuffer(length, "<u4")
    raise sqlite3.DatabaseError("holds nothing")


def _moved(
    connection: sqlite3.Connection, moved: RowArray, words: defaultdict[tuple[str, str], int]
) -> _Postings:
    """The postings of another segment, under the rows here."""
    few: list[bytes] = []
    numbers: list[int] = []
    parts: list[_Postings] = []
    for language, word, step, often, packed in connection.execute("SELECT * FROM word"):
        if step == 0:
            few.append(packed)
            numbers.append(words[language, word])
        else:
            rows, counts = unpack(step, often, packed)
            parts.append((np.full(len(rows), words[language, word], np.int64), rows, counts))
    sizes = [len(packed) // 4 for packed in few]
    parts.append((np.repeat(np.array(numbers, np.int64), sizes), *unpack(0, 0, b"".join(few))))
    number, row, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    here = moved[row]
    kept = here >= 0
    return number[kept], here[kept], count[kept]


def _analysed(
    texts: Iterable[tuple[int, str, str]],
    names: dict[str, int],
    words: defaultdict[tuple[str, str], int],
    language: NDArray[np.uint16],
    length: NDArray[np.uint32],
) -> _Postings:
    """The postings of new texts; their languages and lengths are entered."""
    numbers, rows = array("I"), array("I")
    for row, code, text in texts:
        group, found = group_of(code), terms(text, code)
        language[row], length[row] = names.setdefault(group, len(names)), len(found)
        numbers.extend([words[group, word] for word in found])
        rows.append(row)
    places = np.frombuffer(rows, np.uintc).astype(np.int64) if rows else np.zeros(0, np.int64)
    every = np.frombuffer(numbers, np.uintc) if numbers else np.zeros(0, np.uintc)
    size = len(length) or 1
    keys = every.astype(np.int64) * size + np.repeat(places, length[places])
    keys, counts = np.unique(keys, return_counts=True)
    return keys // size, keys % size, counts


def _entries(
    words: list[tuple[str, str]], parts: Sequence[_Postings], count: int
) -> Iterator[tuple[str, str, int, int, bytes]]:
    """Yield what is stored of each word that has a passage, in order of the words."""
    numbers, rows, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(numbers) == 0:
        return
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), np.int64)
    rank[order] = np.arange(len(words))
    places = np.argsort(rank[numbers] * count + rows, kind="stable")
    numbers, rows, counts = numbers[places], rows[places], counts[places]
    firsts = np.flatnonzero(np.diff(numbers, prepend=-1))
    stops = np.append(firsts[1:], len(numbers))
    wide = (counts > _MOST_COUNT) | (rows > _MOST_ROW)
    large = (stops - firsts > _FEW) | np.logical_or.reduceat(wide, firsts)
    few = (rows << _COUNT_BITS | counts).astype("<u4").tobytes()
    chosen = zip(numbers[firsts].tolist(), firsts.tolist(), stops.tolist(), large, strict=True)
    for number, first, stop, is_large in chosen:
        if is_large:
            yield *words[number], *pack(rows[first:stop], counts[first:stop])
        else:
            yield *words[number], 0, 0, few[4 * first : 4 * stop]

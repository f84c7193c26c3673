"""Write the words of a segment, as ``vocabulary`` describes the file.

All words are handled at once, as long arrays: one by one, they would take longer than analysing
their texts.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from qabot.index.terms import terms
from qabot.index.vectors import RowArray
from qabot.index.vocabulary import (
    ANYTHING,
    APART,
    HEADER,
    KIND_BITS,
    MAGIC,
    MOST_COUNT,
    MOST_NUMBER,
    OFTEN,
    RECORDS,
    SIZES,
    STEP,
    Keys,
    Kinds,
    Numbers,
    Vocabulary,
    keys_of,
    unpack,
)

Short = NDArray[np.uint32]
"""Numbers within a segment. Postings are the most that a rebuild has in memory."""
_LANGUAGE = regex.compile(r"[a-z]{2,3}")
OTHER = "other"


def group_of(language: str) -> str:
    """The language among whose passages a word is rare or not: all odd codes are one."""
    return language if _LANGUAGE.fullmatch(language) else OTHER


@dataclass(frozen=True, slots=True)
class _Part:
    """Words, and which passages hold them.

    Attributes:
        keys, codes: Of each word its key, and its language's number.
        words, rows, counts: Of each posting the word, the passage's row, and how often it holds it.
    """

    keys: Keys
    codes: NDArray[np.uint16]
    words: Short
    rows: Short
    counts: Short


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
        OSError: The file cannot be written.
    """
    names: dict[str, int] = {}
    codes, lengths = np.zeros(count, "<u2"), np.zeros(count, "<u4")
    parts = [_moved(source, moved, names, codes, lengths) for source, moved in old]
    parts.append(_analysed(texts, names, codes, lengths))
    keys, languages, words, rows, counts = _joined(parts, codes)
    kinds, bounds, packed = _packed(words, rows, counts)
    known = " ".join(names).encode("ascii")
    with path.open("xb") as file:
        file.write(HEADER.pack(MAGIC, count, len(keys), len(known), len(packed)))
        file.write(known)
        for part in (codes, lengths, keys | kinds.astype("<u8"), bounds, languages, packed):
            file.write(part.tobytes())


def _moved(
    source: Path,
    moved: RowArray,
    names: dict[str, int],
    codes: NDArray[np.uint16],
    lengths: NDArray[np.uint32],
) -> _Part:
    """Take over passages of another segment; their languages and lengths are entered."""
    content = source.read_bytes()
    known = Vocabulary.read(lambda at, size: content[at : at + size], len(content))
    here = moved >= 0
    numbers = np.array([names.setdefault(name, len(names)) for name in known.names], "<u2")
    codes[moved[here]] = numbers[known.codes[here]]
    lengths[moved[here]] = known.lengths[here]
    size = len(known.keys)
    languages = np.frombuffer(content, "<u2", size, known.postings - 2 * size)
    order, firsts = known.by_language()
    kinds = (known.keys & KIND_BITS).astype(np.intp)
    bounds = (known.bounds.astype(np.int64) + known.postings).tolist()
    packed = [content[at:end] for at, end in pairwise(bounds)]
    words: list[Short] = [np.zeros(0, np.uint32)]
    rows, counts = words.copy(), words.copy()
    for some in unpack(packed, kinds, firsts[languages]):
        there = moved[order[some.places]]
        stay = there >= 0
        words.append(np.repeat(some.words.astype(np.uint32), some.held)[stay])
        rows.append(there[stay].astype(np.uint32))
        counts.append(some.counts[stay].astype(np.uint32))
    return _Part(
        known.keys & ~KIND_BITS,
        numbers[languages],
        np.concatenate(words),
        np.concatenate(rows),
        np.concatenate(counts),
    )


def _analysed(
    texts: Iterable[tuple[int, str, str]],
    names: dict[str, int],
    codes: NDArray[np.uint16],
    lengths: NDArray[np.uint32],
) -> _Part:
    """Count the words of new texts; their languages and lengths are entered."""
    words: defaultdict[tuple[str, str], int] = defaultdict()
    words.default_factory = words.__len__
    numbers, rows = array("I"), array("I")
    for row, code, text in texts:
        group, found = group_of(code), terms(text, code)
        codes[row], lengths[row] = names.setdefault(group, len(names)), len(found)
        numbers.extend([words[group, word] for word in found])
        rows.append(row)
    places = np.frombuffer(rows, np.uintc).astype(np.int64) if rows else np.zeros(0, np.int64)
    every = np.frombuffer(numbers, np.uintc) if numbers else np.zeros(0, np.uintc)
    keys = keys_of(words)
    order = np.argsort(keys)
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.arange(len(keys))
    size = len(lengths) or 1
    pairs = rank[every]
    pairs *= size
    pairs += np.repeat(places, lengths[places])
    pairs.sort()
    firsts = _firsts(pairs)
    counts = np.diff(np.append(firsts, len(pairs))).astype(np.uint32)
    pairs = pairs[firsts]
    languages = np.fromiter((names[group] for group, _ in words), "<u2", len(words))
    numbers_of, rows_of = (part.astype(np.uint32) for part in np.divmod(pairs, size))
    return _Part(keys[order], languages[order], numbers_of, rows_of, counts)


def _firsts(rising: NDArray[Any]) -> Numbers:
    """Where each number of a rising array stands first."""
    return np.flatnonzero(np.append(True, rising[1:] != rising[:-1])[: len(rising)])


def _joined(
    parts: list[_Part], codes: NDArray[np.uint16]
) -> tuple[Keys, NDArray[np.uint16], Short, Short, Short]:
    """Put parts together; they are let go of.

    Returns:
        Keys, rising, and languages of the words that a passage holds; for each posting, in order,
        the word, the passage's number within its language, and how often it holds it.
    """
    several = len(parts) > 1
    keys, first, numbers = np.unique(
        np.concatenate([part.keys for part in parts]), return_index=True, return_inverse=True
    )
    languages = np.concatenate([part.codes for part in parts])
    own = languages == languages[first][numbers]
    begins = np.cumsum([0, *(len(part.keys) for part in parts)]).tolist()
    renamed = numbers.astype(np.uint32)
    words = np.concatenate([renamed[at:][p.words] for p, at in zip(parts, begins, strict=False)])
    # Words of two languages with one key: nobody would know which passages are meant.
    kept = None
    if not own.all():
        kept = np.concatenate([own[at:][p.words] for p, at in zip(parts, begins, strict=False)])
    rows = np.concatenate([part.rows for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    parts.clear()
    if kept is not None:
        words, rows, counts = words[kept], rows[kept], counts[kept]
    order = np.argsort(codes, kind="stable")
    within = np.empty(len(codes), np.uint32)
    within[order] = np.arange(len(codes))
    # New texts alone are in order.
    if several:
        sorting = words.astype(np.int64)
        sorting *= max(1, len(codes))
        sorting += within[rows]
        sorting = np.argsort(sorting).astype(np.uint32)
        words, rows, counts = words[sorting], rows[sorting], counts[sorting]
    starts = codes[order].searchsorted(np.arange(int(codes.max(initial=0)) + 1)).astype(np.uint32)
    places = within[rows] - starts[codes[rows]]
    used = words[_firsts(words)]
    if len(used) < len(keys):
        words = used.searchsorted(words).astype(np.uint32)
    return keys[used], languages[first][used], words, places, counts


def _packed(
    words: Short, places: Short, counts: Short
) -> tuple[Kinds, NDArray[np.uint32], NDArray[np.uint8]]:
    """Pack the postings of words: their kinds, where each begins, with the end, and all bytes."""
    firsts = _firsts(words)
    if not len(firsts):
        return np.zeros(0, np.intp), np.zeros(1, "<u4"), np.zeros(0, np.uint8)
    held = np.diff(np.append(firsts, len(words)))
    steps = places.copy()
    steps[1:] -= places[:-1]
    steps[firsts] = places[firsts]
    step, often = np.maximum.reduceat(steps, firsts), np.maximum.reduceat(counts, firsts)
    once, few = often == 1, often <= MOST_COUNT
    near, far = step < 1 << 8, step < 1 << 16
    choices = [near & once, near & few, far & once, far & few]
    apart = few & (places[firsts + held - 1] <= MOST_NUMBER)
    kinds = np.select([*choices, apart], [1, 2, 3, 4, APART], ANYTHING)
    # Four bytes are enough for the largest segments.
    bounds = np.concatenate([[0], np.cumsum(held * SIZES[kinds])])
    packed = np.empty(bounds[-1], np.uint8)
    of_posting = np.repeat(kinds.astype(np.uint8), held)
    for kind, record in enumerate(RECORDS):
        mine = np.flatnonzero(of_posting == kind)
        made: NDArray[Any] = np.empty(len(mine), record)
        if kind == APART:
            made[:] = places[mine] << 8 | counts[mine]
        else:
            made[STEP] = steps[mine]
            if OFTEN in (record.names or ()):
                made[OFTEN] = counts[mine]
        words_of = kinds == kind
        begins = np.repeat(bounds[:-1][words_of], held[words_of])
        lengths = held[words_of]
        begins += record.itemsize * (
            np.arange(len(mine)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        )
        for byte, column in enumerate(made.view(np.uint8).reshape(-1, record.itemsize).T):
            packed[begins + byte] = column
    return kinds, bounds.astype("<u4"), packed

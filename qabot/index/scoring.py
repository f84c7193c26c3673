"""Find the passages that hold most of a question's words, without scoring all that hold one.

In each language the rarest words are looked at first. Once the others together could not lift a
passage that holds none of these among the best, they are only looked for in the passages found so
far (MaxScore: Turtle and Flood, 1995). What is found, and each score, is what scoring all passages
would give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qabot.index.segment_words import PassagesByLanguage, SegmentWords
from qabot.index.vectors import Mask, RowArray, least_of
from qabot.index.vocabulary import ONCE, SIZES, Numbers, Postings, unpack

# Where a term of a question stands: the numbers of its language, segment and itself, and postings.
FOUND = np.dtype([(n, np.int64) for n in ("language", "segment", "term", "kind", "begin", "size")])
Found = NDArray[np.void]
Scores = NDArray[np.floating[Any]]
# Parts of scores are whole numbers of this unit, so that their sum does not depend on their order.
_UNIT = 2.0**-40
# Where fewer postings than this share of the passages are found, they are sorted.
_SPARSE = 1 / 32
# So many postings of a language are scored as fast as some of them are left out.
_FEW = 30_000
# Of more, so many at least are scored before it is known which words the best passages must hold,
# and then so many times more at most before that is looked at again.
_FIRST, _FURTHER = 3000, 8


def _none() -> RowArray:
    return np.zeros(0, np.int64)


def _no_scores() -> Scores:
    return np.zeros(0)


@dataclass(slots=True)
class _Tally:
    """The passages of one language that may be among the best, while its words are added.

    Attributes:
        language: Its number.
        words: Which of the question's words it has, by their places; of many postings, those that
            may add most first.
        held: How many postings these have, added up; nothing where they are few.
        rest: How much they can add from each on, with 0 at the end; the same.
        taken: How many were added.
        places, sums: The passages, rising, and what they have.
    """

    language: int
    words: Numbers
    held: Numbers = field(default_factory=_none)
    rest: Scores = field(default_factory=_no_scores)
    taken: int = 0
    places: RowArray = field(default_factory=_none)
    sums: Scores = field(default_factory=_no_scores)

    def least(self, count: int) -> float:
        """What a passage must reach at least to be among the best ``count``."""
        return least_of(self.sums, count) if 0 < count <= len(self.sums) else -1

    def wanted(self, count: int) -> int:
        """How many words a passage must hold one of to be among the best, as far as is known."""
        if self.taken:
            needed = int((-self.rest).searchsorted(-self.least(count), "right"))
            further = int(self.held.searchsorted(_FURTHER * self.held[self.taken - 1])) + 1
            needed = min(needed, further)
        elif not len(self.held):
            needed = len(self.words)
        else:
            needed = int(self.held.searchsorted(_FIRST)) + 1
        return max(self.taken, min(needed, len(self.words)))

    def narrow(self, count: int) -> None:
        """Leave out what the words to come cannot lift among the best."""
        kept = self.sums + self.rest[self.taken] >= self.least(count)
        self.places, self.sums = self.places[kept], self.sums[kept]


class Scoring:
    """Scores the passages of all segments by words that were found in them.

    Args:
        parts: The words of each segment.
        passages: Their passages.
    """

    def __init__(self, parts: Sequence[SegmentWords], passages: PassagesByLanguage) -> None:
        self._parts = parts
        self._passages = passages

    def best(
        self, found: Found, idf: Scores, count: int, allowed: Mask | None
    ) -> Iterator[tuple[int, RowArray, Scores]]:
        """Yield each language: its best ``count`` passages and their scores.

        Args:
            found: Where words are (``FOUND``), in order of them and of their languages.
            idf: Of all words.
            allowed: The rows to search; all of them where not given.
        """
        firsts = np.flatnonzero(np.diff(found["term"], prepend=-1))
        lengths = np.diff(np.append(firsts, len(found)))
        tallies = self._tallies(found, firsts, idf)
        late = tallies
        while late := [tally for tally in late if tally.taken < len(tally.words)]:
            mine = np.zeros(len(firsts), np.bool_)
            for tally in late:
                stop = tally.wanted(count)
                mine[tally.words[tally.taken : stop]] = True
                tally.taken = stop
            if not mine.any():
                break
            some = found if mine.all() else found[np.repeat(mine, lengths)]
            self._add(late, some, idf, allowed)
        if late:
            mine = np.zeros(len(firsts), np.bool_)
            for tally in late:
                tally.narrow(count)
                mine[tally.words[tally.taken :]] = True
            self._complete(late, found[np.repeat(mine, lengths)], idf)
        for tally in tallies:
            chosen = best_of(tally.sums, count)
            yield tally.language, tally.places[chosen], tally.sums[chosen] * _UNIT

    def postings(self, found: Found) -> Iterator[Postings]:
        """Yield the postings of what was found, by kind, with the places of their passages."""
        order = np.argsort(found["segment"], kind="stable")
        edges = found["segment"][order].searchsorted(np.arange(len(self._parts) + 1)).tolist()
        begins, sizes = found["begin"][order].tolist(), found["size"][order].tolist()
        read: list[bytes] = []
        for part, (first, stop) in zip(self._parts, pairwise(edges), strict=True):
            if first < stop:
                read += part.read_each(begins[first:stop], sizes[first:stop])
        packed = [b""] * len(found)
        for place, content in zip(order.tolist(), read, strict=True):
            packed[place] = content
        firsts = self._passages.firsts[found["segment"], found["language"]]
        yield from unpack(packed, found["kind"], firsts)

    def _tallies(self, found: Found, firsts: Numbers, idf: Scores) -> list[_Tally]:
        """Begin for each language that has any of the words."""
        if not len(found):
            return []
        languages = found["language"][firsts]
        held = np.add.reduceat(found["size"] // SIZES[found["kind"]], firsts)
        edges = np.flatnonzero(np.diff(languages, prepend=-1))
        totals = np.add.reduceat(held, edges)
        tallies = []
        for place, (first, stop) in enumerate(pairwise([*edges.tolist(), len(firsts)])):
            tally = _Tally(int(languages[first]), np.arange(first, stop))
            if totals[place] > _FEW:
                most = self._most(found, firsts[first:stop], idf)
                order = np.argsort(-most, kind="stable")
                tally.words = order + first
                tally.held = np.cumsum(held[tally.words])
                tally.rest = np.append(np.cumsum(most[order][::-1])[::-1], 0.0)
            tallies.append(tally)
        return tallies

    def _most(self, found: Found, firsts: Numbers, idf: Scores) -> Scores:
        """How much each of some words of one language can add to a passage, in whole units."""
        own = found[firsts]
        # A word that a passage holds once adds most to the shortest; often, it nears its idf.
        once = 1 / (1 + self._passages.least[own["language"]])
        seldom = [ONCE[found["kind"][found["term"] == term]].all() for term in own["term"]]
        # Two more: one for what is cut off, and one for rounding.
        most: Scores = idf[own["term"]] * np.where(seldom, once, 1.0) // _UNIT + 2
        return most

    def _add(
        self, tallies: Iterable[_Tally], found: Found, idf: Scores, allowed: Mask | None
    ) -> None:
        """Add what words add to all passages that hold them."""
        pieces: defaultdict[int, list[tuple[RowArray, Scores]]] = defaultdict(list)
        for some in self.postings(found):
            own = found[some.words]
            parts = self._shares(some.places, some.counts, np.repeat(idf[own["term"]], some.held))
            ends = np.concatenate([[0], np.cumsum(some.held)])
            languages, firsts = np.unique(own["language"], return_index=True)
            edges = ends[[*firsts.tolist(), len(own)]].tolist()
            for language, (first, stop) in zip(languages.tolist(), pairwise(edges), strict=True):
                pieces[language].append((some.places[first:stop], parts[first:stop]))
        for tally in tallies:
            if own_pieces := pieces[tally.language]:
                places, parts = (np.concatenate(column) for column in zip(*own_pieces, strict=True))
                kept = self._kept(places, allowed)
                if kept is not None:
                    places, parts = places[kept], parts[kept]
                if len(tally.places):
                    places = np.concatenate([tally.places, places])
                    parts = np.concatenate([tally.sums, parts])
                tally.places, tally.sums = self._summed(tally.language, places, parts)

    def _complete(self, tallies: Sequence[_Tally], found: Found, idf: Scores) -> None:
        """Add what words add to the passages of ``tallies`` alone."""
        places = np.concatenate([tally.places for tally in tallies])
        sums = np.concatenate([tally.sums for tally in tallies])
        wanted = np.zeros(len(self._passages.rows), np.bool_)
        wanted[places] = True
        for some in self.postings(found):
            here = np.flatnonzero(wanted[some.places])
            there = some.places[here]
            words = some.words[np.cumsum(some.held).searchsorted(here, "right")]
            parts = self._shares(there, some.counts[here], idf[found["term"][words]])
            sums += np.bincount(places.searchsorted(there), parts, len(places))
        ends = np.cumsum([len(tally.places) for tally in tallies])
        for tally, own in zip(tallies, np.split(sums, ends[:-1]), strict=True):
            tally.sums = own

    def _shares(self, places: RowArray, counts: NDArray[Any], idf: Scores) -> Scores:
        """What words add to passages, in whole units."""
        parts: Scores = np.add(counts, self._passages.norms[places], dtype=np.float64)
        np.divide(idf * counts / _UNIT, parts, out=parts)
        return np.rint(parts, out=parts)

    def _kept(self, places: RowArray, allowed: Mask | None) -> Mask | None:
        """Which of these passages count; ``None`` for all."""
        if allowed is not None:
            kept: Mask = allowed[self._passages.rows[places]]
            return kept
        live = self._passages.live
        return None if live is None else live[places]

    def _summed(self, language: int, places: RowArray, parts: Scores) -> tuple[RowArray, Scores]:
        """Add up the parts of each passage: passages, rising, and sums."""
        first, stop = self._passages.starts[language : language + 2].tolist()
        if len(places) < _SPARSE * (stop - first):
            there, which = np.unique(places, return_inverse=True)
            sums: NDArray[Any] = np.bincount(which, parts)
            return there, sums
        dense: NDArray[Any] = np.bincount(places - first, parts, stop - first)
        there = np.flatnonzero(dense != 0)
        return there + first, dense[there]


def best_of(scores: Scores, count: int) -> RowArray:
    """The places of the ``count`` highest scores; of those that are alike, the first."""
    if len(scores) <= count:
        return np.arange(len(scores))
    if count == 0:
        return np.zeros(0, np.int64)
    least = least_of(scores, count)
    higher = np.flatnonzero(scores > least)
    return np.concatenate([higher, np.flatnonzero(scores == least)[: count - len(higher)]])

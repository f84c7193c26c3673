"""Lexical search: how much of a question's wording a passage holds.

Words are counted for each language apart, so that stemming and the rarity of a word are the
language's own. A question is asked in every language, without that language's function words.
Scores are BM25 divided by the most that the question could score, so that 1 means "every word,
often" and a question in another language fades to nearly 0 by itself.

How rare a word is and how long passages are is summed over all segments, without what has left the
index: scores do not depend on how articles are spread over segments.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.index.postings import Counts, group_of, held_by, read_passages, unpack
from qabot.index.rows import Rows
from qabot.index.sqlite import damage, open_written
from qabot.index.terms import content_terms, terms
from qabot.index.vectors import Mask, RowArray

_K1, _B = 1.2, 0.75
# Words in more than half of the passages would count against a passage.
_LEAST_IDF = 1e-6
# A question of a thousand words would make a slow query and say no more.
_MOST_TERMS = 64
_WEIGHTS_KEPT = 256
# Where fewer postings than this share of the passages are found, they are sorted.
_SPARSE = 1 / 16


class SegmentWords:
    """The words of one segment, as ``write_lexical`` wrote them; safe from several threads.

    Args:
        path: The file.
        live: The passages in the index, bool ``(passages,)``; all if not given.

    Attributes:
        languages: Language → how many passages in it are in the index, and their words together.

    Raises:
        DamagedIndexError: Of any call, where the file cannot be read.
    """

    def __init__(self, path: Path, live: Mask | None = None) -> None:
        self._path = path
        self._live = live
        self._lock = threading.Lock()
        with damage(path):
            self._connection = open_written(path)
            self._names, self._codes, self._lengths = read_passages(self._connection)
        codes, lengths = self._codes, self._lengths
        if live is not None:
            codes, lengths = codes[live], lengths[live]
        passages = np.bincount(codes, minlength=len(self._names))
        together = np.bincount(codes, lengths, minlength=len(self._names))
        self.languages = {
            name: (int(passages[code]), int(together[code]))
            for code, name in enumerate(self._names)
            if passages[code]
        }
        self._norms = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return len(self._lengths)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def weigh_lengths(self, average: dict[str, float]) -> None:
        """Take in how long passages of each language are on average, over all segments."""
        averages = np.array([average.get(name) or 1.0 for name in self._names] or [1.0])
        relative = self._lengths / averages[self._codes]
        self._norms = (_K1 * (1 - _B + _B * relative)).astype(np.float32)

    def _packed(self, language: str, words: Sequence[str]) -> list[tuple[str, int, int, bytes]]:
        """Each of ``words`` that is known, with what ``unpack`` takes."""
        marks = ", ".join("?" * len(words))
        query = (
            f"SELECT word, step, often, passages FROM word WHERE language = ? AND word IN ({marks})"
        )
        with self._lock, damage(self._path):
            return self._connection.execute(query, (language, *words)).fetchall()

    def _postings(
        self, language: str, words: Sequence[str], among: Mask | None
    ) -> Iterator[tuple[str, RowArray, Counts]]:
        """Yield each of ``words`` that is known, its rows ``among`` these, and how often each."""
        for word, step, often, packed in self._packed(language, words):
            rows, counts = unpack(step, often, packed)
            if among is not None:
                kept = among[rows]
                rows, counts = rows[kept], counts[kept]
            yield word, rows, counts

    def counts(self, language: str, words: Sequence[str]) -> dict[str, int]:
        """Word → how many passages of the index hold it, of those that any does."""
        if self._live is None:
            return {
                word: held_by(step, often, packed)
                for word, step, often, packed in self._packed(language, words)
            }
        found = self._postings(language, words, self._live)
        return {word: len(rows) for word, rows, _ in found}

    def scores(
        self, language: str, weights: dict[str, float], allowed: Mask | None
    ) -> tuple[RowArray, NDArray[np.float64]]:
        """BM25 of each passage that holds one of the words: rows, rising, and scores.

        Args:
            weights: Word → its idf.
            allowed: The passages to look at, none that has left; all of the index if not given.
        """
        among = self._live if allowed is None else allowed
        parts = [
            (rows, weights[word] * (_K1 + 1) * counts / (counts + self._norms[rows]))
            for word, rows, counts in self._postings(language, list(weights), among)
        ]
        if not parts:
            return np.zeros(0, np.int64), np.zeros(0)
        if sum(len(rows) for rows, _ in parts) < _SPARSE * len(self):
            every, some = (np.concatenate(column) for column in zip(*parts, strict=True))
            rows, places = np.unique(every, return_inverse=True)
            return rows, np.asarray(np.bincount(places, weights=some), np.float64)
        dense = np.zeros(len(self))
        for rows, some in parts:
            dense[rows] += some
        rows = np.flatnonzero(dense)
        return rows, dense[rows]


class LexicalIndex:
    """The words of all segments; calls are safe from several threads.

    Raises:
        DamagedIndexError: Of any call, where a file cannot be read.
    """

    def __init__(self, parts: Sequence[SegmentWords], rows: Rows) -> None:
        self._parts = parts
        self._rows = rows
        self._sizes: dict[str, tuple[int, int]] = {}
        for part in parts:
            for language, (passages, words) in part.languages.items():
                before = self._sizes.get(language, (0, 0))
                self._sizes[language] = before[0] + passages, before[1] + words
        average = {name: words / passages for name, (passages, words) in self._sizes.items()}
        for part in parts:
            part.weigh_lengths(average)
        # One question weighs its terms in each language, and then for each of its hits.
        self._weights = lru_cache(_WEIGHTS_KEPT)(self._read_weights)

    def search(self, question: str, count: int, allowed: Mask | None = None) -> dict[int, float]:
        """Passage row → lexical score in [0, 1], for the best ``count`` passages of each language.

        Args:
            allowed: The rows to search; all of them where not given. How rare a word is, is
                reckoned among all of them in any case, so that scores compare.
        """
        masks: Sequence[Mask | None] = [None] * len(self._parts)
        if allowed is not None:
            masks = self._rows.parts(allowed)
        found: dict[int, float] = {}
        for language in self._sizes:
            weights = self._weights(language, question)
            matching = {word: idf for word, idf in weights.items() if idf > _LEAST_IDF}
            if not matching:
                continue
            rows, scores = self._scores(language, matching, masks)
            scores /= sum(weights.values()) * (_K1 + 1)
            best = _best(scores, count)
            rows, scores = rows[best], scores[best]
            found.update(zip(rows.tolist(), np.minimum(scores, 1.0).tolist(), strict=True))
        return found

    def _scores(
        self, language: str, weights: dict[str, float], masks: Sequence[Mask | None]
    ) -> tuple[RowArray, NDArray[np.float64]]:
        rows, scores = [np.zeros(0, np.int64)], [np.zeros(0)]
        for part, begin, mask in zip(self._parts, self._rows.begins, masks, strict=True):
            if language in part.languages:
                there, some = part.scores(language, weights, mask)
                rows.append(there + begin)
                scores.append(some)
        return np.concatenate(rows), np.concatenate(scores)

    def shares(self, question: str, language: str, texts: Sequence[str]) -> list[float]:
        """The share of the question's wording in each of ``texts``, all in ``language``.

        Returns:
            The share of the question's terms in each text, weighted by rarity, in [0, 1].
        """
        group = group_of(language)
        weights = self._weights(group, question) if group in self._sizes else {}
        if not weights:
            return [0.0] * len(texts)
        most = sum(weights.values())
        return [
            sum(weights.get(term, 0.0) for term in set(terms(text, language))) / most
            for text in texts
        ]

    def _read_weights(self, language: str, question: str) -> dict[str, float]:
        """The idf of each of the question's terms.

        A term that no passage holds counts as if one did: in a small index it would otherwise
        weigh twice as much as the rarest that is there.
        """
        words = content_terms(question, language)[:_MOST_TERMS]
        size, _ = self._sizes[language]
        counts = dict.fromkeys(words, 0)
        for part in self._parts:
            if language in part.languages:
                for word, count in part.counts(language, words).items():
                    counts[word] += count
        return {
            word: max(_LEAST_IDF, math.log((size - held + 0.5) / (held + 0.5)))
            for word, held in ((word, max(1, count)) for word, count in counts.items())
        }


def _best(scores: NDArray[np.float64], count: int) -> RowArray:
    """The places of the ``count`` highest scores; of those that are alike, the first."""
    if len(scores) <= count:
        return np.arange(len(scores))
    if count == 0:
        return np.zeros(0, np.int64)
    least = np.partition(scores, -count)[-count]
    higher = np.flatnonzero(scores > least)
    return np.concatenate([higher, np.flatnonzero(scores == least)[: count - len(higher)]])

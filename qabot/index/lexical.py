"""Lexical search: how much of a question's wording a passage holds.

Words are counted for each language apart, so that stemming and the rarity of a word are the
language's own. A question is asked in every language, without that language's function words.
Scores are BM25 divided by the most that the question could score, so that 1 means "every word,
often" and a question in another language fades to nearly 0 by itself.

How rare a word is and how long passages are is summed over all segments, without what has left the
index: scores do not depend on how articles are spread over segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from qabot.index.postings import group_of
from qabot.index.scoring import FOUND, Found, Scores, Scoring
from qabot.index.segment_words import PassagesByLanguage, SegmentWords
from qabot.index.terms import content_terms, terms
from qabot.index.vectors import FloatArray, Mask, RowArray
from qabot.index.vocabulary import SIZES, Keys, Kinds, Numbers, keys_of

# Words in more than half of the passages would count against a passage.
LEAST_IDF = 1e-6
# A question of a thousand words would make a slow query and say no more.
MOST_TERMS = 64
_ASKED_KEPT = 256
# Of so many of a language's passages, the wording is called usual.
_USUAL_OF = 10


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question in the languages of an index.

    Attributes:
        terms: The question's in each language.
        begins: Where each language begins among the terms of all together, with the end.
        idf: Of these.
        found: Where they stand (``FOUND``), in order of their languages.
    """

    terms: Sequence[list[str]]
    begins: Sequence[int]
    idf: Scores
    found: Found

    def weights(self, language: int) -> dict[str, float]:
        """A language's terms → idf."""
        own = self.idf[self.begins[language] : self.begins[language + 1]]
        return dict(zip(self.terms[language], own.tolist(), strict=True))


class LexicalIndex:
    """The words of all segments; calls are safe from several threads.

    Raises:
        DamagedIndexError: Of any call, where a file cannot be read.
    """

    def __init__(self, parts: Sequence[SegmentWords]) -> None:
        self._parts = parts
        self._passages = PassagesByLanguage(parts)
        self._scoring = Scoring(parts, self._passages)
        # One question weighs its terms in each language, and then for each of its hits.
        self._ask = lru_cache(_ASKED_KEPT)(self._look_up)

    def search(self, question: str, count: int, allowed: Mask | None = None) -> dict[int, float]:
        """Passage row → lexical score in [0, 1], for the best ``count`` passages of each language.

        Args:
            allowed: The rows to search; all of them where not given. How rare a word is, is
                reckoned among all of them in any case, so that scores compare.
        """
        asked = self._ask(question)
        found = asked.found[asked.idf[asked.found["term"]] > LEAST_IDF]
        best: dict[int, float] = {}
        for language, places, scores in self._scoring.best(found, asked.idf, count, allowed):
            rows = self._passages.rows[places]
            most = sum(asked.weights(language).values())
            best.update(zip(rows.tolist(), np.minimum(scores / most, 1.0).tolist(), strict=True))
        return best

    def languages(self, rows: RowArray) -> RowArray:
        """The number of each one's language: int64 ``(len(rows),)``."""
        return self._passages.languages[rows].astype(np.int64)

    def shares(self, question: str, language: str, texts: Sequence[str]) -> list[float]:
        """The share of the question's wording in each of ``texts``, all in ``language``.

        Returns:
            The share of the question's terms in each text, weighted by rarity, in [0, 1].
        """
        place = self._passages.numbers.get(group_of(language))
        weights = {} if place is None else self._ask(question).weights(place)
        return shares_of(weights, language, texts)

    def _look_up(self, question: str) -> _Asked:
        """Find the terms of a question in each language."""
        sizes = self._passages.sizes
        asked = [
            content_terms(question, name)[:MOST_TERMS] if sizes[number] else []
            for name, number in self._passages.numbers.items()
        ]
        by_name = zip(self._passages.numbers, asked, strict=True)
        keys = keys_of((name, term) for name, some in by_name for term in some)
        counts = [len(some) for some in asked]
        found = self._found(keys, np.repeat(np.arange(len(asked)), counts))
        held = np.bincount(found["term"], self._held(found), len(keys))
        idf = rarity(held, np.repeat(sizes, counts))
        return _Asked(asked, np.cumsum([0, *counts]).tolist(), idf, found)

    def _found(self, keys: Keys, languages: Kinds) -> Found:
        """Where words are, by their keys and languages: ``FOUND``, in the order of the words."""
        order = np.argsort(keys)
        wanted = keys[order]
        places = [part.vocabulary.find(wanted) for part in self._parts]
        counts = [len(some.which) for some in places]
        found = np.empty(sum(counts), FOUND)
        found["segment"] = np.repeat(np.arange(len(counts)), counts)
        if places:
            found["term"] = order[np.concatenate([some.which for some in places])]
            found["kind"] = np.concatenate([some.kinds for some in places])
            found["begin"] = np.concatenate([some.begins for some in places])
            found["size"] = np.concatenate([some.sizes for some in places])
        found["language"] = languages[found["term"]]
        return found[np.argsort(found["term"], kind="stable")]

    def _held(self, found: Found) -> Numbers:
        """How many passages of the index hold each word in its segment."""
        held: Numbers = found["size"] // SIZES[found["kind"]]
        live = self._passages.live
        if live is None:
            return held
        partly = np.array([part.live is not None for part in self._parts])
        which = np.flatnonzero(partly[found["segment"]])
        for some in self._scoring.postings(found[which]):
            stay = np.bincount(np.repeat(some.words, some.held), live[some.places], len(which))
            held[which[some.words]] = stay[some.words]
        return held


def usual_wording(scores: FloatArray, languages: RowArray) -> FloatArray:
    """What the wordiest passages of a language hold of a question's wording, on average.

    Args:
        scores: Lexical scores of passages: float32 ``(n,)``.
        languages: A number for the language of each: int64 ``(n,)``.

    Returns:
        For each passage, the mean of its language's highest scores: float32 ``(n,)``. Where there
        are too few, the others count as 0.
    """
    order = np.lexsort((-scores, languages))
    begins = np.flatnonzero(np.diff(languages[order], prepend=-1))
    sizes = np.diff(begins, append=len(order))
    ranks = np.arange(len(order)) - np.repeat(begins, sizes)
    best = np.where(ranks < _USUAL_OF, scores[order], 0.0)
    means = np.add.reduceat(best, begins) / _USUAL_OF
    usual = np.empty(len(order), np.float32)
    usual[order] = np.repeat(means, sizes)
    return usual


def rarity(held: ArrayLike, sizes: ArrayLike) -> Scores:
    """The idf of words, of how many passages of ``sizes`` hold each.

    A word that none holds counts as if one did: in a small index it would otherwise weigh twice as
    much as the rarest that is there.
    """
    counts = np.maximum(held, 1)
    idf: Scores = np.log(np.maximum((np.asarray(sizes) - counts + 0.5) / (counts + 0.5), 1))
    return np.maximum(idf, LEAST_IDF)


def shares_of(weights: Mapping[str, float], language: str, texts: Sequence[str]) -> list[float]:
    """The share of a question's wording in each of ``texts``, all in ``language``.

    Args:
        weights: The question's terms → idf.
    """
    most = sum(weights.values())
    if not most:
        return [0.0] * len(texts)
    found = (weights.keys() & terms(text, language) for text in texts)
    return [sum(idf for term, idf in weights.items() if term in own) / most for own in found]

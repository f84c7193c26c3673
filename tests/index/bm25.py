"""BM25 in plain Python: what lexical search must give, reckoned another way."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

import regex
import stopwordsiso

from qabot.index.terms import terms

K1, B = 1.2, 0.75
LEAST_IDF = 1e-6
MOST_TERMS = 64


def coverages(
    passages: Iterable[tuple[int, str, str]], question: str
) -> dict[str, dict[int, float]]:
    """Group of languages → row → coverage, for the passages that hold a word of the question.

    Args:
        passages: For each its row, language and text.
    """
    groups: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for row, language, text in passages:
        groups[group_of(language)][row] = terms(text, language)
    return {group: _coverages(known, question, group) for group, known in groups.items()}


def group_of(language: str) -> str:
    """The passages among which a word of this language is rare or not."""
    return language if re.fullmatch("[a-z]{2,3}", language) else "other"


def rarities(passages: Iterable[list[str]], question: str, language: str) -> dict[str, float]:
    """The question's terms but for function words → idf among passages, given as their terms."""
    known = [set(passage) for passage in passages]
    words = regex.findall(r"[\p{L}\p{N}\p{M}]+", _fold(question))
    # Both written forms of Norwegian have one list.
    language = {"nb": "no", "nn": "no"}.get(language, language)
    if stopwordsiso.has_lang(language):
        ignored = {_fold(word) for word in stopwordsiso.stopwords(language)}
        words = [word for word in words if word not in ignored]
    idf = {}
    for word in list(dict.fromkeys(terms(" ".join(words), language)))[:MOST_TERMS]:
        # A word that no passage holds counts as if one did.
        held = max(1, sum(word in passage for passage in known))
        idf[word] = max(LEAST_IDF, math.log((len(known) - held + 0.5) / (held + 0.5)))
    return idf


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _coverages(passages: dict[int, list[str]], question: str, language: str) -> dict[int, float]:
    idf = rarities(passages.values(), question, language)
    most = sum(idf.values()) * (K1 + 1)
    average = sum(map(len, passages.values())) / len(passages)
    found = {}
    for row, known in passages.items():
        counts = Counter(known)
        score = 0.0
        for word, rarity in idf.items():
            # Words of over half of the passages say nothing.
            if counts[word] and rarity > LEAST_IDF:
                length = 1 - B + B * len(known) / average
                score += rarity * counts[word] * (K1 + 1) / (counts[word] + K1 * length)
        if score:
            found[row] = min(1.0, score / most)
    return found

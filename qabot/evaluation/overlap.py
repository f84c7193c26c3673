"""Compare texts with answers.

Agreement is SQuAD's exact match and F1 (Rajpurkar et al. 2016), for every language: case,
punctuation and articles don't count, and in scripts without spaces each character is a word.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence

import regex

from qabot.text import UNSPACED, fold

# SQuAD's measure leaves out "the" and its like; these are the other languages' articles.
_ARTICLES = {
    "de": "der die das den dem des ein eine einen einem einer eines",
    "en": "a an the",
    "es": "el la los las lo un una unos unas",
    "fr": "le la les un une des",
    "it": "il lo la i gli le un uno una",
    "nl": "de het een",
    "pt": "o a os as um uma uns umas",
}
# Articles that are written together with the next word.
_PREFIXES = {
    "ar": regex.compile(r"\bال(?=\w{2})"),
    "fr": regex.compile(r"\b[ld]['’]"),
    "it": regex.compile(r"\b(?:l|un|dell|all|nell|dall|sull)['’]"),
}
# A character with its marks, or a run of anything else but spaces.
_WORD = regex.compile(rf"[{UNSPACED}]\p{{M}}*|[^\s{UNSPACED}]+")
# What str.split() splits at; \s lacks four of these characters.
_BLANKS = r"[\s\x1c-\x1f]+"
_SIGNS = regex.compile(r"[\p{P}\p{S}]")


def normal_words(text: str, language: str) -> list[str]:
    """Split ``text`` into the words that count in comparisons.

    Args:
        language: The language whose articles are left out, ISO 639-1.
    """
    text = fold(text)
    prefix = _PREFIXES.get(language)
    if prefix:
        text = prefix.sub("", text)
    left_out = _ARTICLES.get(language, "").split()
    return [word for word in _WORD.findall(_SIGNS.sub("", text)) if word not in left_out]


def exact_match(text: str, answers: Sequence[str], language: str) -> float:
    """Return 1 if ``text`` has the words of one of ``answers``, else 0."""
    found = normal_words(text, language)
    return float(any(found == normal_words(answer, language) for answer in answers))


def f1(text: str, answers: Sequence[str], language: str) -> float:
    """Compute the best F1 of the words of ``text`` with one of ``answers``, in [0, 1]."""
    found = normal_words(text, language)
    return max((_f1(found, normal_words(answer, language)) for answer in answers), default=0.0)


def holds(text: str, answers: Sequence[str]) -> bool:
    """True if ``text`` holds one of ``answers``, ignoring blanks; numbers must be whole."""
    return any(_pattern(answer).search(text) for answer in answers)


def stands_in(text: str, answer: str) -> bool:
    """True if ``text`` holds ``answer``, ignoring blanks, even inside a word or number."""
    return "".join(answer.split()) in "".join(text.split())


def _f1(found: list[str], wanted: list[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    common = (Counter(found) & Counter(wanted)).total()
    # The harmonic mean of common / found and common / wanted.
    return 2 * common / (len(found) + len(wanted))


@functools.lru_cache(maxsize=1024)
def _pattern(answer: str) -> regex.Pattern[str]:
    words = answer.split()
    before = r"(?<!\d)(?<!\d[.,])" if words[0][0].isdecimal() else ""
    after = r"(?!\d)(?![.,]\d)" if words[-1][-1].isdecimal() else ""
    return regex.compile(before + _BLANKS.join(map(regex.escape, words)) + after)

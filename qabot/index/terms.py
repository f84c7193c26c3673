"""Texts → the terms that lexical search counts, one analysis a language.

Words are folded (NFKC, lower case) and reduced to Snowball stems where Snowball knows the language.
Scripts that put no spaces between words give overlapping pairs of characters instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache

import regex
import Stemmer

from qabot.text import UNSPACED, folded_words, function_words

# ISO 639-1 → the name of Snowball's algorithm.
_SNOWBALL = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
# A few megabytes for each language that is indexed.
_WORDS_KEPT = 1 << 15
_RUN = regex.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
_UNSPACED = regex.compile(f"[{UNSPACED}]")


def terms(text: str, language: str) -> list[str]:
    """The terms of ``text``, in order, repeated as often as they stand there.

    Args:
        text: Any text.
        language: ISO 639-1 code of the analysis; where Snowball does not know it, words stay whole.
    """
    return _terms(folded_words(text), language)


def content_terms(question: str, language: str) -> list[str]:
    """The terms of a question without its function words ("who", "is", "the"), each once, in order.

    In an index of few passages a function word may be as rare as a name, and would weigh as much.
    """
    ignored = function_words(language)
    content = [word for word in _folded(question) if word not in ignored]
    return list(dict.fromkeys(_terms(content, language)))


# A question is asked in one language after the other.
@lru_cache(1)
def _folded(question: str) -> list[str]:
    return folded_words(question)


def _terms(words: Iterable[str], language: str) -> list[str]:
    analysed = _analysis(_SNOWBALL.get(language))
    return [term for word in words for term in analysed(word)]


@cache
def _analysis(algorithm: str | None) -> Callable[[str], tuple[str, ...]]:
    """A word → its terms, by one of Snowball's algorithms or none."""
    stem = Stemmer.Stemmer(algorithm).stemWord if algorithm else str

    # Most words of a text stood in others before.
    @lru_cache(_WORDS_KEPT)
    def analysed(word: str) -> tuple[str, ...]:
        found: list[str] = []
        for run in _RUN.findall(word):
            if not _UNSPACED.match(run):
                found.append(stem(run))
            elif len(run) == 1:
                found.append(run)
            else:
                found += [run[i : i + 2] for i in range(len(run) - 1)]
        return tuple(term for term in found if term)

    return analysed

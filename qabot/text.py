"""Texts of people: printable text, words, first lines of errors, spans of time."""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import timedelta
from functools import cache
from pathlib import Path

import regex

# Control characters but for tabs and ends of lines, lone surrogates, and direction overrides.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Matches one character that is never shown."""

UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    # Belong to hiragana and katakana alike, so to neither.
    "\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}"
    "\N{HALFWIDTH KATAKANA-HIRAGANA PROLONGED SOUND MARK}"
)
"""The letters of scripts that put no space between words, for a character class of ``regex``."""

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=30)

# Articles are in a written form of Norwegian; questions are identified as Norwegian only.
_MACROLANGUAGES = {"nb": "no", "nn": "no"}
# The name and password of an address; where it is mistyped, both have to be there.
_PASSWORD = re.compile(r"""(?<=//)[^\s/\\@'"]+@|(?<=[/\\'"])[^\s/\\@:'"]+:[^\s/\\@'"]+@""")
_WORD = regex.compile(r"[\p{L}\p{N}\p{M}]+")
_SPAN = re.compile(r"([0-9]{1,9})\s*([smhd])", re.ASCII | re.IGNORECASE)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def printable(text: str) -> str:
    """Remove control characters, which could move the cursor or change colours.

    Direction overrides go too: they would show a quote in another order than it stands. So do lone
    surrogates, which stand for typed bytes that are no text and cannot be printed.
    """
    return UNPRINTABLE.sub("", text)


def printable_line(text: str) -> str:
    """Replace whatever is unprintable, line ends included, by U+FFFD.

    Messages quote names of files and what libraries say, and those may hold anything.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def without_passwords(text: str) -> str:
    """Cut names and passwords out of the addresses in ``text``: ``https://me:secret@host``."""
    return _PASSWORD.sub("", text)


def printable_path(path: Path | str) -> str:
    """Write ``path`` on one line, with slashes; bytes that are no UTF-8 become U+FFFD."""
    text = path if isinstance(path, str) else path.as_posix()
    if text.isprintable():
        return text
    return printable_line(os.fsencode(text).decode("utf-8", "replace"))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its type if it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def described(error: BaseException) -> str:
    """Name an error's type, with the first line of its message if it has one."""
    name, line = type(error).__name__, first_line(error)
    return name if line == name else f"{name}: {line}"


def fold(text: str) -> str:
    """Fold ``text`` for comparing words: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def folded_words(text: str) -> list[str]:
    """Split ``text`` into runs of letters, digits and marks, folded."""
    return _WORD.findall(fold(text))


def macrolanguage(language: str) -> str:
    """Return the language that a written form belongs to, else the code itself; ISO 639-1."""
    return _MACROLANGUAGES.get(language, language)


@cache
def function_words(language: str) -> frozenset[str]:
    """Return a language's words that name nothing ("who", "is", "the"), folded.

    Args:
        language: An ISO 639-1 code; where no list of it is known, there are none.
    """
    # Imported here: most commands look at no question.
    import stopwordsiso

    language = macrolanguage(language)
    known = stopwordsiso.stopwords(language) if stopwordsiso.has_lang(language) else ()
    return frozenset(map(fold, known))


@cache
def function_word_languages() -> tuple[str, ...]:
    """List the languages whose function words are known, as ISO 639-1 codes."""
    import stopwordsiso

    return tuple(sorted(stopwordsiso.langs()))


def parse_interval(text: str) -> timedelta:
    """Read a whole number of seconds, minutes, hours or days, such as 90s or 15m.

    Raises:
        ValueError: It is none, or below a second or above 30 days.
    """
    match = _SPAN.fullmatch(text.strip())
    # Within a timedelta's range whatever the unit.
    span = int(match[1]) * _UNITS[match[2].lower()] if match else None
    if span is None or not SHORTEST <= span <= LONGEST:
        raise ValueError(f"{text!r} is no time from 1s to 30d; write it as 90s, 15m, 2h or 1d")
    return span

"""What every surface does to texts before it shows them."""

from __future__ import annotations

import re

# Control characters but for tabs and ends of lines, lone surrogates, and direction overrides.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""What is never shown, one character at a time."""

# Confidence in words: the least probability for each.
_WORDS = ((0.9, "very likely"), (0.75, "likely"), (0.5, "possibly"), (0.0, "unlikely"))


def printable(text: str) -> str:
    """``text`` without control characters, which could move the cursor or change colours.

    Direction overrides go too: they would show a quote in another order than it stands. So do lone
    surrogates, which stand for typed bytes that are no text and cannot be printed.
    """
    return UNPRINTABLE.sub("", text)


def likelihood(confidence: float) -> tuple[str, float]:
    """How sure an answer is, in English words, and the probability to show: nothing is certain."""
    words = next(words for least, words in _WORDS if confidence >= least)
    return words, min(confidence, 0.99)


def page_url(url: str, page: int | None) -> str:
    """``url`` with the fragment by which viewers of PDFs open a page; as it is where it has one."""
    return f"{url}#page={page}" if page and "#" not in url else url

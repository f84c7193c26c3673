"""Words and links that every surface shows alike."""

from __future__ import annotations

# Confidence in words: the least probability for each.
_WORDS = ((0.9, "very likely"), (0.75, "likely"), (0.5, "possibly"), (0.0, "unlikely"))


def likelihood(confidence: float) -> tuple[str, float]:
    """How sure an answer is, in English words, and the probability to show: nothing is certain."""
    words = next(words for least, words in _WORDS if confidence >= least)
    return words, min(confidence, 0.99)


def page_url(url: str, page: int | None) -> str:
    """``url`` with the fragment by which viewers of PDFs open a page; as it is where it has one."""
    return f"{url}#page={page}" if page and "#" not in url else url

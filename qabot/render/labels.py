"""Words and links that all surfaces share."""

from __future__ import annotations

# Words for confidence, each with its least probability.
_WORDS = ((0.9, "very likely"), (0.75, "likely"), (0.15, "possibly"), (0.0, "unlikely"))


def likelihood(confidence: float) -> tuple[str, float]:
    """Put a confidence into English words, with the probability to show: never 100 %."""
    # As the percentage is shown, rounded: 90 % are not likely once and very likely another time.
    words = next(words for least, words in _WORDS if round(confidence, 2) >= least)
    return words, min(confidence, 0.99)


def page_url(url: str, page: int | None) -> str:
    """Add the fragment that opens a page in PDF viewers, unless ``url`` has a fragment."""
    return f"{url}#page={page}" if page and "#" not in url else url

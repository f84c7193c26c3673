"""Raised numbers: 2<sup>7</sup> is two to the seventh, and 27 is another number."""

from __future__ import annotations

_RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ", " \u00a0")
_CHARACTERS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LONGEST = 20


def raised(text: str) -> str | None:
    """Numbers and their signs as raised characters; ``None`` for other text, as in 1st."""
    written = text.translate(_RAISED)
    return written if 0 < len(written) <= _LONGEST and set(written) <= _CHARACTERS else None

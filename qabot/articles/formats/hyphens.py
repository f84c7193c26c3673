"""Lines of print to running text: divided words are whole again; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qabot.articles.formats.titles import unspaced

_DIVIDED = re.compile(r"(\w+)([-\u2010\u00ad])$")
_WORD = re.compile(r"\w+(?:[-\u2010]\w+)*")
_FIRST_WORD = re.compile(r"\w+")
# After "Ein-", another word follows that ends alike: "Ein- und Ausgabe", "two- or threefold".
_ELLIPSIS = frozenset(
    ("and", "or", "to", "und", "oder", "bis", "bzw", "sowie", "et", "ou", "y", "o", "e", "en", "of")
)


class Words:
    """The words of a document that stand on one line each.

    Args:
        lines: Its lines.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: set[str] = set()
        for line in lines:
            # The last one may go on in the next line.
            self._words.update(
                match[0].casefold() for match in _WORD.finditer(line.rstrip("-\u2010"))
            )

    def __contains__(self, word: str) -> bool:
        return word.casefold() in self._words


def joined(lines: Sequence[str], words: Words) -> tuple[str, list[int]]:
    """``lines`` as one line, and where each of them begins in it.

    A hyphen at the end of a line goes where it only divides a word.
    """
    text = lines[0]
    starts = [0]
    for line in lines[1:]:
        text, gap = _before(text, line, words)
        starts.append(len(text) + len(gap))
        text = f"{text}{gap}{line}"
    return text, starts


def _before(text: str, line: str, words: Words) -> tuple[str, str]:
    """``text`` as it stands before ``line``, and what comes between them."""
    divided, following = _DIVIDED.search(text[-100:]), _FIRST_WORD.match(line)
    if divided is None or following is None:
        dense = unspaced(text[-1:]) and unspaced(line[:1])
        return text, "" if dense else " "
    first, hyphen, second = divided[1], divided[2], following[0]
    if hyphen == "\u00ad":
        return text[:-1], ""
    if second.casefold() in _ELLIPSIS:
        return text, " "
    if f"{first}{second}" in words:
        return text[:-1], ""
    if f"{first}-{second}" in words or not second[0].islower() or len(first) == 1:
        return text, ""
    return (text, "") if first[-1].isdigit() else (text[:-1], "")

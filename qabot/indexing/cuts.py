"""Cut sentences that are too long for a passage, by offset."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

from qabot.types import Span

# Where to cut, best first.
_CUTS = (
    re.compile(r"[.!?…؟]+[\"'”’»)\]]*\s+|[。！？।॥]+[」』”’）]*"),
    re.compile(r"[,;:،؛]+[\"'”’»)\]]*\s+|\s[–—-]+\s+|[，、；：]+[」』”’）]*"),
    re.compile(r"\s+"),
)
_GRAPHEME = regex.compile(r"\X")
_CLUSTER_REACH = 32


def strip(text: str, start: int, end: int) -> Span:
    """Leave out the white space at both ends of ``text[start:end]``."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def cut(text: str, start: int, end: int, pieces: int) -> Iterator[Span]:
    """Cut ``text[start:end]`` into about this many pieces of similar length, at least two."""
    for left in range(pieces, 1, -1):
        if end - start == 1:
            break
        at = best_cut(text, start, start + max(1, round((end - start) / left)), end)
        piece = strip(text, start, at)
        if piece[0] < piece[1]:
            yield piece
        start = at
    yield strip(text, start, end)


def best_cut(text: str, start: int, ideal: int, end: int) -> int:
    """Return the best place for a cut near ``ideal``, after ``start`` and before ``end``."""

    def distance(cut: int) -> int:
        return abs(cut - ideal)

    def splits_cluster(cut: int) -> bool:
        return _GRAPHEME.fullmatch(text[cut - 1 : cut + 1]) is not None

    slack = (ideal - start) // 4
    for pattern in _CUTS:
        found = pattern.finditer(text, ideal - slack, min(ideal + slack, end - 1))
        cuts = [cut.end() for cut in found if not splits_cluster(cut.end())]
        if cuts:
            return min(cuts, key=distance)
    # Anywhere between two user-perceived characters, unless one of them is endless.
    origin, limit = max(start, ideal - _CLUSTER_REACH), min(end, ideal + _CLUSTER_REACH)
    while origin > start and "\U0001f1e6" <= text[origin] <= "\U0001f1ff":
        origin -= 1  # flags are pairs of letters, counted from the first one in a row
    # A slice: at each of them, regex would look back over the whole row.
    starts = [origin + cluster.start() for cluster in _GRAPHEME.finditer(text[origin:limit])]
    return min(starts[1:], key=distance, default=ideal)

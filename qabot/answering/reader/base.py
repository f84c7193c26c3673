"""The protocol of readers, which look at a question and a text together."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from qabot.types import AnswerSpan

LONGEST_SPAN = 40
_GAP = re.compile(r"\n\s*\n")


class Window(NamedTuple):
    """A part of a passage that a reader looks at.

    Attributes:
        context: The article's title and the section's headings, so that "the foundation" in
            ``text`` means something; nothing of it is marked.
    """

    context: str
    text: str


class Reader(Protocol):
    """Marks the answer to a question in texts, and says how sure it is that there is one."""

    @property
    def name(self) -> str:
        """The model's name, as people know it."""
        ...

    @property
    def batch_size(self) -> int:
        """How many windows are best read in one call: more take longer."""
        ...

    def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
        """The best span of each window, in order; an empty one where a window has no text."""
        ...


def best_span(
    scores: NDArray[np.float32], first: int, blocks: Sequence[int]
) -> tuple[int, int, float]:
    """The best span of one window.

    Args:
        scores: Of each token as start and as end, ``(tokens, 2)`` or more; token 0 stands for "no
            answer".
        first: The window's first token.
        blocks: Of each of the window's tokens, in which block of the text (paragraph, heading) it
            stands, rising: an answer lies within one.

    Returns:
        Start and end, half open, and the span's score above that of "no answer", the sum of two
        logits.
    """
    stop = first + len(blocks)
    starts, ends = scores[first:stop, 0], scores[first:stop, 1]
    sums = starts[:, None] + ends[None, :]
    # Ends stand behind starts, not far, and in the same block.
    places, block = np.arange(len(blocks)), np.asarray(blocks)
    ahead = places[None, :] - places[:, None]
    fits = (ahead >= 0) & (ahead < LONGEST_SPAN) & (block[None, :] == block[:, None])
    start, end = divmod(int(np.where(fits, sums, -np.inf).argmax()), len(blocks))
    margin = float(sums[start, end] - scores[0, :2].sum())
    return first + start, first + end + 1, margin


def blocks_of(text: str, starts: Sequence[int]) -> list[int]:
    """In which block of ``text``, between blank lines, each of the rising places ``starts`` is."""
    gaps = [match.start() for match in _GAP.finditer(text)]
    return [bisect_right(gaps, start) for start in starts]


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """``start`` and ``end`` without the blanks and punctuation round an answer.

    A bracket or quotation mark stays where its partner is inside; so does a number's sign.
    """
    while start < end and not _belongs(text, start, start, end):
        start += 1
    while start < end and not _belongs(text, end - 1, start, end):
        end -= 1
    return start, end


def _belongs(text: str, place: int, start: int, end: int) -> bool:
    character = text[place]
    if character in _PARTNERS:
        rest = text[start:place] + text[place + 1 : end]
        return any(partner in rest for partner in _PARTNERS[character])
    if character in _SIGNS:
        return place + 1 < end and text[place + 1].isdecimal()
    return not (character.isspace() or character in _MARKS)


def _partners() -> dict[str, str]:
    # The same mark may open in one language and close in another.
    first = "([“„„«»‘‚「『（《【"
    second = ")]”“”»«’‘」』）》】"
    found = {'"': '"', "'": "'"}
    for one, other in zip(first, second, strict=True):
        found[one] = found.get(one, "") + other
        found[other] = found.get(other, "") + one
    return found


_PARTNERS = _partners()
_SIGNS = frozenset("-−–")
_MARKS = frozenset(".,;:!?…—·*_|¡¿。、，；：！？．،؛؟")

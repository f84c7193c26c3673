"""Lists in quotes: steps and items are of use as a whole, with the sentence that leads in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qabot.types import Passage, Span

# In characters; more is not read at a glance.
_LONGEST_LIST = 900
_LEADS_IN = (":", "：")
_NUMBERED = re.compile(r"\(?(?:\d{1,3}|[A-Za-z])[.)]\s|[•◦▪■●☐☑*–—-]\s")


def with_lists(passage: Passage, window: Span, core: Span) -> Span:
    """Extend a window by what it lacks of the lists in it, as far as it stays short.

    Args:
        window: Sentences of the passage, as numbers, half open.
        core: Those that hold the answer; a list that ends before them is of no use.
    """
    for first, stop in _lists(passage):
        if window[0] < stop and first < window[1] and core[0] < stop:
            window = _grown(passage, window, (first, stop))
    return window


def _grown(passage: Passage, window: Span, found: Span) -> Span:
    """``window`` with as much of a list as fits: what leads in it, what follows, what precedes."""
    following = range(window[1], found[1] + 1)
    preceding = range(window[0], found[0] - 1, -1)
    tried = [(found[0], window[1]), *((window[0], stop) for stop in following)]
    for first, stop in tried + [(first, window[1]) for first in preceding]:
        wider = min(window[0], first), max(window[1], stop)
        start, end = passage.sentences[wider[0]][0], passage.sentences[wider[1] - 1][1]
        window = wider if end - start <= _LONGEST_LIST else window
    return window


def _lists(passage: Passage) -> Iterator[Span]:
    """The lists in a passage, each with the sentence that leads in it, as numbers, half open."""
    count = len(passage.sentences)
    first = 0
    while first < count:
        led_in = first > 0 and _leads_in(passage, first - 1) and bool(_breaks(passage, first))
        numbered = _is_numbered(passage, first)
        stop = first + 1
        if led_in or numbered:
            while stop < count and (_breaks(passage, stop) < 2 or _is_numbered(passage, stop)):
                stop += 1
            if led_in or sum(_is_numbered(passage, place) for place in range(first, stop)) > 1:
                yield first - led_in, stop
        first = stop


def _leads_in(passage: Passage, place: int) -> bool:
    return _sentence(passage, place).endswith(_LEADS_IN)


def _breaks(passage: Passage, place: int) -> int:
    """How many line breaks stand before a sentence."""
    before = passage.sentences[place - 1][1] if place else 0
    return passage.text.count("\n", before, passage.sentences[place][0])


def _is_numbered(passage: Passage, place: int) -> bool:
    begins_line = place == 0 or _breaks(passage, place) > 0
    return begins_line and bool(_NUMBERED.match(_sentence(passage, place)))


def _sentence(passage: Passage, place: int) -> str:
    start, end = passage.sentences[place]
    return passage.text[start:end]

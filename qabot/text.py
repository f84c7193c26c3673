"""Texts that people write and read: what is printable, and spans of time as they write them."""

from __future__ import annotations

import re
from datetime import timedelta

# Control characters but for tabs and ends of lines, lone surrogates, and direction overrides.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""What is never shown, one character at a time."""

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=30)

_SPAN = re.compile(r"([0-9]{1,9})\s*([smhd])", re.ASCII | re.IGNORECASE)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def printable(text: str) -> str:
    """``text`` without control characters, which could move the cursor or change colours.

    Direction overrides go too: they would show a quote in another order than it stands. So do lone
    surrogates, which stand for typed bytes that are no text and cannot be printed.
    """
    return UNPRINTABLE.sub("", text)


def parse_interval(text: str) -> timedelta:
    """The span that ``text`` names: a whole number of seconds, minutes, hours or days.

    Raises:
        ValueError: It names none, or one below a second or above 30 days.
    """
    match = _SPAN.fullmatch(text.strip())
    # Within a timedelta's range whatever the unit.
    span = int(match[1]) * _UNITS[match[2].lower()] if match else None
    if span is None or not SHORTEST <= span <= LONGEST:
        raise ValueError(f"{text[:40]!r} is no time from 1s to 30d; write it as 90s, 15m, 2h or 1d")
    return span

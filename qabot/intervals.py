"""Spans of time as people write them: ``90s``, ``15m``, ``2h``, ``1d``."""

from __future__ import annotations

import re
from datetime import timedelta

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=30)

_SPAN = re.compile(r"([0-9]{1,9})\s*([smhd])", re.ASCII | re.IGNORECASE)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


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

"""Dates of publication: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""

from __future__ import annotations

import re
from datetime import date

REMEDY = "write YYYY, YYYY-MM or YYYY-MM-DD"
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ][0-9].*)?)?)?")


def parse_date(value: str) -> str | None:
    """The date that ``value`` writes, checked against the calendar.

    Args:
        value: A year, month or day in ISO form; a time of day after it is cut off.

    Returns:
        ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``, as exact as ``value``; ``None`` if it is no date.
    """
    match = _DATE.fullmatch(value.strip())
    if match is None:
        return None
    parts = [part for part in match.groups() if part is not None]
    year, month, day = [int(part) for part in parts] + [1] * (3 - len(parts))
    try:
        date(year, month, day)
    except ValueError:
        return None
    return "-".join(parts)

"""The last change of pages according to sitemaps, and when it makes a request unnecessary."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)
# Missing time zones, wrong clocks and stale caches: a page that changed this shortly before it was
# fetched may have changed after.
_MARGIN = _DAY.total_seconds()
# Many sitemaps have dates that never change, and none says that a page is gone: after a week the
# page itself is fetched.
_TRUSTED = 7 * _DAY.total_seconds()
# Programs write the year 1 or 1970 if they know no date.
_FIRST_PAGE = datetime(1991, 1, 1, tzinfo=UTC)
_INEXACT = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")


def last_change(text: str) -> float | None:
    """Return the last moment that a date in a sitemap may mean, in Unix seconds.

    Args:
        text: A year, month, day or moment in the W3C's format, with or without a time zone.

    Returns:
        ``None`` if it is none of these, or earlier than the web.
    """
    try:
        last = _end_of(text)
    except (ValueError, OverflowError):
        return None
    return last.timestamp() if last >= _FIRST_PAGE else None


def _end_of(text: str) -> datetime:
    found = _INEXACT.fullmatch(text)
    if not found:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment if ":" in text else moment + _DAY
    first = datetime(int(found[1]), int(found[2] or 12), 1, tzinfo=UTC)
    return datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)


def later(one: float | None, other: float | None) -> float | None:
    """Return the later of two moments; unknown if one is."""
    return None if one is None or other is None else max(one, other)


def is_current(fetched: float, changed: float | None, now: float) -> bool:
    """Tell whether a page need not be fetched again.

    A change or a fetch in the future counts for nothing: a clock is wrong.

    Args:
        fetched: When a server last sent it, or said that it has not changed.
        changed: Its last change, as returned by ``last_change``.
    """
    if changed is None or changed > now:
        return False
    return changed + _MARGIN < fetched and 0 <= now - fetched < _TRUSTED

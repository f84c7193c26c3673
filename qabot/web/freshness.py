"""What a sitemap says of its pages' last change, and when that makes asking needless."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)
# Time zones that are not named, clocks that are not set, caches that are not emptied: a page that
# changed so shortly before it was fetched may have changed after.
_MARGIN = _DAY.total_seconds()
# Many sitemaps give a date that never changes, and none says that a page is gone: after a week the
# page itself is asked.
_TRUSTED = 7 * _DAY.total_seconds()
# Programs write year 1 or 1970 where they know no date.
_FIRST_PAGE = datetime(1991, 1, 1, tzinfo=UTC)
_INEXACT = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")


def last_change(text: str) -> float | None:
    """The last moment that a date in a sitemap may mean, in Unix seconds.

    Args:
        text: A year, month or day, or a moment with or without a time zone, as the W3C writes them.

    Returns:
        ``None`` where it is none of these, or from before there were web pages.
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
    """The later of two moments; unknown where one is."""
    return None if one is None or other is None else max(one, other)


def is_current(fetched: float, changed: float | None, now: float) -> bool:
    """Whether what was fetched need not be asked for again.

    Args:
        fetched: When a server last sent it, or said that it has not changed.
        changed: Its last change, as ``last_change`` gives it.

    A change or a fetch in the future says nothing: a clock is wrong.
    """
    if changed is None or changed > now:
        return False
    return changed + _MARGIN < fetched and 0 <= now - fetched < _TRUSTED

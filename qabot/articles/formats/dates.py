"""Dates of publication: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime

REMEDY = "write YYYY, YYYY-MM or YYYY-MM-DD"

_LONGEST = 60
_TIME = r"(?:[T ,].*)?"
_ISO = re.compile(rf"(\d{{4}})(?:([-/.])(\d{{1,2}})(?:\2(\d{{1,2}}){_TIME})?)?", re.ASCII)
_COMPACT = re.compile(rf"((?:19|20)\d\d)(\d\d)(\d\d){_TIME}", re.ASCII)
_EAST_ASIAN = re.compile(r"(\d{4})[年년] ?(\d{1,2})[月월](?: ?(\d{1,2})[日일].*)?", re.ASCII)
_DAY_OR_MONTH_FIRST = re.compile(rf"(\d{{1,2}})([./-])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII)
_RFC_2822 = re.compile(r"(?:[A-Z][a-z]{2}, ?)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})(?: .*)?", re.ASCII)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SECONDS = re.compile(r"1\d{9}(?:\d{3})?", re.ASCII)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)", re.ASCII)
_MONTH_AND_YEAR = re.compile(r"[^\W\d_]+\.? [0-9]{4}|[0-9]{4} [^\W\d_]+\.?")
_EXACTNESS = ((["day", "month", "year"], 10), (["month", "year"], 7))
_IN_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[-_. ]|$)", re.ASCII)


def parse_date(value: str) -> str | None:
    """The date that ``value`` writes in one of the usual forms, checked against the calendar.

    Args:
        value: ``2023-11-02``, ``2023/11/2``, ``02.11.2023``, ``November 2, 2023`` (in any language
            that dateparser knows), ``Thu, 02 Nov 2023 09:15 GMT``, ``2023年11月2日``, seconds since
            1970. A time of day is cut off. Where ``01/02/2023`` may be either of two days, only the
            year is known.

    Returns:
        ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``, as exact as ``value``; ``None`` if it is no date.
    """
    value = " ".join(value.split())
    if not value or len(value) > _LONGEST:
        return None
    if match := _ISO.fullmatch(value):
        return _checked(match[1], match[3], match[4])
    for form in (_COMPACT, _EAST_ASIAN):
        if match := form.fullmatch(value):
            return _checked(*match.groups())
    if match := _DAY_OR_MONTH_FIRST.fullmatch(value):
        return _day_or_month_first(*match.groups())
    if _SECONDS.fullmatch(value):
        return datetime.fromtimestamp(int(value[:10]), UTC).date().isoformat()
    return _in_words(value) if _YEAR.search(value) else None


def date_in_name(name: str) -> str | None:
    """The day that the name of a file begins with (``2023-11-02-new-bridge.md``), if any."""
    match = _IN_NAME.match(name)
    return parse_date(match[1]) if match else None


def _checked(year: str, month: str | None = None, day: str | None = None) -> str | None:
    try:
        known = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return known.isoformat()[: 10 if day else 7 if month else 4]


def _day_or_month_first(first: str, mark: str, second: str, year: str) -> str | None:
    if mark == "." or int(first) > 12 or first == second:
        return _checked(year, second, first)
    # As an American writes it, or as nearly everyone else does.
    return _checked(year, first, second) if int(second) > 12 else _checked(year)


def _in_words(value: str) -> str | None:
    if (match := _RFC_2822.fullmatch(value)) and match[2] in _MONTHS:
        return _checked(match[3], str(_MONTHS.index(match[2]) + 1), match[1])
    # Takes 0.3 s to import; forms without words never come here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dateparser

        # To find no day loads all 200 languages, which takes seconds: none is sought in two words.
        for parts, length in _EXACTNESS[1 if _MONTH_AND_YEAR.fullmatch(value) else 0 :]:
            settings = {"REQUIRE_PARTS": parts, "RETURN_AS_TIMEZONE_AWARE": False}
            try:
                found = dateparser.parse(value, settings=settings)
            # It trips over some hostile values in ways of its own.
            except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
                return None
            # It may take a year from elsewhere.
            if found and f"{found.year:04d}" in value:
                return str(found.date())[:length]
    return None

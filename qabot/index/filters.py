"""Filters → the passages of one generation that may answer.

What a filter names must be in the index: a mistyped name would otherwise look like "not found".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from qabot.errors import FilterError
from qabot.index.joined import Database
from qabot.index.manifest import Manifest
from qabot.index.vectors import Mask
from qabot.types import Filters

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
# So many names fit on a line that people read.
_SHOWN = 20


def allowed_rows(filters: Filters, manifest: Manifest, database: Database) -> Mask | None:
    """Mark the passages that pass: bool ``(passages,)``; ``None`` for all of them.

    Raises:
        FilterError: A value is no date, or names what the index does not hold.
    """
    if filters == Filters():
        return None
    return database.rows(
        checked_filters(
            filters, manifest, lambda source: bool(database.rows(Filters(source=source)).any())
        )
    )


def checked_filters(filters: Filters, manifest: Manifest, holds: Callable[[str], bool]) -> Filters:
    """``filters`` in the spelling that the index has.

    Args:
        holds: Tells if an article of the index is from a file, folder or address.

    Raises:
        FilterError: A value is no date, or names what the index does not hold.
    """
    filters = _normal(filters)
    _check_name("collection", filters.collection, manifest.collections)
    _check_name("language", filters.language, manifest.languages)
    for name in ("since", "until"):
        _check_date(name, getattr(filters, name))
    if filters.since and filters.until and filters.until < filters.since[: len(filters.until)]:
        raise FilterError(
            f"since {filters.since}: later than until {filters.until}; exchange the two"
        )
    if filters.source is not None and not _is_text(filters.source):
        raise FilterError("source: is no text; name a file, folder or address of the index")
    if filters.source is not None and not holds(filters.source):
        sources = [
            *manifest.sources,
            *(s for group in manifest.collections.values() for s in group),
        ]
        raise FilterError(
            f"source {filters.source!r}: no article is from there; "
            f"the index was built from {_listed(sources)}"
        )
    return filters


def _normal(filters: Filters) -> Filters:
    language, source = filters.language, filters.source
    return replace(
        filters,
        language=None if language is None else re.split("[-_]", language.strip().lower())[0],
        source=None if source is None else source.removeprefix("./").rstrip("/"),
    )


def _check_name(field: str, value: str | None, known: Iterable[str]) -> None:
    if value is not None and value not in known:
        held = _listed(sorted(known)) or f"no {field}s"
        raise FilterError(f"{field} {value!r}: not in the index; it holds {held}")


def _is_text(value: str) -> bool:
    # Arguments of a command may hold any bytes.
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_date(field: str, value: str | None) -> None:
    if value is None:
        return
    try:
        if not _DATE.fullmatch(value):
            raise ValueError("another form")
        # What is left out is January, or the first.
        date.fromisoformat(value + "0000-01-01"[len(value) :])
    except ValueError:
        raise FilterError(
            f"{field} {value!r}: not a date; write YYYY, YYYY-MM or YYYY-MM-DD"
        ) from None


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more

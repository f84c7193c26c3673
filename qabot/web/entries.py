"""The entries of sitemaps and feeds."""

from __future__ import annotations

from dataclasses import dataclass


class ListingError(Exception):
    """A sitemap or feed that cannot be read; the text follows its address."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that a listing names.

    Attributes:
        page: The text that the listing itself has of it, as an HTML page; may be empty.
        changed: Its last change in Unix seconds, if the listing says so.
        published: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``, if the listing says so.
    """

    address: str
    page: bytes = b""
    changed: float | None = None
    published: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing holds.

    Attributes:
        without_page: How many entries of a feed have no web address.
    """

    entries: list[Entry]
    without_page: int = 0

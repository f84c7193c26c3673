"""Sitemaps and feeds → the pages that they name."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from xml.parsers import expat

from qabot.web.addresses import spelled
from qabot.web.content_types import Listing
from qabot.web.freshness import last_change, later

_ENTITY = "<!entity"
_SEPARATOR = "\x1f"
_ITEMS = {"url": "sitemap", "sitemap": "sitemap index"}
_FIELDS = ("loc", "lastmod")
_LONGEST = 4096
_HTML_TYPES = ("text/html", "application/xhtml+xml")


class ListingError(Exception):
    """A sitemap or feed that cannot be read; says why, fit to stand after its address."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that a listing names.

    Attributes:
        page: What the listing itself holds of its text, as a page in HTML; empty where nothing.
        changed: When it changed last, in Unix seconds, if the listing says so.
    """

    address: str
    page: bytes = b""
    changed: float | None = None


def read_listing(body: bytes, kind: Listing, address: str, most: int) -> list[Entry]:
    """The pages, or of a sitemap index the sitemaps, that ``body`` names, each once.

    Args:
        address: Where it was read from.
        most: So many are enough; one more says that there are more.

    Raises:
        ListingError: It cannot be read.
    """
    # XML in UTF-16 has the same letters with zeros between them.
    if _ENTITY.encode() in body.replace(b"\0", b"").lower():
        raise ListingError("declares entities of its own, which is refused")
    found: dict[str, Entry] = {}
    for entry in _feed(body, address) if kind == "feed" else _sitemap(body, kind):
        try:
            place = spelled(entry.address)
        except ValueError:
            continue  # No page of the web: mailto:, a path on somebody's disk.
        first = found.setdefault(place, Entry(place, entry.page, entry.changed))
        found[place] = replace(first, changed=later(first.changed, entry.changed))
        if len(found) > most:
            break
    return list(found.values())


class _Sitemap:
    """Collects ``<loc>`` and ``<lastmod>`` of each ``<url>`` or ``<sitemap>``; of images, none."""

    def __init__(self, kind: Listing) -> None:
        self._kind = kind
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._item: dict[str, str] = {}
        self.found: list[Entry] = []

    def start(self, name: str, attributes: object) -> None:  # noqa: ARG002 (as expat calls it)
        """An element begins."""
        self._text = [] if self._field(name) else None
        self._path.append(name)

    def end(self, name: str) -> None:
        """An element ends."""
        self._path.pop()
        if self._text is not None:
            self._item[self._field(name)] = "".join(self._text).strip()[:_LONGEST]
            self._text = None
        elif self._is_item(name):
            if "loc" in self._item:
                changed = last_change(self._item.get("lastmod", ""))
                self.found.append(Entry(self._item["loc"], changed=changed))
            self._item = {}

    def _field(self, name: str) -> str:
        """Which field of an item an element is, within ``self._path``; empty where it is none."""
        parent = self._path[-1] if self._path else ""
        space, _, local = name.rpartition(_SEPARATOR)
        of_item = self._is_item(parent) and parent.rpartition(_SEPARATOR)[0] == space
        return local if of_item and local in _FIELDS else ""

    def _is_item(self, name: str) -> bool:
        return _ITEMS.get(name.rpartition(_SEPARATOR)[2]) == self._kind

    def text(self, data: str) -> None:
        """Text within an element."""
        if self._text is not None:
            self._text.append(data)


def _sitemap(body: bytes, kind: Listing) -> Iterator[Entry]:
    sitemap = _Sitemap(kind)
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.StartElementHandler = sitemap.start
    parser.EndElementHandler = sitemap.end
    parser.CharacterDataHandler = sitemap.text
    stream = io.BytesIO(body)
    try:
        # All of it before any counts: of a sitemap that is cut off, the missing pages are not gone.
        parser.ParseFile(stream)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ListingError(f"is not well-formed XML ({error})") from error
    yield from sitemap.found


def _feed(body: bytes, address: str) -> Iterator[Entry]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import feedparser

        try:
            parsed = feedparser.parse(
                io.BytesIO(body), response_headers={"content-location": address}
            )
        # Whatever a library trips over in a hostile feed concerns this feed alone.
        except Exception as error:
            raise ListingError(f"cannot be parsed ({type(error).__name__})") from error
    if not dict.get(parsed, "version") and not parsed.entries:
        raise ListingError("is no RSS or Atom feed that can be parsed")
    for entry in parsed.entries:
        link = _string(entry, "link")
        if link:
            yield Entry(link, _page(entry, link, parsed.feed))


def _page(entry: Any, link: str, feed: Any) -> bytes:
    """What an entry holds of its article, as a page in HTML."""
    texts = [*(dict.get(entry, "content") or []), dict.get(entry, "summary_detail") or {}]
    content = next((text for text in texts if _string(text, "value").strip()), None)
    if content is None:
        return b""
    value = _string(content, "value")
    if _string(content, "type") not in _HTML_TYPES:
        value = "".join(f"<p>{escape(line)}</p>" for line in value.split("\n") if line.strip())
    elif "<p" not in value:
        value = f"<p>{value}</p>"
    language = _string(content, "language") or _string(feed, "language")
    title = escape(_string(entry, "title"))
    return (
        f'<html lang="{escape(language)}"><head><title>{title}</title>{_date(entry)}'
        f'<link rel="canonical" href="{escape(link)}"></head>'
        f"<body><article><h1>{title}</h1>{value}</article></body></html>"
    ).encode("utf-8", "replace")


def _string(values: Any, key: str) -> str:
    # Not as an attribute: feedparser would guess one field from another.
    value = dict.get(values, key)
    return value if isinstance(value, str) else ""


def _date(entry: Any) -> str:
    day = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
    if not day:
        return ""
    date = f"{day[0]:04}-{day[1]:02}-{day[2]:02}"
    return f'<meta property="article:published_time" content="{date}">'

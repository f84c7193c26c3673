"""Feeds → the pages that they name: RSS, Atom and JSON Feed."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import urljoin

from qabot.articles.formats.dates import parse_date
from qabot.web.entries import Entry, ListingError

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_DAY = len("YYYY-MM-DD")


def read_feed(body: bytes, address: str) -> Iterator[Entry]:
    """Yield the entries of a feed; the address of one that names no page is empty.

    Args:
        address: The address of the feed.

    Raises:
        ListingError: It cannot be read.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    return _json_feed(text, address) if text.startswith(b"{") else _xml_feed(body, address)


def _json_feed(body: bytes, address: str) -> Iterator[Entry]:
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ListingError("is not valid JSON") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise ListingError("is not a valid JSON Feed")
    for item in (item if isinstance(item, dict) else {} for item in items):
        link = _json_link(item, address)
        text, html = _string(item, "content_text"), _string(item, "content_html")
        written = _string(item, "date_published") or _string(item, "date_modified")
        published = parse_date(written[:_DAY])
        page = _page(
            link,
            _string(item, "title"),
            html if html.strip() else _paragraphs(text),
            language=_string(item, "language") or _string(feed, "language"),
            published=published,
        )
        yield Entry(link, page, published=published)


def _json_link(item: dict[str, Any], address: str) -> str:
    link = _string(item, "url") or _string(item, "external_url")
    # Its name should be its address, too.
    name = _string(item, "id")
    link = link or (name if name.lower().startswith(("http://", "https://")) else "")
    try:
        return urljoin(address, link) if link else ""
    except ValueError:
        return ""


def _xml_feed(body: bytes, address: str) -> Iterator[Entry]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import feedparser

        try:
            parsed = feedparser.parse(
                io.BytesIO(body), response_headers={"content-location": address}
            )
        # A hostile feed may raise anything; it concerns this feed alone.
        except Exception as error:
            raise ListingError(f"cannot be parsed ({type(error).__name__})") from error
    if not dict.get(parsed, "version") and not parsed.entries:
        raise ListingError("is not a valid RSS or Atom feed")
    for entry in parsed.entries:
        link = _string(entry, "link")
        published = _published(entry)
        page = _page(
            link, _string(entry, "title"), *_content(entry, parsed.feed), published=published
        )
        yield Entry(link, page, published=published)


def _content(entry: Any, feed: Any) -> tuple[str, str]:
    """Return the text of an entry as HTML, and its language; empty if there is none."""
    texts = [*(dict.get(entry, "content") or []), dict.get(entry, "summary_detail") or {}]
    content = next((text for text in texts if _string(text, "value").strip()), None)
    if content is None:
        return "", ""
    value = _string(content, "value")
    html = value if _string(content, "type") in _HTML_TYPES else _paragraphs(value)
    return html, _string(content, "language") or _string(feed, "language")


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in text.split("\n") if line.strip())


def _page(link: str, title: str, html: str, language: str, *, published: str | None) -> bytes:
    """Return the text that an entry has of its article as an HTML page; empty if it has none."""
    if not html.strip():
        return b""
    html = html if "<p" in html else f"<p>{html}</p>"
    date = f'<meta property="article:published_time" content="{published}">' if published else ""
    title = escape(title)
    return (
        f'<html lang="{escape(language)}"><head><title>{title}</title>{date}'
        f'<link rel="canonical" href="{escape(link)}"></head>'
        f"<body><article><h1>{title}</h1>{html}</article></body></html>"
    ).encode("utf-8", "replace")


def _string(values: Any, key: str) -> str:
    # As an attribute, feedparser would guess one field from another.
    value = dict.get(values, key)
    return value if isinstance(value, str) else ""


def _published(entry: Any) -> str | None:
    for name in ("published", "updated"):
        # As it is written: in another time zone the day may be another, and a month is no day.
        if day := parse_date(_string(entry, name)):
            return day
        if moment := dict.get(entry, f"{name}_parsed"):
            return f"{moment[0]:04}-{moment[1]:02}-{moment[2]:02}"
    return None

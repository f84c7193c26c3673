"""Sitemaps → the pages that they name: in XML, as plain text, and ``llms.txt``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.xml import parse_xml
from qabot.errors import ArticleError
from qabot.web.content_types import Listing
from qabot.web.entries import Entry, ListingError
from qabot.web.freshness import last_change

_ITEMS: dict[Listing, str] = {"sitemap": "url", "sitemap index": "sitemap"}
_LONGEST = 4096
_DAY = len("YYYY-MM-DD")
_XML = re.compile(rb"[\s\0\xef\xbb\xbf\xff\xfe]*<")
# A link in a list of Markdown, as llms.txt has them; its text may have brackets in it.
_LISTED_LINK = re.compile(r"^\s*[-*+]\s+\[.*?\]\(<?([^\s<>()]+)>?[^)]*\)", re.MULTILINE)
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def read_sitemap(body: bytes, kind: Listing, address: str) -> Iterator[Entry]:
    """Yield the pages of a sitemap, or the sitemaps of an index.

    Args:
        address: The address of the sitemap.

    Raises:
        ListingError: It cannot be read.
    """
    if kind == "sitemap" and not _XML.match(body):
        yield from _plain_sitemap(body.decode("utf-8-sig", "replace"), address)
    else:
        yield from _xml_sitemap(body, kind)


def _plain_sitemap(text: str, address: str) -> Iterator[Entry]:
    """Yield the addresses of a text file, one a line, or else the links of ``llms.txt``."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if all(map(_ADDRESS.fullmatch, lines)):
        yield from map(Entry, lines)
        return
    for link in _LISTED_LINK.finditer(text):
        try:
            yield Entry(urljoin(address, link[1])[:_LONGEST])
        except ValueError:
            continue


def _xml_sitemap(body: bytes, kind: Listing) -> Iterator[Entry]:
    """Yield ``<loc>`` and the dates of each ``<url>`` or ``<sitemap>``, but not of images."""
    try:
        # All of it before any counts: if a sitemap is cut off, its missing pages are not gone.
        root = parse_xml(body, "the sitemap")
    except ArticleError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ListingError(f"is not well-formed XML ({reason})") from error
    for item in root.iter(f"{{*}}{_ITEMS[kind]}"):
        space = item.tag.rpartition("}")[0] + "}" if item.tag.startswith("{") else ""
        if address := _text(item.find(f"{space}loc")):
            yield Entry(
                address,
                changed=last_change(_text(item.find(f"{space}lastmod"))),
                published=_published(item),
            )


def _published(item: Any) -> str | None:
    """Return the date that a news sitemap gives."""
    return parse_date(_text(item.find("{*}news/{*}publication_date"))[:_DAY])


def _text(element: Any) -> str:
    return "" if element is None else "".join(element.itertext()).strip()[:_LONGEST]

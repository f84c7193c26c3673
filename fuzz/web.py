"""What servers send."""

from __future__ import annotations

import contextlib
from typing import get_args

from fuzz.registry import is_line, target, text_of
from qabot.articles import Format
from qabot.errors import SourceError
from qabot.text import printable_line
from qabot.web.addresses import checked, server_of, spelled
from qabot.web.bodies import BodyError, unpacked
from qabot.web.content_types import LISTINGS, Listing, kind_of
from qabot.web.entries import ListingError
from qabot.web.listings import read_listing
from qabot.web.robots import Rules
from tests.articles.documents import docx

_MOST = 20
_BASE = "http://a.org/feed"
_GZIP = bytes.fromhex("1f8b080000000000000303000000000000000000")


@target("User-agent: *\nDisallow: /a*$\nAllow: /b\nCrawl-delay: 2\nSitemap: http://a.org/s")
def robots(data: bytes) -> None:
    """The rules of a robots.txt."""
    rules = Rules.read(data)
    for path in ("", "/", "/a?b=c", "/%E2%82%AC", "/b" * 50):
        assert rules.allow(f"https://a.org{path}", "qabot") in (True, False)
    assert isinstance(rules.delay("qabot"), float | int)


def _listing(data: bytes, kind: Listing) -> None:
    try:
        entries = read_listing(data, kind, _BASE, _MOST).entries
    except ListingError as error:
        assert is_line(printable_line(str(error)))
        return
    assert len(entries) <= _MOST + 1
    for entry in entries:
        assert entry.address == spelled(entry.address)
        # Of a few bytes, no page of many: no entity makes much of little.
        assert len(entry.page) <= 20 * len(data) + 1_000


@target(
    '<urlset xmlns="s"><url><loc>http://a.org/b</loc></url></urlset>',
    "http://a.org/b\nhttps://a.org/c\n",
    "# A\n\n> Of a.\n\n## Docs\n\n- [B [1]](b.md): all of it\n- [C](<http://a.org/c>)\n",
)
def sitemap(data: bytes) -> None:
    """A sitemap."""
    _listing(data, "sitemap")


@target("<sitemapindex><sitemap><loc>http://a.org/b.xml</loc></sitemap></sitemapindex>")
def sitemap_index(data: bytes) -> None:
    """A sitemap of sitemaps."""
    _listing(data, "sitemap index")


@target(
    '<rss version="2.0"><channel><item><title>A</title><link>http://a.org/b</link><description>'
    "&lt;p&gt;x</description><pubDate>Mon, 03 May 2021 10:00:00 GMT</pubDate></item></channel>"
    "</rss>",
    '<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/c"/><content type="xhtml">'
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>y</p></div></content></entry></feed>',
    '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "url": "/d", '
    '"title": "D", "content_html": "<p>z", "date_published": "2021-05-03T10:00:00Z"}]}',
)
def feed(data: bytes) -> None:
    """A feed."""
    _listing(data, "feed")


@target(
    "text/html\n\n<!doctype html>",
    "\n\n<?xml version='1.0'?><!-- a --><!DOCTYPE b [<!ELEMENT c>]><urlset>",
    b"a/b\n\n\xff\xfe<",
    "text/plain\nhttp://a.org/llms.txt\n# A\n\n- [B](http://a.org/b)",
    '\nhttp://a.org/b.vtt?c\n{"version": "https://jsonfeed.org/version/1"',
    b"application/zip\n\n" + docx(""),
)
def kind(data: bytes) -> None:
    """What a response is: its type, its address, one a line, then what came."""
    declared, address, body = (*data.split(b"\n", 2), b"", b"")[:3]
    try:
        found = kind_of(body, declared.decode("latin-1"), text_of(address))
    except ValueError as error:
        assert is_line(printable_line(str(error)))
        return
    assert found in {*get_args(Format), *LISTINGS}


@target(
    "http://a.org/b?c=d#e",
    "https://例え.jp:443/木",
    "HTTP://A.ORG:80",
    "http://[::1]/",
    "http://a:b@c",
)
def address(data: bytes) -> None:
    """An address."""
    with contextlib.suppress(SourceError):
        once = checked(text_of(data))
        assert spelled(once) == once
        assert once.startswith(("http://", "https://"))
        assert server_of(once)
        assert "@" not in server_of(once)


@target(_GZIP, b"plain")
def packed_body(data: bytes) -> None:
    """What is packed by gzip."""
    with contextlib.suppress(BodyError):
        assert len(unpacked(data, 10_000)) <= max(10_000, len(data))

"""What an answer holds, told by its beginning, and by its declared type where that is open."""

from __future__ import annotations

import re
from typing import Literal, get_args

from qabot.articles import Format

Listing = Literal["sitemap", "sitemap index", "feed"]
Kind = Format | Listing
LISTINGS: frozenset[str] = frozenset(get_args(Listing))

_HEAD = 65_536
# What may stand before the first element of a document.
_PROLOG = re.compile(
    r"\s+ | <\?.*?\?> | <!--.*?-->"
    r"| <!doctype (?: [^\[>\"'] | \"[^\"]*\" | '[^']*' | \[ [^\]]* \] )* >",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_ROOTS: dict[str, Kind] = {
    "urlset": "sitemap",
    "sitemapindex": "sitemap index",
    "rss": "feed",
    "feed": "feed",
    "rdf": "feed",
    "html": "html",
}
_TYPES: dict[str, Kind] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "plain",
    "text/markdown": "markdown",
}


def kind_of(body: bytes, declared: str) -> Kind:
    """What ``body`` is to be read as.

    Args:
        declared: Its media type as the server told it, in lower case.

    Raises:
        ValueError: Nothing that qabot reads; says what it is.
    """
    head = _head(body)
    if re.match(r"\s*<!doctype\s+html", head, re.IGNORECASE):
        return "html"
    start = 0
    while found := _PROLOG.match(head, start):
        start = found.end()
    root = _ROOT.match(head, start)
    kind = _ROOTS.get(root[1].lower()) if root else None
    kind = kind or _TYPES.get(declared)
    if kind is None:
        raise ValueError(f"is {declared or 'of no declared type'}, not a page, sitemap or feed")
    return kind


def _head(body: bytes) -> str:
    head = body[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8", "replace").removeprefix("\ufeff")

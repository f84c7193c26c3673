"""The title of a web page's article: not the site's, not a menu's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from qabot.articles.formats.draft import has_words, one_line
from qabot.articles.formats.linked_data import linked_data

_SEPARATOR = re.compile(r"(\s+(?:[|·•»«›‹:/\\~]|[-–—]{1,2}|::)\s+|\s*\|\s*|:\s+)")
_SITE_PATHS = (
    "//meta[@property='og:site_name']/@content",
    "//meta[@name='application-name' or @name='apple-mobile-web-app-title']/@content",
)
_ADDRESSES = "//link[@rel='canonical']/@href | //meta[@property='og:url']/@content"
_SERVER = re.compile(r"(?:https?:)?//(?:www\.)?([^/:?#]+)", re.IGNORECASE)
# What a template leaves of a name that is missing.
_EDGES = re.compile(r"^(?:[|·•:/\\~–—-]+\s+)+|(?:\s+[|·•:/\\~–—-]+)+$")
_TITLE_PATHS = (
    "//meta[@property='og:title' or @name='og:title']/@content",
    "//meta[@name='twitter:title' or @property='twitter:title']/@content",
    "//title[not(ancestor::*[local-name()='svg'])]/text()",
)
_HEADINGS = "//h1 | //h2 | //*[@itemprop='headline']"
_MOST_HEADINGS = 40
_MOST_PARTS = 15
_LEAST_SITE, _LEAST_WORD = 6, 5


def page_title(page: Any) -> str | None:
    """The title of the article in a page; ``None`` if there is no better one than its main heading.

    What the page calls itself is searched for a heading that stands in it; without one, the name of
    the site is taken off.
    """
    headlines = _texts(linked_data(page, "headline"))[:1]
    names = headlines + [text for path in _TITLE_PATHS for text in _texts(page.xpath(path))]
    found = _texts("".join(item.itertext()) for item in page.xpath(_HEADINGS)[:_MOST_HEADINGS])
    headings: dict[str, str] = {}
    for text in found:
        headings.setdefault(folded(text), text)
    sites = {folded(text) for path in _SITE_PATHS for text in _texts(page.xpath(path))}
    sites |= _servers(page)
    parts = (part for name in names for part in _parts(name) if folded(part) not in sites)
    # Of the site's name and the article's, both of which may be headings, the longer one.
    part = max((part for part in parts if folded(part) in headings), key=len, default="")
    for headline in headlines:
        # Said twice, once with the name of the site.
        twice = any(part == headline for name in names[1:] for part in _parts(name))
        if twice and folded(headline) in folded(part or headline):
            return _as_shown(_without_site(headline, sites), headings)
    if part:
        return _as_shown(part, headings)
    if main := _main_heading(page, names, sites):
        return main
    title = _without_site(names[0], sites) if names else ""
    # A page that only has a title may have the site's.
    return title if len(names) > 1 or title not in names else None


def _main_heading(page: Any, names: Sequence[str], sites: set[str]) -> str:
    """The only main heading, if it is about what the page calls itself."""
    main = _texts("".join(item.itertext()) for item in page.xpath("//h1"))
    if len(main) != 1 or _is_site(main[0], sites):
        return ""
    told = {word for name in names for word in _words(name)}
    return main[0] if told.intersection(_words(main[0])) else ""


def _words(text: str) -> list[str]:
    return [word for word in map(folded, text.split()) if len(word) >= _LEAST_WORD]


def _as_shown(title: str, headings: Mapping[str, str]) -> str:
    """``title`` as the heading that says it writes it; shouting is a matter of style."""
    shown = headings.get(folded(title), title)
    return title if shown.isupper() else shown


def _servers(page: Any) -> set[str]:
    """The names of the servers that the page belongs to, without what all have."""
    servers = set()
    for address in page.xpath(_ADDRESSES):
        if match := _SERVER.match(str(address)):
            name, _, _ = match[1].rpartition(".")
            servers |= {folded(match[1]), folded(name), folded(name.rpartition(".")[2])}
    return servers - {""}


def _texts(found: Iterable[str]) -> list[str]:
    # Some pages escape characters twice.
    told = (_EDGES.sub("", one_line(unescape(unescape(str(item))))) for item in found)
    return [text for text in told if has_words(text)]


def folded(text: str) -> str:
    """The letters and digits of ``text``, all of them small."""
    return "".join(filter(str.isalnum, text.casefold()))


def _parts(name: str) -> Iterator[str]:
    """Runs of what separators divide ``name`` into, the longest first."""
    pieces = _SEPARATOR.split(name)[:_MOST_PARTS]
    for length in range(len(pieces), 0, -2):
        for start in range(0, len(pieces) - length + 1, 2):
            part = "".join(pieces[start : start + length]).strip()
            if has_words(part):
                yield part


def _without_site(name: str, sites: set[str]) -> str:
    pieces = _SEPARATOR.split(name)
    while len(pieces) > 2 and _is_site(pieces[-1], sites):
        pieces = pieces[:-2]
    while len(pieces) > 2 and _is_site(pieces[0], sites):
        pieces = pieces[2:]
    return "".join(pieces).strip()


def _is_site(piece: str, sites: set[str]) -> bool:
    """Tell whether a part of a name is a site's, or little more than that."""
    name = folded(piece)
    return any(
        site == name or (len(site) >= _LEAST_SITE and site in name and len(name) < 2 * len(site))
        for site in sites
    )

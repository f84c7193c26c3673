"""Renders articles and lists of them for Discord messages; pure, without discord.py."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qabot.render.discord import (
    LONGEST_LABEL,
    LONGEST_TEXT,
    LONGEST_TITLE,
    View,
    as_of,
    in_language,
    joined,
    title_of,
    with_page,
)
from qabot.render.markup import inert, link, one_line, web_address
from qabot.render.paging import text_pages
from qabot.render.translations import date_text, language_name, plural, translate
from qabot.types import Article, ArticleInfo

ARTICLES_ON_PAGE = 12
# "mond.de" and "example.org/page": clients and people take them for addresses.
_LIKE_SITE = re.compile(r"\.[^\W\d_]{2,}(?:[/:?#]|$)")


def article_view(article: Article, page: int, locale: str, *, offset: int | None = None) -> View:
    """Render a page of an article's text, verbatim, with headings in bold.

    A long article takes some tenths of a second: not for the event loop.

    Args:
        page: From 0; moved to the nearest page that exists.
        offset: Render the page that holds this character of the text instead.
    """
    info = article.info
    known = [as_of(info, locale), in_language(info, locale), _link(info, locale)]
    details = joined([one_line(info.author or "", LONGEST_LABEL), *known])
    headings = [(heading.start, heading.end) for heading in article.headings]
    room = LONGEST_TEXT - len(details) - 2
    blocks = text_pages(article.text, room, bold=headings)
    if offset is not None:
        page = sum(start <= offset for start, _ in blocks) - 1
    page = min(max(page, 0), len(blocks) - 1)
    return View(
        one_line(info.title, LONGEST_TITLE),
        (details, blocks[page][1]),
        with_page("", page, len(blocks), locale),
        page,
        len(blocks),
    )


def articles_view(
    infos: Sequence[ArticleInfo], counts: dict[str, int], page: int, locale: str, title: str
) -> View:
    """Render a page of a list of articles: titles, ids, dates, languages and sizes.

    Args:
        counts: Article id → number of passages.
        title: Our own text, in the language of ``locale``.
    """
    pages = max(1, -(-len(infos) // ARTICLES_ON_PAGE))
    page = min(max(page, 0), pages - 1)
    entries = []
    for info in infos[page * ARTICLES_ON_PAGE : (page + 1) * ARTICLES_ON_PAGE]:
        size = plural("{n} passage", "{n} passages", counts.get(info.id, 0), locale)
        entries.append((info, article_entry(info, size, locale)))
    text = "\n".join(_linked(entries)) or translate("There is no such article.", locale)
    return View(title, (text,), with_page("", page, pages, locale), page, pages)


def article_entry(info: ArticleInfo, size: str, locale: str) -> str:
    """Render an article on two lines: its title; then id, date, language and ``size``."""
    language = language_name(info.language, locale)
    date = date_text(info.published, locale) if info.published else ""
    details = joined([_id(info), inert(date), language, size])
    return f"{title_of(info)}\n{details}"


def _linked(entries: Sequence[tuple[ArticleInfo, str]]) -> list[str]:
    """Link the titles of entries of a list to their addresses, as many as there is room for."""
    room = LONGEST_TEXT - len("\n".join(entry for _, entry in entries))
    lines = []
    for info, entry in entries:
        linked = title_of(info, web_address(info.url)) + entry[entry.index("\n") :]
        room -= len(linked) - len(entry)
        lines.append(linked if room >= 0 else entry)
        room = max(room, 0)
    return lines


def _link(info: ArticleInfo, locale: str) -> str:
    """Render a link to the article; its id if it has no address."""
    return link(translate("Source", locale), info.url) or _id(info)


def _id(info: ArticleInfo) -> str:
    """Render an article's id; nothing if it looks like a web site that people could open."""
    return "" if _LIKE_SITE.search(info.id) else one_line(info.id, LONGEST_LABEL)

"""HTML: the main content of a page and what it says about itself, found by trafilatura."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from qabot.articles.formats.blocks import Element, Role, Vocabulary, blocks_of
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import (
    Block,
    Draft,
    clean_characters,
    compose,
    has_words,
    one_line,
)
from qabot.articles.formats.language import language_code
from qabot.articles.formats.page_day import day_of, stated_days
from qabot.articles.formats.page_head import headline, page_head, with_lead
from qabot.articles.formats.page_notices import drop_notices, is_rights_notice
from qabot.articles.formats.page_title import page_title
from qabot.articles.formats.page_tree import prepare
from qabot.articles.formats.xhtml import XHTML, is_shown
from qabot.errors import ArticleError
from qabot.text import described

_REMEDY = "save the page's text as Markdown or plain text"
# trafilatura's own tags.
_ROLES: dict[str, Role] = {
    "head": "heading",
    **dict.fromkeys(("p", "item"), "line"),
    **dict.fromkeys(("quote", "div", "body"), "block"),
    # Tables that tell anything are rows of one cell by now.
    **dict.fromkeys(("list", "table"), "list"),
    "row": "block",
    "cell": "line",
    "code": "verbatim",
    "lb": "break",
}
# What is sought in a short page are long paragraphs, and each once.
_SHORT, _MORE, _MOSTLY_LINKS = 4_000, 1.1, 0.6
_LISTS = frozenset(("ul", "ol", "div", "section"))
_LONGEST_LEAD_IN = 100
_DATES = {"extensive_search": False, "original_date": True}
_LANGUAGE_PATHS = (
    ("//html", ("lang", "xml:lang")),
    ("//meta[translate(@http-equiv, 'CL', 'cl')='content-language']", ("content",)),
    ("//meta[@property='og:locale']", ("content",)),
)


def read_html(text: str) -> Draft:
    """Make a draft of a page's main content: no navigation, no comments, no boilerplate.

    Raises:
        ArticleError: The page has no main content that could be told from the rest.
    """
    try:
        draft = _read(clean_characters(text))
    except MemoryError:
        raise
    # Whatever a library trips over in a hostile page concerns this page alone.
    except Exception as error:
        raise ArticleError(f"the page cannot be parsed ({described(error)}); {_REMEDY}") from error
    if draft is None or not has_words(draft.text):
        raise ArticleError(f"no main text found in the page; {_REMEDY}")
    return draft


def _read(text: str) -> Draft | None:
    # Third-party warnings say nothing to a person who reads articles, and what goes wrong is
    # reported by an ArticleError. Imported late: trafilatura takes half a second.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trafilatura import bare_extraction, extract_metadata, load_html

        for name in ("trafilatura", "htmldate", "courlan"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        page = load_html(text)
        if page is None:
            # A fragment without <html> is only read inside a whole page.
            page = load_html(f"<html><body><article>{text}</article></body></html>")
        if page is None:
            return None
        # Read before the page is taken apart. Only dates that the page states as its own, no day
        # that happens to stand in the text.
        told = extract_metadata(page, date_config=_DATES, extensive=False)
        title, stated = page_title(page), stated_days(page)
        prepare(page)
        # The day may stand in what is no part of the article.
        heading = headline(page, title)
        head = page_head(page, heading)
        published = day_of(page, heading, stated, _published(told.date or "", text))
        drop_notices(page)
        _wrap_content(page)
        whole, named = _whole(page)
        document: Any = bare_extraction(page, output_format="xml", include_comments=False)
    found = blocks_of(document.body, _VOCABULARY) if document else ()
    body, headings = compose(_finished(with_lead(_fuller(found, whole, named=named), head)))
    return Draft(
        body,
        headings,
        title=title or one_line(told.title or "") or None,
        published=published,
        language=_language(page),
        url=_url(told.url or ""),
        author=one_line(told.author or "") or None,
    )


def _whole(page: Any) -> tuple[Sequence[Block], bool]:
    """What a short page shows in its article, and whether it says where that is."""
    named = page.xpath("//article") or page.xpath("//main")
    found = named or page.xpath("/html/body")
    if len(found) != 1 or sum(map(len, found[0].itertext())) > _SHORT:
        return (), False
    return blocks_of(found[0], _PAGE), bool(named)


def _fuller(found: Sequence[Block], whole: Sequence[Block], *, named: bool) -> Sequence[Block]:
    """``whole`` where much of a short page's article was not found, or its paragraphs were not."""
    told, shown = (sum(len(block.text.split()) for block in blocks) for blocks in (found, whole))
    flat = len(found) <= 1 < len(whole) and shown >= told
    return whole if flat or (named and shown > _MORE * told) else found


def _is_read(element: Element) -> bool:
    """Tell whether an element of a short page is shown and has text that does not link."""
    if element.tag not in _LISTS or not is_shown(element):
        return is_shown(element)
    length = sum(map(len, element.itertext()))
    links = sum(len(text) for link in _links(element) for text in link.itertext())
    return links <= _MOSTLY_LINKS * length


def _links(element: Element) -> Iterator[Element]:
    for child in element:
        if child.tag == "a":
            yield child
        else:
            yield from _links(child)


def _finished(blocks: Sequence[Block]) -> Sequence[Block]:
    """``blocks`` without a heading at their end, and without lead-ins at the end of a section.

    What they lead to belongs to the site: links to other pages, forms. Nor do lines stay that say
    whose the page and its pictures are.
    """
    blocks = [block for block in blocks if not is_rights_notice(block.text)]
    end = len(blocks)
    if end > 1 and blocks[-1].level is not None and blocks[-2].level is None:
        end -= 1
    while end > 1 and _leads_in(blocks[end - 1]):
        end -= 1
    ends = [*(block.level is not None for block in blocks[1:end]), False]
    return [
        block
        for block, is_end in zip(blocks, ends, strict=False)
        if not (is_end and _leads_in(block))
    ]


def _leads_in(block: Block) -> bool:
    short = block.level is None and len(block.text) <= _LONGEST_LEAD_IN
    return short and block.text.endswith((":", "："))


def _wrap_content(page: Any) -> None:
    # A plain page has its article right in <body>. There trafilatura finds paragraphs, but leaves
    # out headings and lists, as it does not in an element that may hold an article.
    if page.xpath("//article | //main") or not page.xpath("/html/body/p"):
        return
    body = page.xpath("/html/body")[0]
    article = body.makeelement("article")
    article.text, body.text = body.text, None
    article.extend(list(body))
    body.append(article)


def _published(found: str, page: str) -> str | None:
    # trafilatura gives a whole day even where the page names a month or a year only, and fills in
    # the rest from today's date. So no more is believed than stands together in the page.
    published = parse_date(found)
    if published is None or published.count("-") < 2:
        return published
    year, month, day = published.split("-")
    m, d = f"0?{int(month)}", f"0?{int(day)}"
    whole = (
        rf"{year}\D{{0,3}}{m}\D{{0,3}}{d}(?!\d)",  # 2021-05-03, 2021年5月3日
        rf"(?<!\d){d}\D{m}\D{year}|(?<!\d){m}\D{d}\D{year}",  # 03.05.2021, 5/3/2021
        rf"(?<!\d){d}[./]{m}[./]{year[2:]}(?!\d)",  # 03.05.21
        rf"(?<!\d){d}\D{{1,20}}{year}",  # 3 May 2021, May 3, 2021
    )
    if any(re.search(form, page) for form in whole):
        return published
    return f"{year}-{month}" if re.search(rf"{year}\D{{0,3}}{m}(?!\d)", page) else year


def _language(page: Any) -> str | None:
    for path, attributes in _LANGUAGE_PATHS:
        for element in page.xpath(path):
            for attribute in attributes:
                if code := language_code(element.get(attribute, "")):
                    return code
    return None


def _url(address: str) -> str | None:
    address = clean_characters(address).strip()
    return address if re.fullmatch(r"https?://\S{1,4000}", address, re.IGNORECASE) else None


def _level(element: Element) -> int | None:
    if element.tag != "head":
        return None
    level = element.get("rend", "")[1:]
    return int(level) if level in tuple("123456") else 2


_VOCABULARY = Vocabulary(_ROLES, _level)
_UNREAD: dict[str, Role] = dict.fromkeys(
    ("footer", "select", "textarea", "button", "input", "label"), "nothing"
)
_PAGE = Vocabulary({**XHTML.roles, **_UNREAD}, XHTML.level, is_shown=_is_read)
_Whole = tuple[Sequence[Block], bool]

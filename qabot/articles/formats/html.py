"""HTML: the main content of a page and what it says about itself, found by trafilatura."""

from __future__ import annotations

import logging
import re
import warnings
from typing import Any

from qabot.articles.formats.blocks import Element, Role, Vocabulary, blocks_of
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Draft, clean_characters, compose, has_words, one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.page_head import Head, day_shown, page_head, with_lead
from qabot.articles.formats.page_title import page_title
from qabot.articles.formats.page_tree import prepare
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
        page, title, head, document = _extract(clean_characters(text))
        blocks = with_lead(blocks_of(document.body, _VOCABULARY), head) if document else []
        body, headings = compose(blocks)
    except MemoryError:
        raise
    # Whatever a library trips over in a hostile page concerns this page alone.
    except Exception as error:
        raise ArticleError(f"the page cannot be parsed ({described(error)}); {_REMEDY}") from error
    if not has_words(body):
        raise ArticleError(f"no main text found in the page; {_REMEDY}")
    return Draft(
        body,
        headings,
        title=title,
        published=day_shown(head, _published(document.date or "", text)),
        language=_language(page),
        url=_url(document.url or ""),
        author=one_line(document.author or "") or None,
    )


def _extract(text: str) -> tuple[Any, str | None, Head, Any]:
    """The tree of a page, the title of its article, what stands beside that, and the article."""
    # Third-party warnings say nothing to a person who reads articles, and what goes wrong is
    # reported by an ArticleError. Imported late: trafilatura takes half a second.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trafilatura import bare_extraction, load_html

        for name in ("trafilatura", "htmldate", "courlan"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        page = load_html(text)
        if page is None:
            # A fragment without <html> is only read inside a whole page.
            page = load_html(f"<html><body><article>{text}</article></body></html>")
        # Read before the page is taken apart.
        title = None if page is None else page_title(page)
        head = Head()
        if page is not None:
            prepare(page)
            head = page_head(page, title)
            _wrap_content(page)
        document: Any = page is not None and bare_extraction(
            page,
            output_format="xml",
            include_comments=False,
            with_metadata=True,
            # Only dates that the page states as its own, no day that happens to stand in the text.
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    told = one_line(document.title or "") if document else ""
    return page, title or told or None, head, document or None


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

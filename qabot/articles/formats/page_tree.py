"""A web page's tree, prepared: what people see in it is said in the plainest tags.

What finds the article of a page knows paragraphs, headings and lists best. Questions on buttons,
notes in asides, captions and tables would be lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from qabot.articles.formats.blocks import table_rows
from qabot.articles.formats.draft import one_line
from qabot.articles.formats.formulas import formula_text
from qabot.articles.formats.list_numbers import number_items
from qabot.articles.formats.page_notices import drop, is_credit
from qabot.articles.formats.superscripts import raised
from qabot.articles.formats.tables import table_lines
from qabot.articles.formats.xhtml import XHTML, is_shown

_MARKS = (
    # Links to a heading itself; "edit" and numbers of notes in a wiki; readings of ruby.
    "//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6 or self::dt]"
    "//a[contains(concat(' ', @class, ' '), ' headerlink ') or starts-with(@href, '#')]"
    "[string-length(normalize-space()) <= 1]",
    "//*[contains(concat(' ', @class, ' '), ' mw-editsection ')]",
    "//sup[contains(concat(' ', @class, ' '), ' reference ')]",
    "//rt | //rp",
)
_CONTROLS = "//*[@aria-controls]/@aria-controls"
_HIDDEN = "//*[@hidden or @aria-hidden or @style]"
# Themes make buttons of other elements, too.
_QUESTIONS = (
    "//*[self::button or @role='button' or @data-toggle='collapse' or @data-bs-toggle='collapse']"
    "[@aria-expanded or @aria-controls or contains(., '?') or contains(., '？')]"
)
_IN_HEADING = "ancestor::*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6]"
_QUOTED = "//blockquote[.//table or .//ul or .//ol or .//pre]"
_NOTES = "//main//aside | //article//aside"
_BESIDE = re.compile(
    r"relat|recommend|share|social|promo|newsletter|subscri|sidebar|toc|\bads?\b|advert|banner|nav"
    r"|widget|popular|more-|author|bio",
    re.IGNORECASE,
)
# Where the columns of a table are named, cells may well be links.
_MOSTLY_LINKS, _ALL_LINKS = 0.4, 0.9
_MOST_OF_PAGE = 0.5
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PLAIN_MEANING = ("ul", "ol", "dl", "table", "pre", *_HEADINGS)


def prepare(page: Any) -> None:
    """Change a page in place."""
    for path in _MARKS:
        for element in page.xpath(path):
            drop(element)
    for ruby in page.xpath("//ruby | //rb | //rbc"):
        ruby.drop_tag()
    for element in page.xpath("//sup | //math"):
        is_formula = element.tag == "math"
        written = formula_text(element) if is_formula else raised("".join(element.itertext()))
        if written:
            element.clear(keep_tail=True)
            element.tag, element.text = "span", written
    _show_answers(page)
    _drop_unseen(page)
    for quote in page.xpath(_QUOTED):
        # What finds the article knows quotes of text only.
        quote.tag = "div"
    for footer in page.xpath("//blockquote//footer"):
        # Whose words these are; the footer of a page is none of its text.
        footer.tag = "p"
    for aside in page.xpath(_NOTES):
        if not _is_beside(aside):
            aside.tag = "div"
    number_items(page)
    for caption in page.xpath("//figure/figcaption"):
        _after_figure(caption)
    for table in reversed(page.xpath("//table")):
        _tell_table(table)
    for terms in reversed(page.xpath("//dl")):
        _tell_terms(terms)


def _show_answers(page: Any) -> None:
    """Show the text that a button unfolds, headed by the button's words."""
    unfolded = {name for value in page.xpath(_CONTROLS) for name in value.split()}
    for button in page.xpath(_QUESTIONS):
        answer = button
        while answer.getnext() is None and len(answer.getparent()) == 1:
            answer = answer.getparent()
        unfolded_here = answer.getnext()
        _reveal(unfolded_here)
        if unfolded_here is not None and isinstance(unfolded_here.tag, str):
            # Called "content", it would be taken for that of the page.
            unfolded_here.attrib.pop("class", None)
        button.attrib.pop("role", None)
        if button.tag not in _HEADINGS:
            button.tag = "span" if button.xpath(_IN_HEADING) else "p"
    for element in page.xpath("//*[@id]"):
        if element.get("id") in unfolded:
            _reveal(element)


def _reveal(element: Any) -> None:
    if element is None or not isinstance(element.tag, str):
        return
    for name in ("hidden", "aria-hidden"):
        element.attrib.pop(name, None)
    if not is_shown(element):
        del element.attrib["style"]


def _drop_unseen(page: Any) -> None:
    # Some pages hide all of themselves until a program shows them.
    most = _MOST_OF_PAGE * _length(page)
    for element in page.xpath(_HIDDEN):
        if not is_shown(element) and element.getparent() is not None and _length(element) < most:
            drop(element)


def _length(element: Any) -> int:
    return sum(map(len, element.itertext()))


def _is_beside(element: Any) -> bool:
    """Tell whether an aside is about other pages."""
    names = " ".join((element.get("class", ""), element.get("id", ""), element.get("role", "")))
    return bool(_BESIDE.search(names)) or _has_links(element, _MOSTLY_LINKS)


def _has_links(element: Any, share: float) -> bool:
    """Tell whether more than a share of an element's text links."""
    return sum(map(_length, element.iter("a"))) > share * max(1, _length(element))


def _after_figure(caption: Any) -> None:
    figure = caption.getparent()
    text = one_line("".join(caption.itertext()))
    if figure.getparent() is None or not text:
        return
    drop(caption)
    if is_credit(text):
        return
    caption.tag, caption.tail = "p", None
    figure.addnext(caption)
    # lxml moves what follows the figure with it.
    caption.tail, figure.tail = figure.tail, None


def _tell_table(table: Any) -> None:
    rows = table_rows(table, XHTML)
    if rows is None or len(rows) < 2:
        return
    # Boxes of links to other pages have names of groups at the most.
    headed = any(len(row) > 1 and all(cell.head for cell in row) for row in rows)
    if _has_links(table, _ALL_LINKS) if headed else _is_beside(table):
        return
    captions = [one_line("".join(caption.itertext())) for caption in table.findall("caption")]
    _put_lines(table, table_lines(rows, guess=True), ("table", "tr", "td"))
    for caption in filter(None, captions):
        line = table.makeelement("p")
        line.text = caption
        table.addprevious(line)


def _tell_terms(terms: Any) -> None:
    """Each term and what it means on one line, where both are plain."""
    others = (element for element in terms.iter(*_PLAIN_MEANING) if element is not terms)
    # A wiki indents by definitions of nothing.
    if terms.find(".//dt") is None or next(others, None) is not None:
        return
    _put_lines(terms, list(_explained(terms)), ("ul", "li"))


def _explained(terms: Any) -> Iterator[str]:
    term = ""
    for element in terms.iter("dt", "dd"):
        text = one_line(" ".join(element.itertext()))
        if element.tag == "dt":
            if term:
                yield term
            term = text
        elif text:
            gap = "" if not term else " " if term[-1] in ".!?:;…。！？：；؟।" else ": "
            yield f"{term}{gap}{text}"
            term = ""
    if term:
        yield term


def _put_lines(element: Any, lines: list[str], tags: tuple[str, ...]) -> None:
    """Fill ``element`` with ``lines``; ``tags`` are its own and those of each line, outside in."""
    tail = element.tail
    element.clear()
    element.tag, element.tail = tags[0], tail
    for line in filter(None, lines):
        inner = element
        for tag in tags[1:]:
            below = inner.makeelement(tag)
            inner.append(below)
            inner = below
        inner.text = line

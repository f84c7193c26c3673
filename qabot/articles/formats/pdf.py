"""PDF: the lines of each page by PDFium, and what the document says about itself."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any

from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Draft, has_words, one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.pdf_drawing import lines_of, rules_of
from qabot.articles.formats.pdf_layout import Mark, lay_out
from qabot.articles.formats.pdf_lines import Page, Rules
from qabot.errors import ArticleError

MAX_PAGES = 5_000
MAX_CHARACTERS = 20_000_000

_MAGIC = b"%PDF-"
_MAGIC_WITHIN = 1_024
_DATE = re.compile(r"(?:D:)?([0-9]{4})([0-9]{2})?([0-9]{2})?")
# Programs put the name of their file where a title belongs.
_NO_TITLE = re.compile(
    r"(?i)microsoft (word|powerpoint)\b.*|untitled.*|.*\.(docx?|indd|odt|pdf|pptx?|qxp|rtf|tex|dvi)"
)
_LANGUAGE_UNITS = 64
_MAX_MARKS = 10_000
_LOCKED = "encrypted; save it without a password"


def read_pdf(data: bytes) -> Draft:
    """Make a draft of a PDF, with where its pages begin.

    Raises:
        ArticleError: It is no PDF, damaged, encrypted, too long, or holds pictures of text only.
    """
    import pypdfium2

    if _MAGIC not in data[:_MAGIC_WITHIN]:
        raise ArticleError("not a PDF document; give it the ending that fits what it is")
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ArticleError(_LOCKED) from error
        raise ArticleError("damaged: PDFium cannot open it; save it again") from error
    if len(document) > MAX_PAGES:
        raise ArticleError(f"has {len(document)} pages, {MAX_PAGES} at most; split it")
    unread: list[int] = []
    lines, rules = zip(*_pages(document, unread), strict=True) if len(document) else ((), ())
    composed, pages = lay_out(lines, rules, list(_marks(document)))
    if not has_words(composed.text):
        raise ArticleError(
            "holds no text, perhaps pictures of it; have it recognised (OCR) and saved again"
        )
    told = {name: one_line(text) for name, text in document.get_metadata_dict().items()}
    title = told.get("Title", "")
    return Draft(
        composed.text,
        composed.headings,
        title=None if not has_words(title) or _NO_TITLE.fullmatch(title) else title,
        author=told.get("Author") or None,
        published=_published(told.get("CreationDate", "")),
        language=_language(document),
        pages=tuple(pages),
        warnings=tuple(f"page {number} cannot be read; save it again" for number in unread),
    )


def _pages(document: Any, unread: list[int]) -> Iterator[tuple[Page, Rules]]:
    """Read the lines of each page; numbers of those that cannot be read are added to ``unread``."""
    from pypdfium2 import PdfiumError

    characters = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except PdfiumError:
            unread.append(number + 1)
            yield [], Rules()
            continue
        characters += text_page.count_chars()
        if characters > MAX_CHARACTERS:
            raise ArticleError(f"holds more than {MAX_CHARACTERS} characters; split it")
        rules = rules_of(page)
        yield list(lines_of(text_page, rules)), rules
        text_page.close()
        page.close()


def _marks(document: Any) -> Iterator[Mark]:
    for number, mark in enumerate(document.get_toc()):
        if number == _MAX_MARKS:
            return
        target = mark.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            yield Mark(one_line(mark.get_title()), page, min(mark.level + 1, 6))


def _published(told: str) -> str | None:
    match = _DATE.match(told)
    return parse_date("-".join(filter(None, match.groups()))) if match else None


def _language(document: Any) -> str | None:
    from pypdfium2 import raw

    buffer = (ctypes.c_ushort * _LANGUAGE_UNITS)()
    length = raw.FPDFCatalog_GetLanguage(document.raw, buffer, _LANGUAGE_UNITS)
    if not 0 < length <= _LANGUAGE_UNITS:
        return None
    return language_code("".join(map(chr, buffer[:length])).strip("\0"))

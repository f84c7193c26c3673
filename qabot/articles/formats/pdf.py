"""PDF: the lines of each page by PDFium, and what the document says about itself."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Draft, has_words, one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.pdf_drawing import is_picture, lines_of, rules_of
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
_MOST_NAMED = 20
_PICTURES = "pictures only; have their text recognised (OCR), if there is any"
_LOCKED = "encrypted; save it without a password"


def read_pdf(data: bytes) -> Draft:
    """Make a draft of a PDF, with where its pages begin.

    Raises:
        ArticleError: It is no PDF, damaged, encrypted or too long.
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
    lost = _Lost()
    lines, rules = zip(*_pages(document, lost), strict=True) if len(document) else ((), ())
    composed, pages = lay_out(lines, rules, list(_marks(document)))
    title = _told(document, "Title")
    return Draft(
        composed.text,
        composed.headings,
        title=None if not has_words(title) or _NO_TITLE.fullmatch(title) else title,
        author=_told(document, "Author") or None,
        published=_published(_told(document, "CreationDate")),
        language=_language(document),
        pages=tuple(pages),
        warnings=tuple(lost.warnings()),
    )


@dataclass(slots=True)
class _Lost:
    """The numbers of pages, from 1, whose text is not read."""

    damaged: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)

    def warnings(self) -> Iterator[str]:
        if self.damaged:
            yield f"{_named(self.damaged)} cannot be read; save it again"
        if self.pictures:
            yield f"{_named(self.pictures)}: {_PICTURES}"


def _named(numbers: Sequence[int]) -> str:
    """``_named([2, 4, 5, 6])`` → "pages 2, 4–6"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    name = "page" if len(numbers) == 1 else "pages"
    return f"{name} {', '.join('–'.join(map(str, run)) for run in runs[:_MOST_NAMED])}" + (
        " …" if len(runs) > _MOST_NAMED else ""
    )


def _pages(document: Any, lost: _Lost) -> Iterator[tuple[Page, Rules]]:
    """Read the lines of each page; numbers of those that cannot be read are added to ``lost``."""
    from pypdfium2 import PdfiumError

    characters = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except PdfiumError:
            lost.damaged.append(number + 1)
            yield [], Rules()
            continue
        characters += text_page.count_chars()
        if characters > MAX_CHARACTERS:
            raise ArticleError(f"holds more than {MAX_CHARACTERS} characters; split it")
        rules = rules_of(page)
        lines = list(lines_of(text_page, rules))
        if not lines and is_picture(page):
            lost.pictures.append(number + 1)
        yield lines, rules
        text_page.close()
        page.close()


def _marks(document: Any) -> Iterator[Mark]:
    from pypdfium2 import raw

    for number, mark in enumerate(document.get_toc()):
        if number == _MAX_MARKS:
            return
        target = mark.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            title = _text(lambda *into, mark=mark: raw.FPDFBookmark_GetTitle(mark.raw, *into))
            yield Mark(title, page, min(mark.level + 1, 6))


def _told(document: Any, name: str) -> str:
    """What the document says about itself."""
    from pypdfium2 import raw

    return _text(lambda *into: raw.FPDF_GetMetaText(document.raw, name.encode(), *into))


def _text(write: Callable[..., int]) -> str:
    """A text that PDFium writes, on one line; pypdfium2 would fail on half a character."""
    buffer = ctypes.create_string_buffer(write(None, 0))
    write(buffer, len(buffer))
    return one_line(buffer.raw[: max(0, len(buffer) - 2)].decode("utf-16-le", "replace"))


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

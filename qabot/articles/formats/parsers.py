"""One parser for each format: bytes → draft."""

from __future__ import annotations

from collections.abc import Callable

from qabot.articles.formats import Format
from qabot.articles.formats.decoding import decode
from qabot.articles.formats.delimited import read_delimited
from qabot.articles.formats.draft import Draft
from qabot.articles.formats.email import is_email, read_email
from qabot.articles.formats.html import read_html
from qabot.articles.formats.markdown import read_markdown
from qabot.articles.formats.notebook import notebook_as_markdown
from qabot.articles.formats.plain import read_plain
from qabot.articles.formats.restructured import read_restructured
from qabot.articles.formats.subtitles import read_subtitles
from qabot.text import described, printable_line

_TEXTS: dict[Format, Callable[[str], Draft]] = {
    "plain": read_plain,
    "markdown": read_markdown,
    "html": read_html,
    "delimited": read_delimited,
    "subtitles": read_subtitles,
    "restructured": read_restructured,
    "notebook": lambda text: read_markdown(notebook_as_markdown(text)),
}
_LONGEST_REASON = 200


def read_draft(file_format: Format, data: bytes) -> Draft:
    """Make a draft of a document.

    Raises:
        ArticleError: It is no such document, or damaged.
        MemoryError: It takes more memory than there is.
        Exception: A library has tripped over it, which ``why_damaged`` tells to a person.
    """
    # Messages are often kept as plain text.
    if file_format == "email" or (file_format == "plain" and is_email(data)):
        return read_email(data)
    if read_text := _TEXTS.get(file_format):
        return read_text(decode(data, markup=file_format == "html"))
    return _document_reader(file_format)(data)


def why_damaged(error: Exception) -> str:
    """Say what a library tripped over, on one line that fits an ``ArticleError``."""
    reason = described(error)[:_LONGEST_REASON]
    return printable_line(f"damaged: cannot be read ({reason}); save it again")


def _document_reader(file_format: Format) -> Callable[[bytes], Draft]:
    # One of these libraries is not needed for the others' documents.
    if file_format == "pdf":
        from qabot.articles.formats.pdf import read_pdf

        return read_pdf
    if file_format == "docx":
        from qabot.articles.formats.docx import read_docx

        return read_docx
    if file_format == "epub":
        from qabot.articles.formats.epub import read_epub

        return read_epub
    if file_format == "pptx":
        from qabot.articles.formats.slides import read_slides

        return read_slides
    if file_format == "xlsx":
        from qabot.articles.formats.sheets import read_sheets

        return read_sheets
    from qabot.articles.formats.odt import read_odt

    return read_odt

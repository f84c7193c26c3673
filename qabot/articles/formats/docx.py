"""Office Open XML text (DOCX): mammoth makes HTML of it, by its styles."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

from qabot.articles.formats.archive import Archive
from qabot.articles.formats.blocks import blocks_of
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Draft, compose, one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.xhtml import XHTML
from qabot.articles.formats.xml import parse_xml, refuse_entities
from qabot.errors import ArticleError

_KIND = "a DOCX document"
_DOCUMENT, _PROPERTIES = "word/document.xml", "docProps/core.xml"
_DC, _TERMS = "{http://purl.org/dc/elements/1.1/}", "{http://purl.org/dc/terms/}"
# Beside mammoth's own, which knows headings by the names that their styles have in any language.
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name^='toc '] => !
p[style-name^='TOC '] => !
p[style-name^='Contents '] => !
"""
# To notes and back: numbers and arrows that are no words of the text.
_NOTE_MARKS = "//a[starts-with(@href, '#footnote-') or starts-with(@href, '#endnote-')]"


def read_docx(data: bytes) -> Draft:
    """Make a draft of a DOCX document; notes follow the text, comments and deletions are left out.

    Raises:
        ArticleError: It is no such document, damaged, encrypted or too large.
    """
    archive = Archive(data, _KIND)
    if _DOCUMENT not in archive:
        raise ArticleError(f"not {_KIND} (holds no text); save it as DOCX")
    for name in archive.names():
        # mammoth reads what it likes, and its parser would expand entities.
        refuse_entities(archive.read(name), name[:100])
    page = parse_xml(f"<body>{_html(data)}</body>".encode(), "its text", forgiving=True)
    for mark in page.xpath(_NOTE_MARKS):
        mark.clear(keep_tail=True)
    text, headings = compose(blocks_of(page, XHTML))
    properties = _properties(archive)
    return Draft(
        text,
        headings,
        title=properties.get(f"{_DC}title"),
        author=properties.get(f"{_DC}creator"),
        published=parse_date(properties.get(f"{_TERMS}created", "")),
        language=language_code(properties.get(f"{_DC}language", "")),
    )


def _html(data: bytes) -> str:
    # Imported late, and only in the process that reads documents.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mammoth

        logging.getLogger("mammoth").setLevel(logging.CRITICAL)
        result: Any = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_STYLES,
            # Neither styles of its own nor pictures, which may lie anywhere on this machine.
            include_embedded_style_map=False,
            convert_image=mammoth.images.img_element(lambda image: {}),
            external_file_access=False,
        )
    return str(result.value)


def _properties(archive: Archive) -> dict[str, str]:
    if _PROPERTIES not in archive:
        return {}
    root = parse_xml(archive.read(_PROPERTIES), _PROPERTIES)
    texts = ((child.tag, one_line(child.text or "")) for child in root)
    return {tag: text for tag, text in texts if isinstance(tag, str) and text}

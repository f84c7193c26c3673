"""Office Open XML text (DOCX): mammoth makes HTML of it, by its styles."""

from __future__ import annotations

import io
import logging
import warnings
from itertools import pairwise
from typing import Any

from qabot.articles.formats.archive import Archive
from qabot.articles.formats.blocks import blocks_of
from qabot.articles.formats.draft import Draft, compose
from qabot.articles.formats.list_numbers import number_items
from qabot.articles.formats.office import main_part, properties_of
from qabot.articles.formats.word_xml import plain_document
from qabot.articles.formats.xhtml import XHTML
from qabot.articles.formats.xml import parse_xml, refuse_entities
from qabot.errors import ArticleError

_KIND = "a DOCX document"
_DOCUMENT = "word/document.xml"
# Beside mammoth's own, which knows headings by the names that their styles have in any language.
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name^='toc '] => !
p[style-name^='TOC '] => !
p[style-name^='Contents '] => !
"""
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LONGEST_BOLD = 100
# To notes and back: numbers and arrows that are no words of the text.
_NOTE_MARKS = "//a[starts-with(@href, '#footnote-') or starts-with(@href, '#endnote-')]"


def read_docx(data: bytes) -> Draft:
    """Make a draft of a DOCX document; notes follow the text, comments and deletions are left out.

    Raises:
        ArticleError: It is no such document, damaged, encrypted or too large.
    """
    archive = Archive(data, _KIND)
    main = main_part(archive, _DOCUMENT)
    if main not in archive:
        raise ArticleError(f"not {_KIND} (holds no text); save it as DOCX")
    for name in archive.names():
        # mammoth reads what it likes, and its parser would expand entities.
        refuse_entities(archive.read(name), name[:100])
    plain = plain_document(archive, main)
    page = parse_xml(f"<body>{_html(plain)}</body>".encode(), "its text", forgiving=True)
    for mark in page.xpath(_NOTE_MARKS):
        mark.clear(keep_tail=True)
    _find_headings(page)
    number_items(page)
    text, headings = compose(blocks_of(page, XHTML))
    return Draft(text, headings, **properties_of(archive))


def _find_headings(page: Any) -> None:
    """Make headings of short bold lines above running text, where their style does not say it."""
    levels = [int(item.tag[1]) for item in page if item.tag in _HEADINGS]
    level = min(max(levels, default=1) + 1, 6)
    for line, following in pairwise(list(page)):
        text = "".join(line.itertext()).strip()
        bold = "".join(part for strong in line.iter("strong") for part in strong.itertext()).strip()
        if (
            line.tag == "p"
            and text == bold
            and 0 < len(text) <= _LONGEST_BOLD
            and not text.endswith((".", ",", ";", "!", "…", "。"))
            and following.tag in ("p", "ul", "ol", "table")
            and following.find("strong") is None
        ):
            line.tag = f"h{level}"


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

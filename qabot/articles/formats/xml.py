"""XML and HTML that may be hostile: no network, no entities but their own, bounded depth."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from qabot.articles.formats.decoding import decode
from qabot.articles.formats.draft import clean_characters
from qabot.errors import ArticleError
from qabot.text import first_line

if TYPE_CHECKING:
    from lxml.etree import XMLParser

_DECLARATION = "<!ENTITY"
_ENCODINGS = ("ascii", "utf-16-le", "utf-16-be")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
_DECLARED = re.compile(r"^\s*<\?xml\b[^<>]*\?>")
_EMPTY = re.compile(r"<([A-Za-z][\w:.-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)/>")
# These are empty in HTML, too.
_VOID = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
    )
)
_OWN_ENTITIES = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})


def parse_xml(data: bytes, name: str, *, forgiving: bool = False) -> Any:
    """The root element of an XML document.

    Args:
        data: What the file holds.
        name: What to call it in an error.
        forgiving: Read as much as can be made sense of; else it has to be well-formed.

    Raises:
        ArticleError: It is no XML, or declares entities.
    """
    from lxml import etree

    refuse_entities(data, name)
    try:
        root = etree.fromstring(data, _parser(forgiving=forgiving))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ArticleError(
            f"damaged: {name} is not valid XML ({first_line(error)}); save it again"
        ) from error
    if root is None:
        raise ArticleError(f"damaged: {name} holds nothing; save it again")
    return root


def refuse_entities(data: bytes, name: str) -> None:
    """Refuse XML that declares entities, by which little text becomes much, or that of other files.

    Raises:
        ArticleError: It does.
    """
    if any(_DECLARATION.encode(encoding) in data for encoding in _ENCODINGS):
        raise ArticleError(
            f"{name} declares XML entities, which are not read; save it again without them"
        )


def parse_xhtml(data: bytes, name: str) -> Any:
    """The root element of a page in XHTML, with tags as HTML knows them, without namespace.

    What is not well-formed is read as HTML, as browsers would: a parser of XML loses what it
    cannot make sense of.

    Raises:
        ArticleError: It is no text, declares entities, or is nested too deeply.
    """
    from lxml import etree

    refuse_entities(data, name)
    try:
        # HTML's entities are declared in a file that is not fetched.
        root = etree.fromstring(_ENTITY.sub(_character, data), _parser(forgiving=False))
    except (etree.XMLSyntaxError, ValueError):
        try:
            text = decode(data, markup=True)
            return parse_html(_EMPTY.sub(_opened_and_closed, _DECLARED.sub("", text, count=1)))
        except ArticleError as error:
            raise ArticleError(f"{name}: {error}") from error
    for element in root.iter("{http://www.w3.org/1999/xhtml}*"):
        element.tag = element.tag.rpartition("}")[2].lower()
    return root


def parse_html(text: str) -> Any:
    """The root element of a page of HTML, or of what stands in its body.

    Raises:
        ArticleError: It is nested too deeply.
    """
    from lxml import html

    parser = html.HTMLParser(huge_tree=True)
    page = html.document_fromstring(f"<html><body>{clean_characters(text)}", parser=parser)
    # What lies too deep is left out, and so is all that follows it.
    if any(fault.type_name == "ERR_RESOURCE_LIMIT" for fault in parser.error_log):
        raise ArticleError("nested too deeply; write it with fewer levels")
    return page


def _opened_and_closed(match: re.Match[str]) -> str:
    """An element without content; in HTML, most would go on to the end of the page."""
    name, attributes = match.groups()
    return match[0] if name.lower() in _VOID else f"<{name}{attributes}></{name}>"


def _character(match: re.Match[bytes]) -> bytes:
    name = match[1]
    meant = html.unescape(f"&{name.decode()};")
    if name in _OWN_ENTITIES or meant.startswith("&"):
        return match[0]
    return "".join(f"&#{ord(character)};" for character in meant).encode()


def _parser(*, forgiving: bool) -> XMLParser:
    from lxml import etree

    return etree.XMLParser(
        recover=forgiving,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )

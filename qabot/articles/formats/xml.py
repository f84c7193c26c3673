"""XML that may be hostile: no network, no entities but XML's own, bounded depth."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from qabot.errors import ArticleError
from qabot.text import first_line

if TYPE_CHECKING:
    from lxml.etree import XMLParser

_DECLARATION = "<!ENTITY"
_ENCODINGS = ("ascii", "utf-16-le", "utf-16-be")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
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

    Raises:
        ArticleError: As ``parse_xml``.
    """
    # HTML's entities are declared in a file that is not fetched.
    root = parse_xml(_ENTITY.sub(_character, data), name, forgiving=True)
    for element in root.iter("{http://www.w3.org/1999/xhtml}*"):
        element.tag = element.tag.rpartition("}")[2].lower()
    return root


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

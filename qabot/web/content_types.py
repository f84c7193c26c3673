"""Tell what a response contains, by its first bytes and, if these leave it open, by its type."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal, get_args

from qabot.articles import DOCUMENTS, FORMATS, Document, Format
from qabot.web.bodies import PDF, ZIP

Listing = Literal["sitemap", "sitemap index", "feed"]
Kind = Format | Listing
LISTINGS: frozenset[str] = frozenset(get_args(Listing))

_HEAD = 65_536
# May precede the first element of a document.
_PROLOG = re.compile(
    r"\s+ | <\?.*?\?> | <!--.*?-->"
    r"| <!doctype (?: [^\[>\"'] | \"[^\"]*\" | '[^']*' | \[ [^\]]* \] )* >",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_ROOTS: dict[str, Kind] = {
    "urlset": "sitemap",
    "sitemapindex": "sitemap index",
    "rss": "feed",
    "feed": "feed",
    "rdf": "feed",
    "html": "html",
}
_ODT = "application/vnd.oasis.opendocument.text"
_EPUB = "application/epub+zip"
_OFFICE: dict[str, Document] = {
    "wordprocessingml.document": "docx",
    "presentationml.presentation": "pptx",
    "spreadsheetml.sheet": "xlsx",
}
# The member of an archive that such a document cannot lack.
_MEMBERS: dict[bytes, Document] = {
    b"word/document.xml": "docx",
    b"ppt/presentation.xml": "pptx",
    b"xl/workbook.xml": "xlsx",
}
_DOCUMENT_TYPES: dict[str, Document] = {
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    **{
        f"application/vnd.openxmlformats-officedocument.{kind}": document
        for kind, document in _OFFICE.items()
    },
    _EPUB: "epub",
    _ODT: "odt",
}
# A PDF identifies itself within its first bytes (ISO 32000, annex H).
_PDF_WITHIN = 1024
# Offsets in a ZIP archive: the lengths of its first name and of the extra field, and the name.
_NAME_LENGTH, _EXTRA_LENGTH, _NAME = slice(26, 28), slice(28, 30), 30
_TYPES: dict[str, Kind] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "plain",
    "text/markdown": "markdown",
    "text/csv": "delimited",
    "text/tab-separated-values": "delimited",
    "text/vtt": "subtitles",
    "application/x-subrip": "subtitles",
    "text/x-rst": "restructured",
    "application/x-ipynb+json": "notebook",
    "message/rfc822": "email",
}
_JSON_FEED = re.compile(r'\s*\{.*"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org\\?/', re.DOTALL)
# Servers that know no type of a file say one of these.
_ANY_TYPE = ("", "application/octet-stream", "binary/octet-stream", "application/unknown")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_LLMS = re.compile(r"/llms(?:-\w+)*\.txt$")
_NOTHING = "not a page, document, sitemap or feed"


def kind_of(body: bytes, declared: str, address: str = "") -> Kind:
    """Return the kind of a body.

    Args:
        declared: Its media type as the server declares it, in lower case.
        address: Where it was read from, for what neither of these tells.

    Raises:
        ValueError: It is nothing that qabot reads; the text says what it is.
    """
    document = _DOCUMENT_TYPES.get(declared)
    if body.startswith(PDF):
        return "pdf"
    if body.startswith(ZIP):
        return _packed_document(body, declared)
    head = _head(body)
    if re.match(r"\s*<!doctype\s+html", head, re.IGNORECASE):
        return "html"
    start = 0
    while found := _PROLOG.match(head, start):
        start = found.end()
    root = _ROOT.match(head, start)
    kind = _ROOTS.get(root[1].lower()) if root else None
    kind = kind or _text_kind(head, declared, address)
    if kind is None and document == "pdf" and PDF in body[:_PDF_WITHIN]:
        return "pdf"
    if kind is None and document:
        raise ValueError(f"is declared as {declared}, but is not a {document.upper()} document")
    if kind is None:
        raise ValueError(f"is {declared or 'of no declared type'}, {_NOTHING}")
    return kind


def _text_kind(head: str, declared: str, address: str) -> Kind | None:
    """Return the kind of a text that is not XML."""
    if _JSON_FEED.match(head):
        return "feed"
    path = address.partition("?")[0].lower()
    named = FORMATS.get(PurePosixPath(path).suffix)
    named = None if named in DOCUMENTS else named
    kind = _TYPES.get(declared) or (
        named if declared in _ANY_TYPE or declared.startswith("text/") else None
    )
    if kind not in ("plain", "markdown"):
        return kind
    if path.endswith("/llms.txt") and "](" in head:
        return "sitemap"
    if _LLMS.search(path):
        return "markdown"
    # The last line of the beginning may be cut off.
    lines = head.split("\n")
    return "sitemap" if _names_pages(lines[:-1] if len(head) >= _HEAD else lines) else named or kind


def _names_pages(lines: list[str]) -> bool:
    """Tell whether each line is an address, but for comments."""
    told = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    return bool(told) and all(map(_ADDRESS.fullmatch, told))


def _packed_document(body: bytes, declared: str) -> Kind:
    """Return the kind of document in a ZIP archive, without unpacking it.

    Raises:
        ValueError: It is no document.
    """
    # E-books and OpenDocument begin with their type, uncompressed.
    name = _NAME + int.from_bytes(body[_NAME_LENGTH], "little")
    start = name + int.from_bytes(body[_EXTRA_LENGTH], "little")
    for media in (_EPUB, _ODT):
        if body[_NAME:name] == b"mimetype" and body.startswith(media.encode(), start):
            return _DOCUMENT_TYPES[media]
    if b"[Content_Types].xml" in body:
        for member, kind in _MEMBERS.items():
            if member in body:
                return kind
    document = _DOCUMENT_TYPES.get(declared)
    if document and document != "pdf":
        return document
    raise ValueError(f"is {declared or 'of no declared type'} and a ZIP archive, {_NOTHING}")


def _head(body: bytes) -> str:
    head = body[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8", "replace").removeprefix("\ufeff")

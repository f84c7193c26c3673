"""Books in EPUB: what the package says of the book, and its chapters in the order of reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qabot.articles.formats.archive import Archive, resolved
from qabot.articles.formats.blocks import blocks_of
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Block, Draft, compose, has_words, one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.list_numbers import number_items
from qabot.articles.formats.xhtml import XHTML
from qabot.articles.formats.xml import parse_xhtml, parse_xml
from qabot.errors import ArticleError

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_OPF, _DC = "{http://www.idpf.org/2007/opf}", "{http://purl.org/dc/elements/1.1/}"
_PAGES = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")
_AGAIN = "save it again"


def read_epub(data: bytes) -> Draft:
    """Make a draft of a book: its chapters, without its table of contents.

    Raises:
        ArticleError: It is no such book, damaged, copy-protected or too large.
    """
    archive = Archive(data, "an EPUB book")
    name = _package_name(archive)
    package = parse_xml(archive.read(name), name[:100])
    unread: list[str] = []
    chapters = list(dict.fromkeys(_chapters(package, name, unread)))
    _refuse_protected(archive, chapters)
    text, headings = compose(_blocks(archive, chapters, unread))
    if unread and not has_words(text):
        raise ArticleError(unread[0])
    return Draft(
        text,
        headings,
        title=_field(package, "title"),
        author=", ".join(_fields(package, "creator")) or None,
        published=_published(package),
        language=language_code(_field(package, "language") or ""),
        warnings=tuple(unread),
    )


def _package_name(archive: Archive) -> str:
    if _CONTAINER not in archive:
        raise ArticleError(f"not an EPUB book (holds no {_CONTAINER}); {_AGAIN}")
    container = parse_xml(archive.read(_CONTAINER), _CONTAINER)
    for element in container.iter("{*}rootfile"):
        name = resolved("", element.get("full-path", ""))
        if name in archive:
            return name
    raise ArticleError(f"damaged: {_CONTAINER} names no file that is there; {_AGAIN}")


def _chapters(package: Any, name: str, unread: list[str]) -> Iterator[str]:
    """The names of the members with the book's text, in order, each once.

    Those of a kind that is not read, pictures aside, are added to ``unread``.
    """
    items = {item.get("id"): item for item in package.iter(f"{_OPF}item")}
    spine = [items.get(mark.get("idref")) for mark in package.iter(f"{_OPF}itemref")]
    for item in dict.fromkeys(spine):
        found = _readable(item, items)
        if found is not None and "nav" not in found.get("properties", "").split():
            yield resolved(name, found.get("href", ""))
        elif found is None and item is not None and not _is_picture(item):
            kind = one_line(item.get("media-type", ""))[:100] or "no kind"
            chapter = one_line(item.get("href", ""))[:100]
            unread.append(f"{chapter} is {kind}, which is not read; save it as XHTML")


def _readable(item: Any, items: Mapping[str | None, Any]) -> Any:
    """``item``, or what stands for it where a program does not know its kind; ``None`` if none."""
    seen = list[Any]()
    while item is not None and item not in seen:
        if item.get("media-type") in _PAGES:
            return item
        seen.append(item)
        item = items.get(item.get("fallback"))
    return None


def _is_picture(item: Any) -> bool:
    return str(item.get("media-type", "")).startswith("image/")


def _refuse_protected(archive: Archive, chapters: list[str]) -> None:
    if _ENCRYPTION not in archive:
        return
    root = parse_xml(archive.read(_ENCRYPTION), _ENCRYPTION)
    # Fonts are often scrambled, which does not matter here.
    hidden = {resolved("", item.get("URI", "")) for item in root.iter("{*}CipherReference")}
    if hidden.intersection(chapters):
        raise ArticleError("copy-protected; its text cannot be read")


def _blocks(archive: Archive, chapters: list[str], unread: list[str]) -> Iterator[Block]:
    """The blocks of all chapters; why some cannot be read is added to ``unread``."""
    if not chapters and not unread:
        raise ArticleError(f"damaged: its package names no chapter; {_AGAIN}")
    for chapter in chapters:
        try:
            yield from _read(archive, chapter)
        except ArticleError as error:
            unread.append(str(error))


def _read(archive: Archive, chapter: str) -> Sequence[Block]:
    page = parse_xhtml(archive.read(chapter), chapter[:100])
    number_items(page)
    try:
        return blocks_of(page, XHTML)
    except ArticleError as error:
        raise ArticleError(f"{chapter[:100]}: {error}") from error


def _fields(package: Any, name: str) -> list[str]:
    texts = (one_line("".join(element.itertext())) for element in package.iter(f"{_DC}{name}"))
    return [text for text in texts if text]


def _field(package: Any, name: str) -> str | None:
    return next(iter(_fields(package, name)), None)


def _published(package: Any) -> str | None:
    elements = list(package.iter(f"{_DC}date"))
    # The second version of the format has dates of several events.
    elements.sort(key=lambda element: element.get(f"{_OPF}event") not in ("publication", None))
    for element in elements:
        found = re.match(r"[0-9]{4}(-[0-9]{2}){0,2}", one_line(element.text or ""))
        if found and (published := parse_date(found[0])):
            return published
    return None

"""OpenDocument text (ODT): text of ``content.xml``, properties of ``meta.xml``.

Of the libraries for this format one is no longer kept and the other has its own tree of objects for
writing documents: what is read here is a walk that pages and books need as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qabot.articles.formats.archive import Archive, resolved
from qabot.articles.formats.blocks import Element, Role, Vocabulary, blocks_of
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Draft, compose, one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.odt_lists import ListNumbers
from qabot.articles.formats.xml import parse_xml
from qabot.errors import ArticleError

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _META, _DRAW = (f"{{{_OASIS}{name}:1.0}}" for name in ("office", "meta", "drawing"))
_TABLE, _TEXT, _STYLE = (f"{{{_OASIS}{name}:1.0}}" for name in ("table", "text", "style"))
_MATH = "{http://www.w3.org/1998/Math/MathML}math"
_HREF = "{http://www.w3.org/1999/xlink}href"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_ROLES: dict[str, Role] = {
    f"{_TEXT}h": "heading",
    f"{_TEXT}p": "line",
    f"{_TEXT}list": "list",
    f"{_TEXT}list-item": "block",
    f"{_TABLE}table": "table",
    f"{_TABLE}table-header-rows": "head",
    f"{_TABLE}table-row": "row",
    f"{_TABLE}table-cell": "cell",
    f"{_TABLE}covered-table-cell": "covered",
    f"{_TEXT}line-break": "break",
    f"{_TEXT}s": "blank",
    f"{_TEXT}tab": "blank",
    _MATH: "formula",
    # Deleted text, comments, and what repeats the text or describes it.
    **dict.fromkeys(
        (
            f"{_OFFICE}annotation",
            f"{_OFFICE}forms",
            f"{_TEXT}tracked-changes",
            f"{_TEXT}note",
            f"{_TEXT}table-of-content",
            f"{_TEXT}alphabetical-index",
            f"{_TEXT}sequence-decls",
            f"{_TEXT}bibliography-mark",
            "{http://www.w3.org/2000/svg}title",
            f"{_OASIS}svg-compatible:1.0}}desc",
        ),
        "nothing",
    ),
}


def read_odt(data: bytes) -> Draft:
    """Make a draft of an OpenDocument text; notes follow the text.

    Raises:
        ArticleError: It is no such document, damaged, encrypted or too large.
    """
    archive = Archive(data, "an ODT document")
    if _MANIFEST in archive and b"encryption-data" in archive.read(_MANIFEST):
        raise ArticleError("encrypted; save it without a password")
    content = parse_xml(archive.read(_CONTENT), _CONTENT)
    body = content.find(f"{_OFFICE}body/{_OFFICE}text")
    if body is None:
        raise ArticleError("not an ODT document (holds no text); save it as ODT")
    vocabulary = Vocabulary(
        _ROLES,
        _Levels(content),
        across=f"{_TABLE}number-columns-spanned",
        down=f"{_TABLE}number-rows-spanned",
        repeated=f"{_TABLE}number-columns-repeated",
    )
    ListNumbers(*_styles(archive), content).write(body)
    unread = _place_formulas(archive, body)
    blocks = list(blocks_of(body, vocabulary))
    for note in body.iter(f"{_TEXT}note-body"):
        blocks += blocks_of(note, vocabulary)
    text, headings = compose(blocks)
    fields = _fields(archive)
    return Draft(
        text,
        headings,
        title=_first(fields, f"{_DC}title"),
        author=_first(fields, f"{_META}initial-creator", f"{_DC}creator"),
        published=parse_date(_first(fields, f"{_META}creation-date", f"{_DC}date") or ""),
        language=language_code(_first(fields, f"{_DC}language") or ""),
        warnings=unread,
    )


def _place_formulas(archive: Archive, body: Any) -> tuple[str, ...]:
    """Put each formula, which is a document of its own, where it is shown; return what is unread.

    One that is shown several times is placed once, as a hostile document may show it a million
    times.
    """
    unread: list[str] = []
    placed: set[str] = set()
    for shown in [*body.iter(f"{_DRAW}object")]:
        name = resolved(_CONTENT, f"{shown.get(_HREF, '')}/{_CONTENT}")
        if name in placed or name not in archive or name == _CONTENT:
            continue
        placed.add(name)
        try:
            root = parse_xml(archive.read(name), name[:100])
        except ArticleError as error:
            unread.append(str(error))
            continue
        if root.tag == _MATH:
            shown.append(root)
    return tuple(unread)


class _Levels:
    """The levels of headings, and of paragraphs in the style of a title.

    Args:
        content: The root of ``content.xml``, whose styles inherit from named ones.
    """

    def __init__(self, content: Any) -> None:
        self._titles = {"Title"}
        for style in content.iter(f"{_STYLE}style"):
            if style.get(f"{_STYLE}parent-style-name") == "Title":
                self._titles.add(style.get(f"{_STYLE}name", ""))

    def __call__(self, element: Element) -> int | None:
        if element.tag == f"{_TEXT}h":
            level = element.get(f"{_TEXT}outline-level", "")
            return min(max(int(level), 1), 6) if level.isdecimal() and len(level) < 3 else 2
        return 1 if element.get(f"{_TEXT}style-name", "") in self._titles else None


def _styles(archive: Archive) -> list[Any]:
    """What the document's styles are made from; text without them is text all the same."""
    try:
        return [parse_xml(archive.read("styles.xml"), "styles.xml")]
    except ArticleError:
        return []


def _fields(archive: Archive) -> dict[str, str]:
    if "meta.xml" not in archive:
        return {}
    root = parse_xml(archive.read("meta.xml"), "meta.xml")
    return dict(_texts(root))


def _texts(root: Any) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        if isinstance(element.tag, str) and element.text:
            yield element.tag, one_line(element.text)


def _first(fields: dict[str, str], *names: str) -> str | None:
    return next((fields[name] for name in names if fields.get(name)), None)

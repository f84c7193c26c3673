"""Read the properties of Office Open XML documents, and find their parts."""

from __future__ import annotations

import re
from typing import TypedDict

from qabot.articles.formats.archive import Archive, resolved
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import one_line
from qabot.articles.formats.language import language_code
from qabot.articles.formats.xml import parse_xml

_PROPERTIES, _RELATIONS = "docProps/core.xml", "_rels/.rels"
# What PowerPoint writes where nobody has named the presentation, in its languages.
_NO_TITLE = re.compile(
    r"powerpoint[- ]pr[äe]sentation|pr[ée]s\w+(?: standard)?(?: d[ei])? powerpoint|slide 1"
    r"|apresentação do powerpoint|powerpoint (?:プレゼンテーション|演示文稿|簡報)",
    re.IGNORECASE,
)
_DC, _TERMS = "{http://purl.org/dc/elements/1.1/}", "{http://purl.org/dc/terms/}"


class Properties(TypedDict):
    """Fields of a ``Draft``."""

    title: str | None
    author: str | None
    published: str | None
    language: str | None


def properties_of(archive: Archive) -> Properties:
    """Read a document's properties; those that cannot be read are left out.

    Raises:
        ArticleError: It is damaged or hostile.
    """
    told: dict[str, str] = {}
    if _PROPERTIES in archive:
        root = parse_xml(archive.read(_PROPERTIES), _PROPERTIES)
        texts = ((child.tag, one_line(child.text or "")) for child in root)
        told = {tag: text for tag, text in texts if isinstance(tag, str) and text}
    title = told.get(f"{_DC}title")
    return Properties(
        title=None if title and _NO_TITLE.fullmatch(title) else title,
        author=told.get(f"{_DC}creator"),
        published=parse_date(told.get(f"{_TERMS}created", "")),
        language=language_code(told.get(f"{_DC}language", "")),
    )


def main_part(archive: Archive, usual: str) -> str:
    """The name of the part that holds the document itself, as the package's relations tell it.

    Args:
        usual: Its name where they don't.
    """
    if _RELATIONS in archive:
        for item in parse_xml(archive.read(_RELATIONS), _RELATIONS):
            target = resolved("", item.get("Target", "").lstrip("/"))
            if item.get("Type", "").endswith("/officeDocument") and target in archive:
                return target
    return usual

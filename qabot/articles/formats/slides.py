"""Slides (PPTX): the text of each slide in its order, tables with their columns, and the notes."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname, join
from typing import Any

from qabot.articles.formats.archive import Archive, resolved
from qabot.articles.formats.blocks import Role, Vocabulary, blocks_of
from qabot.articles.formats.draft import Block, Draft, compose, one_line
from qabot.articles.formats.office import properties_of
from qabot.articles.formats.xml import parse_xml
from qabot.errors import ArticleError

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MAIN = "ppt/presentation.xml"
_MOST_SLIDES = 5_000
_ROLES: dict[str, Role] = {
    f"{_A}p": "line",
    f"{_A}br": "break",
    f"{_A}tbl": "table",
    f"{_A}tr": "row",
    f"{_A}tc": "cell",
    f"{_P}txBody": "block",
    f"{_P}sp": "block",
    f"{_A}fld": "nothing",
    f"{_P}extLst": "nothing",
}
_VOCABULARY = Vocabulary(_ROLES, lambda _: None, across="gridSpan", down="rowSpan")
_TITLES = ("title", "ctrTitle")


def read_slides(data: bytes) -> Draft:
    """Make a draft of slides; titles are headings, and each slide is a page.

    Raises:
        ArticleError: It is no such document, damaged, encrypted or too large.
    """
    archive = Archive(data, "a PPTX presentation")
    if _MAIN not in archive:
        raise ArticleError("not a PPTX presentation (holds no slides); save it as PPTX")
    blocks: list[Block] = []
    for name in list(_slides(archive))[:_MOST_SLIDES]:
        blocks += _slide(archive, name)
    text, headings = compose(blocks)
    return Draft(text, headings, **properties_of(archive))


def _slides(archive: Archive) -> Iterator[str]:
    """The names of the slides, in their order."""
    targets = _targets(archive, _MAIN)
    for item in parse_xml(archive.read(_MAIN), _MAIN).iter(f"{_P}sldId"):
        name = targets.get(item.get(f"{_R}id", ""), "")
        if name in archive:
            yield name


def _targets(archive: Archive, part: str) -> dict[str, str]:
    """Map the ids of a part's relations to the parts that they lead to."""
    name = join(dirname(part), "_rels", f"{part.rpartition('/')[2]}.rels")
    if name not in archive:
        return {}
    relations = parse_xml(archive.read(name), name[:100])
    return {item.get("Id", ""): resolved(part, item.get("Target", "")) for item in relations}


def _slide(archive: Archive, name: str) -> Iterator[Block]:
    root = parse_xml(archive.read(name), name[:100])
    for covered in [*root.iter(f"{_A}tc")]:
        if covered.get("hMerge") == "1" or covered.get("vMerge") == "1":
            covered.getparent().remove(covered)
    for shape in root.iter(f"{_P}sp"):
        kind = next(shape.iter(f"{_P}ph"), None)
        if kind is not None and kind.get("type") in _TITLES:
            yield Block(one_line(" ".join(_texts(shape))), level=2)
            shape.getparent().remove(shape)
            break
    yield from blocks_of(root, _VOCABULARY)
    for notes in _targets(archive, name).values():
        if "notesSlide" in notes and notes in archive:
            yield from _notes(parse_xml(archive.read(notes), notes[:100]))


def _notes(root: Any) -> Iterator[Block]:
    for shape in root.iter(f"{_P}sp"):
        kind = next(shape.iter(f"{_P}ph"), None)
        if kind is not None and kind.get("type") == "body":
            yield from blocks_of(shape, _VOCABULARY)


def _texts(shape: Any) -> Iterator[str]:
    for element in shape.iter(f"{_A}t", f"{_A}br"):
        yield element.text or ""

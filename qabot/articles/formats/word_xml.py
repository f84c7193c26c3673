"""The XML of a DOCX document, made plain: what its reader does not know becomes what it knows."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from qabot.articles.formats.archive import Archive
from qabot.articles.formats.formulas import formula_text
from qabot.articles.formats.xml import parse_xml

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def plain_document(archive: Archive, main: str) -> bytes:
    """A DOCX document with the same text, without pictures.

    Args:
        main: The name of the part that holds the document itself.

    Raises:
        ArticleError: It is damaged or hostile.
    """
    from lxml import etree

    root = parse_xml(archive.read(main), main[:100])
    _plain(root)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as written:
        for name in archive.names():
            if name == main:
                written.writestr(name, etree.tostring(root))
            elif name.endswith((".xml", ".rels")):
                written.writestr(name, archive.read(name))
    return out.getvalue()


def _plain(root: Any) -> None:
    from lxml import etree

    for formula in [*root.iter(f"{_M}oMath")]:
        run = etree.SubElement(formula, f"{_W}r")
        etree.SubElement(run, f"{_W}t").text = formula_text(formula)
        formula.getparent().replace(formula, run)
    # A field's value; the frame of formulas on a line of their own.
    etree.strip_tags(root, f"{_W}fldSimple", f"{_M}oMathPara")
    for paragraph in [*root.iter(f"{_W}p")]:
        _put_boxes_after(paragraph)
    for frame in [*root.iter(f"{_W}framePr")]:
        if frame.get(f"{_W}dropCap") in ("drop", "margin"):
            _join_drop_cap(frame)


def _put_boxes_after(paragraph: Any) -> None:
    """Text boxes of drawings behind the paragraph that they are anchored in."""
    after = paragraph
    for box in paragraph.xpath(".//*[local-name() = 'txbx']/*"):
        for fallback in next(box.iterancestors(f"{_MC}AlternateContent"), ()):
            # The same box once more, for older programs.
            if fallback.tag == f"{_MC}Fallback":
                fallback.getparent().remove(fallback)
        for inner in list(box):
            after.addnext(inner)
            after = inner


def _join_drop_cap(frame: Any) -> None:
    """The large first letter of a paragraph, which stands in one of its own, back into it."""
    cap = next(frame.iterancestors(f"{_W}p"), None)
    following = None if cap is None else cap.getnext()
    if cap is None or following is None or following.tag != f"{_W}p":
        return
    place = 1 if following.find(f"{_W}pPr") is not None else 0
    for run in reversed(cap.findall(f"{_W}r")):
        following.insert(place, run)
    cap.getparent().remove(cap)

"""Small documents of each format, made by the tests themselves."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Members = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Line:
    """A line of a PDF's page: points from the left and from the bottom, and the font's size."""

    text: str
    y: float
    x: float = 72
    size: float = 11


def lines(*texts: str, top: float = 720, x: float = 72, size: float = 11) -> list[Line]:
    """Lines of running text below each other; an empty one is a gap."""
    return [Line(text, top - 1.2 * size * row, x, size) for row, text in enumerate(texts) if text]


def pdf(
    *pages: Sequence[Line],
    info: Mapping[str, str] | None = None,
    outline: Sequence[tuple[str, int]] = (),
    language: str = "",
    extra: Mapping[int, bytes] | None = None,
) -> bytes:
    """A PDF with one font.

    Args:
        outline: Titles of bookmarks, each with its page from 0.
        extra: Number → body of further objects, which may stand for ours.
    """
    first_page, first_mark = 5, 5 + 2 * len(pages)
    marks = [f"{first_mark + n} 0 R" for n in range(len(outline))]
    kids = " ".join(f"{first_page + 2 * n} 0 R" for n in range(len(pages)))
    catalogue = "<< /Type /Catalog /Pages 2 0 R"
    catalogue += f" /Lang {_string(language)}" if language else ""
    catalogue += " /Outlines 4 0 R" if outline else ""
    objects = {
        1: f"{catalogue} >>".encode(),
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: f"<< /First {marks[0]} /Last {marks[-1]} /Count {len(marks)} >>".encode()
        if marks
        else b"null",
    }
    for number, page in enumerate(pages):
        content = b"".join(map(_drawn, page))
        objects[first_page + 2 * number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R "
            b">> /XObject << /X 900 0 R >> >> /Contents %d 0 R >>" % (first_page + 2 * number + 1)
        )
        objects[first_page + 2 * number + 1] = stream(content)
    for number, (title, page) in enumerate(outline):
        following = f" /Next {marks[number + 1]}" if number + 1 < len(marks) else ""
        objects[first_mark + number] = (
            f"<< /Title {_string(title)} /Parent 4 0 R{following} "
            f"/Dest [{first_page + 2 * page} 0 R /Fit] >>"
        ).encode()
    fields = "".join(f" /{name} {_string(value)}" for name, value in (info or {}).items())
    objects[first_mark + len(outline)] = f"<<{fields} >>".encode()
    return _written({**objects, **(extra or {})}, first_mark + len(outline))


def stream(content: bytes, fields: bytes = b"") -> bytes:
    """The body of a PDF's object with ``content``."""
    return b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(content), fields, content)


def _drawn(line: Line) -> bytes:
    text = line.text.encode("cp1252").replace(b"\\", b"\\\\")
    text = text.replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /F %.2f Tf %.2f %.2f Td (%s) Tj ET\n" % (line.size, line.x, line.y, text)


def _string(text: str) -> str:
    return f"<{(b'%s' % chr(0xFEFF).encode('utf-16-be') + text.encode('utf-16-be')).hex()}>"


def _written(objects: Mapping[int, bytes], info: int) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (max(places) + 1, info))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()

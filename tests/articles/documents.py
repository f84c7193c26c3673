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
    """A line of a PDF's page: points from the left and from the bottom, and the font's size.

    ``upright`` turns it by a quarter, as beside the text.
    """

    text: str
    y: float
    x: float = 72
    size: float = 11
    upright: bool = False


@dataclass(frozen=True)
class Stroke:
    """A straight line that is drawn on a PDF's page."""

    x: float
    y: float
    to_x: float
    to_y: float


def lines(*texts: str, top: float = 720, x: float = 72, size: float = 11) -> list[Line]:
    """Lines of running text below each other; an empty one is a gap."""
    return [Line(text, top - 1.2 * size * row, x, size) for row, text in enumerate(texts) if text]


def pdf(
    *pages: Sequence[Line | Stroke],
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
    for number, (title, place) in enumerate(outline):
        following = f" /Next {marks[number + 1]}" if number + 1 < len(marks) else ""
        objects[first_mark + number] = (
            f"<< /Title {_string(title)} /Parent 4 0 R{following} "
            f"/Dest [{first_page + 2 * place} 0 R /Fit] >>"
        ).encode()
    fields = "".join(f" /{name} {_string(value)}" for name, value in (info or {}).items())
    objects[first_mark + len(outline)] = f"<<{fields} >>".encode()
    return _written({**objects, **(extra or {})}, first_mark + len(outline))


def stream(content: bytes, fields: bytes = b"") -> bytes:
    """The body of a PDF's object with ``content``."""
    return b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(content), fields, content)


def _drawn(line: Line | Stroke) -> bytes:
    if isinstance(line, Stroke):
        return b"%.2f %.2f m %.2f %.2f l S\n" % (line.x, line.y, line.to_x, line.to_y)
    text = line.text.encode("cp1252").replace(b"\\", b"\\\\")
    text = text.replace(b"(", b"\\(").replace(b")", b"\\)")
    turned = b"0 1 -1 0" if line.upright else b"1 0 0 1"
    return b"BT /F %.2f Tf %s %.2f %.2f Tm (%s) Tj ET\n" % (line.size, turned, line.x, line.y, text)


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


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PROPERTIES = """<cp:coreProperties
 xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">%s</cp:coreProperties>"""


def word_paragraph(text: str, style: str = "") -> str:
    """A paragraph of a DOCX in the style of that id."""
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def docx(body: str, properties: str = "", extra: Members | None = None) -> bytes:
    """A DOCX document; headings have the ids that a German Word gives them.

    Args:
        body: Elements of ``w:body``.
        properties: Elements of the core properties.
    """
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{identifier}"><w:name w:val="{name}"/></w:style>'
        for identifier, name in (
            ("Titel", "Title"),
            ("berschrift1", "heading 1"),
            ("berschrift2", "heading 2"),
            ("Verzeichnis1", "toc 1"),
        )
    )
    members = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="r1" Type="{_RELATION}/officeDocument" '
        'Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        f'package/2006/relationships"><Relationship Id="r1" Type="{_RELATION}/styles" '
        f'Target="styles.xml"/><Relationship Id="r2" Type="{_RELATION}/footnotes" '
        'Target="footnotes.xml"/></Relationships>',
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
        "word/footnotes.xml": f'<w:footnotes {_W}><w:footnote w:id="1">'
        f"{word_paragraph('Said in passing.')}</w:footnote></w:footnotes>",
        "docProps/core.xml": _PROPERTIES % properties,
    }
    return zipped({**members, **(extra or {})})


def epub(
    chapters: Mapping[str, str],
    metadata: str = "",
    spine: Sequence[str] | None = None,
    extra: Members | None = None,
) -> bytes:
    """An EPUB book.

    Args:
        chapters: Names of files → what their ``body`` holds.
        metadata: Elements of the package's ``metadata``.
        spine: Names of the files in the order of reading; all in theirs where not given.
    """
    items = "".join(
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters
    )
    order = "".join(f'<itemref idref="{name}"/>' for name in (spine or chapters))
    pages = {
        f"OEBPS/{name}": '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>'
        f"<body>{content}</body></html>"
        for name, content in chapters.items()
    }
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
        'container"><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        "OEBPS/content.opf": '<package xmlns="http://www.idpf.org/2007/opf">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:opf="http://www.idpf.org/2007/opf">{metadata}</metadata><manifest>{items}'
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        f"</manifest><spine>{order}</spine></package>",
        **pages,
    }
    return zipped({**members, **(extra or {})})


def odt(
    body: str, meta: str = "", prolog: str = "", styles: str = "", extra: Members | None = None
) -> bytes:
    """An OpenDocument text.

    Args:
        body: Elements of ``office:text``.
        meta: Elements of ``office:meta``.
        prolog: What stands before the content's root.
        styles: Elements of ``office:automatic-styles``.
    """
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "style", "meta")
    )
    names += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    members = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"{prolog}<office:document-content{names}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>",
        "meta.xml": f"<office:document-meta{names}><office:meta>{meta}</office:meta>"
        "</office:document-meta>",
    }
    return zipped({**members, **(extra or {})})


_SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_SPACES = f'xmlns:p="{_SLIDES}" xmlns:a="{_DRAWING}" xmlns:r="{_RELATION}"'


def shape(*paragraphs: str, kind: str = "") -> str:
    """A shape of a slide with text; ``kind`` is that of its placeholder."""
    placeholder = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>' if kind else ""
    lines = "".join(f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>" for text in paragraphs)
    return f"<p:sp>{placeholder}<p:txBody>{lines}</p:txBody></p:sp>"


def pptx(slides: Sequence[str], notes: str = "") -> bytes:
    """A PPTX presentation.

    Args:
        slides: The shapes of each slide.
        notes: The shapes of the first slide's notes.
    """
    count = len(slides)
    listed = "".join(f'<p:sldId id="{n + 256}" r:id="r{n}"/>' for n in range(count))
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATION}/slide" Target="slides/s{count - n}.xml"/>'
        for n in range(count)
    )
    members = {
        "ppt/presentation.xml": f"<p:presentation {_SPACES}><p:sldIdLst>{listed}</p:sldIdLst>"
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": f"<Relationships {_RELATIONS}>{relations}"
        "</Relationships>",
        f"ppt/slides/_rels/s{count}.xml.rels": f"<Relationships {_RELATIONS}><Relationship "
        f'Id="r1" Type="{_RELATION}/notesSlide" Target="../notesSlides/n.xml"/></Relationships>',
        "ppt/notesSlides/n.xml": f"<p:notes {_SPACES}>{notes}</p:notes>",
    }
    for number, content in enumerate(slides):
        members[f"ppt/slides/s{count - number}.xml"] = (
            f"<p:sld {_SPACES}><p:cSld><p:spTree>{content}</p:spTree></p:cSld></p:sld>"
        )
    return zipped(members)

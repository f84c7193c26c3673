"""Readers of articles, and the passages of what they read."""

from __future__ import annotations

import contextlib
import io
import json
import traceback
from dataclasses import replace
from functools import cache
from pathlib import Path

import openpyxl

import qabot
from fuzz.registry import is_line, target, text_of
from qabot.articles.formats import Format
from qabot.articles.formats.archive import MAX_MEMBER, Archive
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.decoding import decode
from qabot.articles.formats.draft import LONGEST_HEADING, Draft, has_words
from qabot.articles.formats.parsers import read_draft, why_damaged
from qabot.articles.formats.titles import title_of
from qabot.articles.formats.xml import parse_xhtml, parse_xml
from qabot.errors import ArticleError
from qabot.indexing.passages import split_article
from qabot.text import printable_line
from qabot.types import Article, ArticleInfo, Heading
from tests.articles.documents import (
    Line,
    Stroke,
    docx,
    epub,
    lines,
    odt,
    pdf,
    pptx,
    shape,
    word_paragraph,
    zipped,
)

_OWN = Path(qabot.__file__).parent
# Cells of tables that are not there are filled in, and between blocks stand blank lines.
_GROWTH, _ALLOWANCE = 8, 300_000
_KEPT_CONTROLS = frozenset("\n\t")
_PROSE = "The ferry did not run on Tuesday. Nobody was told why.\n\nIt was 12 m long."
_MARKDOWN = (
    "---\ntitle: Ferry\ndate: 2021-05-01\nlang: en\nauthor: [A, B]\nurl: https://a.org\n---\n"
    "# Ferry\n\n- one\n- *two*\n  1. three\n\n> quoted `code`\n\n|a|b|\n|-|-|\n|c|d|\n\n"
    "```\nverbatim\n```\n\nSetext\n===\n\n[a]: http://b\n\n[a] ![b](c) <br> &amp; \\* ~~x~~\n"
)
_HTML = (
    '<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Ferry</title>'
    '<meta property="article:published_time" content="2021-05-01"><link rel="canonical" '
    'href="https://a.org/b"></head><body><article><h1>Ferry</h1><p>The ferry did not run.</p>'
    "<ul><li>one<li>two</ul><table><tr><td>a<td>b</table><pre>x\n y</pre><p>a<br>b &amp; c</p>"
    "</article></body></html>"
)


def _check(file_format: Format, data: bytes) -> None:
    try:
        draft = read_draft(file_format, data)
    except ArticleError as error:
        assert is_line(str(error))
        return
    check_draft(draft, len(data))
    if has_words(draft.text):
        title = title_of(draft, draft.language or "en")
        assert 0 < len(title) <= LONGEST_HEADING
        check_passages(_article(draft, title))


def check_draft(draft: Draft, size: int) -> None:
    """See that a draft of ``size`` bytes keeps the promises of all readers."""
    text = draft.text
    assert text == text.strip()
    assert "\n\n\n" not in text
    assert not any(ord(c) < 32 and c not in _KEPT_CONTROLS for c in text)
    assert len(text) <= _GROWTH * size + _ALLOWANCE
    for told in (text, draft.title, draft.author, draft.url):
        assert told is None or told.encode() is not None
    for line in (draft.title, draft.author):
        assert line is None or (line == line.strip() and len(line.splitlines()) == 1)
    assert draft.published is None or parse_date(draft.published) == draft.published
    assert draft.language is None or len(draft.language) == 2
    assert draft.url is None or draft.url.lower().startswith(("http://", "https://"))
    assert list(draft.pages) == sorted(draft.pages)
    assert all(0 <= page <= len(text) for page in draft.pages)
    last = 0
    for heading in draft.headings:
        assert last <= heading.start < heading.end <= len(text)
        assert 1 <= heading.level <= 6
        shown = text[heading.start : heading.end]
        assert shown == shown.strip()
        assert "\n" not in shown
        assert len(shown) <= LONGEST_HEADING
        last = heading.end


def check_passages(article: Article) -> None:
    """See that passages and sentences are verbatim, in order, and leave out nothing but blanks."""
    last = 0
    for passage in split_article(article, lambda texts: [len(text) // 4 for text in texts]):
        assert passage.text == article.text[passage.start : passage.end]
        assert last <= passage.start < passage.end
        place = 0
        for start, end in passage.sentences:
            assert place <= start < end <= len(passage.text)
            place = end
        last = passage.end


def _article(draft: Draft, title: str) -> Article:
    info = ArticleInfo("a", title, "a.md", draft.url, draft.published, draft.language or "en")
    return Article(info, draft.text, draft.headings, None, draft.pages)


@target(
    _PROSE, "date 2021-05\nHeading\n\nProse that goes on. And on.\n\n1. one\n2. two", b"\xff\xfea\0"
)
def plain(data: bytes) -> None:
    """A file of plain text."""
    _check("plain", data)


@target(
    *(_MARKDOWN, _PROSE, "a|b\n-|-\n" * 3, "> - > 1. x\n" * 3, "![" * 9),
    "% Ferry\n% A; B\n\n+---+---+\n| a | b |\n+:==+===+\n| c<sup>2</sup> |\n+---+---+\n",
    '<Card\n  title="a <b>"\n  style={{ c: "d" }}\n/>\n\n![[e#^f]]',
)
def markdown(data: bytes) -> None:
    """A Markdown file."""
    _check("markdown", data)


@target(
    "title: a", "date: 2021-05\nlang: de-AT\nurl: https://a.org", "a: &a [x]\nauthor: *a", "{a: b}"
)
def front_matter(data: bytes) -> None:
    """The front matter of a Markdown file."""
    _check("markdown", b"---\n" + data + b"\n---\nText.")


@target(_HTML, "<p>One.<p>Two.", "<body><p>a<p>b<h2>c</h2></body>")
def html(data: bytes) -> None:
    """A page."""
    _check("html", data)


@target('"How long?","Two years."\nWho?,We.\n', "a;b\n1;2\n3;4\n", 'a\tb\n"c\n')
def delimited(data: bytes) -> None:
    """A table of values."""
    _check("delimited", data)


@target("1\n00:00:01,000 --> 00:00:02,500\n<i>One</i>\n\n2\n00:01:01,000 --> 00:01:02,000\nTwo.\n")
def subtitles(data: bytes) -> None:
    """Subtitles."""
    _check("subtitles", data)


@target(
    "Ferry\n=====\n\n:date: 2021\n\n.. note:: a\n\n* b [1]_\n\n.. [1] c\n",
    "=== ===\na   b\n=== ===\nc   d\n=== ===\n",
)
def restructured(data: bytes) -> None:
    """A file of reStructuredText."""
    _check("restructured", data)


@target('{"cells": [{"cell_type": "code", "source": ["a"], "outputs": [{"text": "b"}]}]}')
def notebook(data: bytes) -> None:
    """A notebook."""
    _check("notebook", data)


@target("From: A <a@b>\nSubject: =?utf-8?q?F?=\nDate: Tue, 14 May 2024 09:12 +0200\n\nText.\n")
def email(data: bytes) -> None:
    """A message."""
    _check("email", data)


@target(
    "Prose.", "Brücke".encode("cp1252"), "Мост".encode("koi8_r"), b'<meta charset="gbk">\xc4\xe3'
)
def decoding(data: bytes) -> None:
    """The encoding of a file."""
    for markup in (False, True):
        try:
            text = decode(data, markup=markup)
        except ArticleError as error:
            assert is_line(str(error))
            continue
        with contextlib.suppress(UnicodeDecodeError):
            # What is UTF-8 is nothing else, unless its first bytes, escapes or control characters
            # say so.
            marked = data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x1b$" in data
            if not marked and min(data, default=9) >= 9:
                assert text == data.decode("utf-8")


@target(
    pdf(lines("The ferry did not run.", "Nobody knew."), info={"Title": "F"}, outline=[("a", 0)])
)
def pdf_file(data: bytes) -> None:
    """A PDF."""
    _document("pdf", data)


@target(b"\x10\x20\x30\x05ab\x11\x20\x38\x05cd" * 4 + b"\0\x10\x20\x60" * 8)
def pdf_layout(data: bytes) -> None:
    """Lines and rules anywhere on two pages: each a kind, two places, a size or end, and text."""
    drawn: list[Line | Stroke] = []
    while len(data) >= 5:
        kind, x, y, size, *rest = data[:5]
        if kind:
            text = "".join(chr(byte % 95 + 32) for byte in data[4:6])
            drawn.append(Line(text, 3 * y, 2 * x, size % 40 + 1, upright=kind > 250))
        else:
            drawn.append(Stroke(2 * x, 3 * y, 2 * x + (size % 2) * rest[0], 3 * y + size // 2))
        data = data[6 if kind else 5 :]
    half = len(drawn) // 2
    _document("pdf", pdf(drawn[:half], drawn[half:]))


@target(docx(word_paragraph("The ferry.")), odt("<text:p>The ferry.</text:p>"), zipped({"a": b"b"}))
def archive(data: bytes) -> None:
    """A ZIP archive, member by member."""
    with contextlib.suppress(ArticleError):
        members = Archive(data, "an archive")
        for name in members.names():
            with contextlib.suppress(ArticleError):
                assert len(members.read(name)) <= MAX_MEMBER


@target(
    '<a xmlns="b"><c d="e">f</c></a>', "<p>&nbsp;&eacute;<b>x", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'
)
def xml(data: bytes) -> None:
    """XML and XHTML."""
    for parse in (parse_xml, parse_xhtml):
        with contextlib.suppress(ArticleError):
            text = "".join(map(str, parse(data, "it").itertext()))
            # No entity makes much of little.
            assert len(text) <= 4 * len(data)


_WORD = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    '<w:p><w:pPr><w:pStyle w:val="Titel"/></w:pPr><w:r><w:t>Ferry</w:t></w:r></w:p><w:tbl><w:tr>'
    "<w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p><w:r><w:br/><w:tab/>"
    '<w:footnoteReference w:id="1"/></w:r></w:p></w:body></w:document>'
)


@target(_WORD)
def docx_text(data: bytes) -> None:
    """The text of a DOCX document."""
    _document("docx", docx("", extra={"word/document.xml": data}), len(data))


_NOTES = (
    '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    f'<w:footnote w:id="2">{word_paragraph("A note.")}</w:footnote></w:footnotes>'
)


@target(Archive(docx(""), "").read("_rels/.rels"), _NOTES)
def docx_parts(data: bytes) -> None:
    """The relations of a DOCX document, and its footnotes."""
    text = word_paragraph("Text.")
    for name in ("_rels/.rels", "word/_rels/document.xml.rels", "word/footnotes.xml"):
        _document("docx", docx(text, extra={name: data}), len(data))


@target('<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>')
def docx_styles(data: bytes) -> None:
    """The styles of a DOCX document, and what it says of itself."""
    extra = {"word/styles.xml": data, "docProps/core.xml": data, "word/footnotes.xml": data}
    _document("docx", docx(word_paragraph("Text.", "Titel"), extra=extra), len(data))


@target("<h1>Ferry</h1><p>a<br/>b</p><ul><li>c</li></ul><table><tr><td>d</td></tr></table>")
def epub_chapter(data: bytes) -> None:
    """A chapter of a book."""
    _document("epub", epub({"a.xhtml": ""}, extra={"OEBPS/a.xhtml": data}), len(data))


@cache
def _package() -> bytes:
    return Archive(epub({"a": "<p>x</p>"}, "<dc:title>F</dc:title>"), "").read("OEBPS/content.opf")


@target(_package())
def epub_package(data: bytes) -> None:
    """The package of a book, and what leads to it."""
    for name in ("OEBPS/content.opf", "META-INF/container.xml", "META-INF/encryption.xml"):
        _document("epub", epub({"a": "<p>Text.</p>"}, extra={name: data}), len(data))


@target(
    Archive(odt('<text:h text:outline-level="2">F</text:h><text:p>a<text:s/>b</text:p>'), "").read(
        "content.xml"
    )
)
def odt_text(data: bytes) -> None:
    """The text of an OpenDocument."""
    _document("odt", odt("", extra={"content.xml": data}), len(data))
    _document("odt", odt("<text:p>Text.</text:p>", extra={"meta.xml": data}), len(data))


_PRESENTATION = (
    *("ppt/presentation.xml", "ppt/_rels/presentation.xml.rels"),
    *("ppt/slides/_rels/s1.xml.rels", "ppt/notesSlides/n.xml"),
)


@target(shape("Ferry", kind="title") + "<a:tbl><a:tr><a:tc/></a:tr></a:tbl>" + shape("a", "b"))
def pptx_slide(data: bytes) -> None:
    """A slide."""
    _document("pptx", pptx([data.decode("utf-8", "replace")]), len(data))


@target(*(Archive(pptx([shape("a")]), "").read(name) for name in _PRESENTATION))
def pptx_parts(data: bytes) -> None:
    """What leads to the slides, and to notes."""
    archive = Archive(pptx([shape("Text.")], shape("A note.", kind="body")), "")
    members = {name: archive.read(name) for name in archive.names()}
    for name in _PRESENTATION:
        _document("pptx", zipped({**members, name: data}), len(data))


@cache
def _workbook() -> dict[str, bytes]:
    book = openpyxl.Workbook()
    for row in (["a", "b"], ["c", 1]):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    members = Archive(out.getvalue(), "a workbook")
    return {name: members.read(name) for name in members.names()}


@target(_workbook()["xl/worksheets/sheet1.xml"], _workbook()["xl/workbook.xml"])
def xlsx_sheet(data: bytes) -> None:
    """A sheet of a workbook, and the workbook itself."""
    for name in ("xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        _document("xlsx", zipped({**_workbook(), name: data}), len(data))


def _document(file_format: Format, data: bytes, size: int | None = None) -> None:
    try:
        draft = read_draft(file_format, data)
    except ArticleError as error:
        assert is_line(printable_line(str(error)))
        return
    except Exception as error:
        # What a library trips over is told; it must not be this code.
        frames = traceback.extract_tb(error.__traceback__)
        if Path(frames[-1].filename).is_relative_to(_OWN):
            raise
        assert is_line(why_damaged(error))
        return
    check_draft(draft, len(data) if size is None else size + 1_000)


@target("[[0,4,1]]\nHead\n\nText. More text.", "[]\n木星很大。 It is. z. B. so\n- a\n- b\n- c")
def passages(data: bytes) -> None:
    """The passages of an article: headings in JSON on the first line, then the text."""
    places, _, told = text_of(data).partition("\n")
    headings = []
    last = 0
    with contextlib.suppress(ValueError, TypeError, RecursionError, OverflowError):
        for start, end, level in json.loads(places):
            if last <= start < end <= len(told):
                headings.append(Heading(int(start), int(end), min(max(int(level), 1), 6)))
                last = int(end)
    for language in ("en", "de", "ja", "th"):
        info = ArticleInfo("a", "A", "a", None, None, language)
        draft = Article(info, told, tuple(headings))
        check_passages(replace(draft, info=info))

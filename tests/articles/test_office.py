"""DOCX, ODT and EPUB: text, headings and what they say about themselves."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from qabot.articles import read_sources
from qabot.errors import ArticleError
from tests.articles.documents import docx, epub, odt, word_paragraph, zipped
from tests.articles.support import headings, read

P1 = "Die Werft hat am Montag den ersten Schlepper seit zehn Jahren vom Stapel gelassen."
P2 = "Hunderte kamen, um dabei zu sein, und die Kapelle spielte bis in den Abend."
P3 = "Im Frühjahr soll das zweite Schiff folgen, sagte die Leiterin der Werft."

WORD = docx(
    word_paragraph("Stapellauf in Wittsiel", "Titel")
    + word_paragraph("Fest am Kai    2", "Verzeichnis1")
    + word_paragraph("Die Werft", "berschrift1")
    + "<w:p><w:r><w:t>Die Werft hat am </w:t></w:r><w:ins><w:r><w:t>Montag</w:t></w:r></w:ins>"
    "<w:del><w:r><w:delText>Dienstag</w:delText></w:r></w:del><w:r><w:t xml:space='preserve'> den "
    "ersten Schlepper seit zehn Jahren vom Stapel gelassen.</w:t></w:r>"
    '<w:r><w:footnoteReference w:id="1"/></w:r></w:p>'
    + word_paragraph("Fest am Kai", "berschrift2")
    + word_paragraph(P2)
    + f"<w:tbl><w:tr><w:tc>{word_paragraph('Jahr')}</w:tc><w:tc>{word_paragraph('Schiffe')}</w:tc>"
    f"</w:tr><w:tr><w:tc>{word_paragraph('2011')}</w:tc><w:tc>{word_paragraph('1')}</w:tc></w:tr>"
    "</w:tbl>",
    "<dc:title>Ein  Stapellauf</dc:title><dc:creator>Änne Friis</dc:creator>"
    '<dc:language>da-DK</dc:language><dcterms:created xsi:type="dcterms:W3CDTF">'
    "2021-05-03T10:00:00Z</dcterms:created>",
)


def test_a_word_document_is_read_by_its_styles(tmp_path: Path):
    article = read(tmp_path, "a.docx", WORD)
    assert article.text == (
        f"Stapellauf in Wittsiel\n\nDie Werft\n\n{P1}\n\nFest am Kai\n\n{P2}\n\n"
        "Jahr | Schiffe\n2011 | 1\n\nSaid in passing."
    )
    assert headings(article) == [
        (1, "Stapellauf in Wittsiel"),
        (1, "Die Werft"),
        (2, "Fest am Kai"),
    ]
    info = article.info
    assert (info.title, info.author) == ("Ein Stapellauf", "Änne Friis")
    assert (info.published, info.language) == ("2021-05-03", "da")
    assert article.pages == ()


def test_what_a_document_does_not_say_is_found_in_its_text(tmp_path: Path):
    body = word_paragraph("Stapellauf", "Titel") + word_paragraph(P1) + word_paragraph(P2)
    info = read(tmp_path, "a.docx", docx(body)).info
    assert (info.title, info.author, info.published) == ("Stapellauf", None, None)
    assert info.language == "de"


OPEN = odt(
    '<text:h text:outline-level="1">Die Werft</text:h>'
    f'<text:p text:style-name="P1">Stapellauf</text:p><text:p>{P1}<text:note><text:note-citation>'
    "1</text:note-citation><text:note-body><text:p>Nebenbei gesagt.</text:p></text:note-body>"
    "</text:note></text:p>"
    "<text:tracked-changes><text:p>Gestrichen.</text:p></text:tracked-changes>"
    '<text:h text:outline-level="2">Fest<text:line-break/>am<text:s/>Kai</text:h>'
    f"<text:p>Hunderte <text:span>kamen</text:span>, um dabei zu sein, und die\n  Kapelle spielte "
    "bis in den Abend.</text:p><text:list><text:list-item><text:p>eins</text:p></text:list-item>"
    "<text:list-item><text:p>zwei</text:p></text:list-item></text:list><table:table>"
    "<table:table-row><table:table-cell><text:p>Jahr</text:p></table:table-cell>"
    "<table:table-cell><text:p>2011</text:p><text:p>und 2012</text:p></table:table-cell>"
    "</table:table-row></table:table>",
    "<dc:title>Ein Stapellauf</dc:title><meta:initial-creator>Änne Friis</meta:initial-creator>"
    "<meta:creation-date>2021-05-03T10:00:00.000</meta:creation-date><dc:language>da</dc:language>",
    styles='<style:style style:name="P1" style:parent-style-name="Title"/>',
)


def test_an_open_document_is_read_with_its_headings_lists_and_notes(tmp_path: Path):
    article = read(tmp_path, "a.odt", OPEN)
    assert article.text == (
        f"Die Werft\n\nStapellauf\n\n{P1}\n\nFest am Kai\n\n{P2}\n\neins\nzwei\n\n"
        "Jahr | 2011 und 2012\n\nNebenbei gesagt."
    )
    assert headings(article) == [(1, "Die Werft"), (1, "Stapellauf"), (2, "Fest am Kai")]
    info = article.info
    assert (info.title, info.author) == ("Ein Stapellauf", "Änne Friis")
    assert (info.published, info.language) == ("2021-05-03", "da")


def list_style(name: str, *levels: str) -> str:
    return f'<text:list-style style:name="{name}">{"".join(levels)}</text:list-style>'


def number_style(level: int, attributes: str = "") -> str:
    return (
        f'<text:list-level-style-number text:level="{level}" style:num-format="1" '
        f'style:num-suffix="." {attributes}/>'
    )


def odt_list(*items: str, style: str = "N", attributes: str = "") -> str:
    inside = "".join(
        f"<text:list-item>{item if '<' in item else f'<text:p>{item}</text:p>'}</text:list-item>"
        for item in items
    )
    return f'<text:list text:style-name="{style}" {attributes}>{inside}</text:list>'


NUMBERED = list_style("N", number_style(1), number_style(2, 'text:display-levels="2"'))
LETTERED = (
    '<text:list-style style:name="A"><text:list-level-style-number text:level="1" '
    'style:num-format="a" style:num-prefix="(" style:num-suffix=")" text:start-value="3"/>'
    "</text:list-style>"
)
DOTTED = list_style("B", '<text:list-level-style-bullet text:level="1" text:bullet-char="•"/>')


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (odt_list("ein Topf", "zwei Löffel"), "1. ein Topf\n2. zwei Löffel"),
        (odt_list("ein Topf", "zwei Löffel", style="B"), "ein Topf\nzwei Löffel"),
        (odt_list("ein Topf", "zwei Löffel", style="A"), "(c) ein Topf\n(d) zwei Löffel"),
        (
            odt_list("<text:p>rühren</text:p>" + odt_list("langsam", "kalt", style=""), "ruhen"),
            "1. rühren\n1.1. langsam\n1.2. kalt\n2. ruhen",
        ),
        (
            odt_list("rühren")
            + "<text:p>Eine Stunde später:</text:p>"
            # Office programs go on with a list by either of these.
            + odt_list("ruhen", attributes='text:continue-numbering="true"')
            + odt_list("backen", attributes='xml:id="x" text:continue-list="unknown"')
            + odt_list("essen", attributes='text:continue-list="x"'),
            "1. rühren\n\nEine Stunde später:\n\n2. ruhen\n\n1. backen\n\n2. essen",
        ),
        (
            odt_list("<text:p/>", "<text:p><text:span>ruhen</text:span></text:p>")
            + "<text:list><text:list-item text:start-value='7'><text:p>x</text:p>"
            "</text:list-item></text:list>",
            "1. ruhen\n\nx",
        ),
        (
            '<text:list text:style-name="N"><text:list-item text:start-value="7"><text:p>acht Eier'
            "</text:p></text:list-item><text:list-header><text:p>Dazu:</text:p></text:list-header>"
            "<text:list-item><text:p>Salz</text:p></text:list-item></text:list>",
            "7. acht Eier\nDazu:\n8. Salz",
        ),
    ],
)
def test_the_numbers_of_lists_in_an_open_document_are_text(tmp_path: Path, body: str, text: str):
    data = odt(body, styles=NUMBERED + LETTERED + DOTTED)
    assert read(tmp_path, "a.odt", data).text == text


SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "style")
)


@pytest.mark.parametrize(
    ("styles", "text"),
    [
        (
            f"<office:document-styles {SPACES}><office:styles>{NUMBERED}</office:styles>"
            "</office:document-styles>",
            "1. ein Topf\n2. zwei Löffel",
        ),
        ("<office:document-styles>", "ein Topf\nzwei Löffel"),
    ],
)
def test_lists_of_an_open_document_have_the_styles_of_its_template(
    tmp_path: Path, styles: str, text: str
):
    data = odt(odt_list("ein Topf", "zwei Löffel"), extra={"styles.xml": styles})
    assert read(tmp_path, "a.odt", data).text == text


BOOK = epub(
    {
        "zwei.xhtml": f"<h2>Fest am&nbsp;Kai</h2><p>{P2}<a id='n'/></p><ul><li>eins</li>"
        "<li>zwei</li></ul>",
        "eins.xhtml": f"<h1>Die <i>Werft</i></h1><div>{P1}</div><script src='a.js'/><p>{P3}</p>",
        "nav.xhtml": "<nav><ol><li>Die Werft</li></ol></nav>",
    },
    "<dc:title>Ein Stapellauf</dc:title><dc:creator>Änne Friis</dc:creator>"
    "<dc:creator>Bo Friis</dc:creator><dc:language>da-DK</dc:language>"
    '<dc:date opf:event="modification">2023-01-01</dc:date>'
    '<dc:date opf:event="publication">2021-05</dc:date>',
    spine=["eins.xhtml", "zwei.xhtml", "eins.xhtml"],
)


def test_a_book_is_read_in_the_order_of_its_spine(tmp_path: Path):
    article = read(tmp_path, "a.epub", BOOK)
    assert article.text == (f"Die Werft\n\n{P1}\n\n{P3}\n\nFest am\u00a0Kai\n\n{P2}\n\neins\nzwei")
    assert headings(article) == [(1, "Die Werft"), (2, "Fest am\u00a0Kai")]
    info = article.info
    assert (info.title, info.author) == ("Ein Stapellauf", "Änne Friis, Bo Friis")
    assert (info.published, info.language) == ("2021-05", "da")


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
)
ENTITIES = "declares XML entities, which are not read; save it again without them"
PROTECTED = (
    '<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:CipherReference URI="{}"/>'
    "</encryption>"
)
NO_PASSWORD = "encrypted; save it without a password"


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "not a DOCX document (encrypted, or an old Office document); save it as one without",
        ),
        ("a.docx", b"Hello.", "not a DOCX document, or damaged (File is not a zip file)"),
        ("a.docx", zipped({"a": "b"}), "not a DOCX document (holds no text); save it as DOCX"),
        ("a.docx", docx("<w:p>"), "damaged: word/document.xml is not valid XML ("),
        ("a.docx", docx("", extra={"word/styles.xml": LAUGHS}), f"word/styles.xml {ENTITIES}"),
        (
            "a.docx",
            docx("", extra={"word/styles.xml": LAUGHS.encode("utf-16")}),
            f"word/styles.xml {ENTITIES}",
        ),
        ("a.docx", docx(""), "holds no text, perhaps pictures of it; have it recognised (OCR)"),
        ("a.odt", b"Hello.", "not an ODT document, or damaged (File is not a zip file)"),
        ("a.odt", zipped({"a": "b"}), "damaged: holds no content.xml; save it again"),
        ("a.odt", odt("", prolog=LAUGHS), f"content.xml {ENTITIES}"),
        ("a.odt", odt("<text:p>"), "damaged: content.xml is not valid XML ("),
        (
            "a.odt",
            odt("", extra={"META-INF/manifest.xml": "<manifest:encryption-data/>"}),
            NO_PASSWORD,
        ),
        ("a.epub", zipped({"a": "b"}), "not an EPUB book (holds no META-INF/container.xml)"),
        ("a.epub", epub({}), "damaged: its package names no chapter; save it again"),
        ("a.epub", epub({"a": "<p>a</p>"}, extra={"OEBPS/a": LAUGHS}), f"OEBPS/a {ENTITIES}"),
        (
            "a.epub",
            epub({"../../etc/passwd": "<p>a</p>"}),
            "damaged: holds no ../etc/passwd; save it again",
        ),
        (
            "a.epub",
            epub({"a": "<p>a</p>"}, extra={"META-INF/encryption.xml": PROTECTED.format("OEBPS/a")}),
            "copy-protected; its text cannot be read",
        ),
    ],
)
def test_a_document_that_is_none_is_refused_with_the_reason(tmp_path: Path, name, data, complaint):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, name, data)
    assert str(caught.value).startswith(f"{(tmp_path / name).as_posix()}: {complaint}")


def test_scrambled_fonts_do_not_make_a_book_protected(tmp_path: Path):
    fonts = {"META-INF/encryption.xml": PROTECTED.format("OEBPS/font.otf")}
    assert read(tmp_path, "a.epub", epub({"a": f"<p>{P1}</p>"}, extra=fonts)).text == P1


def test_pictures_and_styles_of_a_document_lead_nowhere(tmp_path: Path):
    (tmp_path / "secret.txt").write_text("secret")
    body = word_paragraph(P1) + (
        "<w:p><w:r><w:drawing><wp:inline xmlns:wp='http://schemas.openxmlformats.org/"
        "drawingml/2006/wordprocessingDrawing'><a:graphic xmlns:a='http://schemas."
        "openxmlformats.org/drawingml/2006/main'><a:graphicData><pic:pic xmlns:pic='http://schemas."
        "openxmlformats.org/drawingml/2006/picture'><pic:blipFill><a:blip r:link='r9' xmlns:r='http"
        "://schemas.openxmlformats.org/officeDocument/2006/relationships'/></pic:blipFill></pic:pic>"
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r9" Type="x" Target="file://{tmp_path}/secret.txt" '
        'TargetMode="External"/></Relationships>'
    )
    extra = {"word/_rels/document.xml.rels": links, "mammoth/style-map": "p => !"}
    assert read(tmp_path, "a.docx", docx(body, extra=extra)).text == P1


def test_one_hostile_document_leaves_the_others(tmp_path: Path):
    (tmp_path / "a.docx").write_bytes(docx("", extra={"word/styles.xml": LAUGHS}))
    (tmp_path / "b.docx").write_bytes(WORD)
    first, second = read_sources([tmp_path])
    assert (type(first).__name__, type(second).__name__) == ("Skipped", "Article")


def test_a_book_is_read_without_the_chapter_that_cannot_be(tmp_path: Path):
    book = epub(
        {"a": "<p>The tug left.</p>", "b": "<p/>", "c": "<p>It came back.</p>"},
        extra={"OEBPS/b": LAUGHS},
    )
    article = read(tmp_path, "a.epub", book)
    assert article.text == "The tug left.\n\nIt came back."
    (warning,) = article.warnings
    assert warning.startswith("OEBPS/b")


@pytest.mark.parametrize(
    ("chapter", "text"),
    [
        (b"<p>AT&T, a < b.</p>", "AT&T, a < b."),
        (b"<p>" + b"One<br>" * 300 + b"</p>", "\n".join(["One"] * 300)),
        (b"<p>One" * 300, "\n\n".join(["One"] * 300)),
        (b"<title/><script src='a'/><p>One", "One"),
        (b"<p>Caf\xe9, cr\xe8me et br\xfbl\xe9e.</p>", "Café, crème et brûlée."),
        (b"<p>Here <nobody:knows>so</nobody:knows>.", "Here so."),
        (b"<p>The lantern\0 burns.", "The lantern\ufffd burns."),
    ],
)
def test_a_chapter_that_is_not_well_formed_is_read_as_browsers_do(
    tmp_path: Path, chapter: bytes, text: str
):
    book = epub(
        {"a": "<p>First.</p>", "b": "", "c": "<p>Last.</p>"},
        extra={"OEBPS/b": b"<html><body>" + chapter},
    )
    article = read(tmp_path, "a.epub", book)
    assert (article.text, article.warnings) == (f"First.\n\n{text}\n\nLast.", ())


def test_a_chapter_that_is_nested_too_deeply_is_told(tmp_path: Path):
    book = epub({"a": "<p>First.</p>", "b": "<div>" * 4_000 + "Deep.", "c": "<div>" * 600 + "x"})
    article = read(tmp_path, "a.epub", book)
    assert article.text == "First."
    assert article.warnings == tuple(
        f"OEBPS/{name}: nested too deeply; write it with fewer levels" for name in "bc"
    )


def test_a_chapter_of_another_kind_is_told_or_read_by_what_stands_for_it(tmp_path: Path):
    book = epub({"a": "<p>First.</p>", "b": "<p>Second.</p>"})
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        package = archive.read("OEBPS/content.opf").decode()
    items = (
        '<item id="x" href="x.dtb" media-type="application/x-dtbook+xml"/>'
        '<item id="y" href="y.dtb" media-type="application/x-dtbook+xml" fallback="b"/>'
        '<item id="z" href="z.jpg" media-type="image/jpeg"/></manifest>'
    )
    order = '<itemref idref="x"/><itemref idref="z"/><itemref idref="y"/>'
    package = package.replace("</manifest>", items).replace('<itemref idref="b"/>', order)
    changed = epub(
        {"a": "<p>First.</p>", "b": "<p>Second.</p>"}, extra={"OEBPS/content.opf": package}
    )
    article = read(tmp_path, "a.epub", changed)
    assert article.text == "First.\n\nSecond."
    assert article.warnings == (
        "x.dtb is application/x-dtbook+xml, which is not read; save it as XHTML",
    )


def test_a_fraction_of_a_word_document_is_no_number(tmp_path: Path):
    space = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    v, two = "<m:r><m:t>v</m:t></m:r>", "<m:r><m:t>2</m:t></m:r>"
    power = f"<m:sSup><m:e>{v}</m:e><m:sup>{two}</m:sup></m:sSup>"
    fraction = (
        f"<m:oMath {space}><m:f><m:fPr/><m:num><m:r><m:t>1</m:t></m:r></m:num>"
        f"<m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>{power}</m:oMath>"
    )
    body = f"<w:p><w:r><w:t xml:space='preserve'>It is </w:t></w:r>{fraction}</w:p>"
    assert read(tmp_path, "a.docx", docx(body)).text == "It is 1/2v²"


HALF = "<mfrac><mn>1</mn><mn>2</mn></mfrac>"
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'


def test_a_formula_of_a_book_is_one_line(tmp_path: Path):
    book = epub({"a": f"<p>It is {MATH.format(HALF)} mile, 3<sup>2</sup> yards.</p>"})
    assert read(tmp_path, "a.epub", book).text == "It is 1/2 mile, 3² yards."


def test_a_formula_of_an_odt_is_one_line_where_it_is_shown(tmp_path: Path):
    # As LibreOffice writes it, with what it was typed as and a picture of it.
    typed = f"<semantics>{HALF}<annotation>1 over 2</annotation></semantics>"
    frame = (
        '<draw:frame xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0">'
        '<draw:object xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="./Object {}"/>'
        "</draw:frame>"
    )
    shown = "".join(f"<text:p>It is {frame.format(n)} mile.</text:p>" for n in (1, 2, 3, 4))
    extra = {
        "Object 1/content.xml": MATH.format(typed),
        "Object 2/content.xml": "<chart><p>Not read</p></chart>",
        "Object 3/content.xml": "<math><mn>3",
    }
    article = read(tmp_path, "a.odt", odt(shown, extra=extra))
    assert article.text == "It is 1/2 mile.\n\n" + "\n\n".join(["It is mile."] * 3)
    (warning,) = article.warnings
    assert warning.startswith("damaged: Object 3/content.xml is not valid XML")


def test_a_formula_that_is_shown_a_million_times_makes_no_long_text(tmp_path: Path):
    formula = '<draw:object xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    formula += 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="./Object 1"/>'
    extra = {"Object 1/content.xml": MATH.format("<mtext>Ferry</mtext>")}
    assert read(tmp_path, "a.odt", odt(f"<text:p>A {formula * 3}</text:p>", extra=extra)).text == (
        "A Ferry"
    )

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import pytest

from qabot.articles.formats.archive import Archive
from qabot.errors import ArticleError
from tests.articles.documents import docx, pptx, shape, word_paragraph, zipped
from tests.articles.support import headings, read


def test_a_table_of_questions_stands_beside_its_answers(tmp_path: Path):
    rows = '"How long?","Thirty months."\n"Who, then?","Any dealer.\nOr we."\n'
    article = read(tmp_path, "faq.csv", f"question,answer\n{rows}")
    assert article.text == "How long?\nThirty months.\n\nWho, then?\nAny dealer. Or we."


def test_rows_tell_their_columns(tmp_path: Path):
    article = read(tmp_path, "a.tsv", "Tarif\tPlatz\tPreis\nKlein\t\t4 €\nGroß\t2 GB\t9 €\n")
    assert (
        article.text == "Tarif | Platz | Preis\nKlein | Preis: 4 €\nGroß | Platz: 2 GB | Preis: 9 €"
    )


def test_a_workbook_s_sheets_are_sections(tmp_path: Path):
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Preise"
    for row in (
        ["Unsere Preise"],
        ["Tarif", "Platz", "Preis"],
        ["Klein", None, 4],
        ["Groß", 2, 9.5],
    ):
        sheet.append(row)
    book.create_sheet("Verborgen").sheet_state = "hidden"
    book["Verborgen"].append(["geheim"])
    out = io.BytesIO()
    book.save(out)
    article = read(tmp_path, "a.xlsx", out.getvalue())
    assert article.text == (
        "Preise\n\nUnsere Preise\nTarif | Platz | Preis\nKlein | Preis: 4\n"
        "Groß | Platz: 2 | Preis: 9.5"
    )
    assert headings(article) == [(2, "Preise")]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("PowerPoint Presentation", "Die Werft"),
        ("PowerPoint-Präsentation", "Die Werft"),
        ("Présentation PowerPoint", "Die Werft"),
        ("Presentazione standard di PowerPoint", "Die Werft"),
        ("Slide 1", "Die Werft"),
        ("PowerPoint für Werften", "PowerPoint für Werften"),
    ],
)
def test_what_powerpoint_writes_by_itself_is_no_title(tmp_path: Path, written, title):
    properties = (
        '<cp:coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cp="http://schemas.'
        'openxmlformats.org/package/2006/metadata/core-properties">'
        f"<dc:title>{written}</dc:title></cp:coreProperties>"
    )
    slides = Archive(pptx([shape("Die Werft", kind="ctrTitle")]), "slides")
    members = {name: slides.read(name) for name in slides.names()}
    data = zipped({**members, "docProps/core.xml": properties})
    assert read(tmp_path, "a.pptx", data).info.title == title


def test_slides_are_read_in_their_order_with_titles_tables_and_notes(tmp_path: Path):
    cell = "<a:tc><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    rows = (("Jahr", "Boote"), ("2011", "1"), ("2012", "4"))
    told = ("".join(map(cell.format, row)) for row in rows)
    table = f"<a:tbl>{''.join(f'<a:tr>{row}</a:tr>' for row in told)}</a:tbl>"
    first = shape("Für 2013 sind zwei geplant.") + shape("Die Werft", kind="ctrTitle")
    article = read(tmp_path, "a.pptx", pptx([first, table], shape("Hier innehalten.", kind="body")))
    assert article.text == (
        "Die Werft\n\nFür 2013 sind zwei geplant.\n\nHier innehalten.\n\n"
        "Jahr | Boote\n2011 | Boote: 1\n2012 | Boote: 4"
    )
    assert headings(article) == [(2, "Die Werft")]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:04,000\n<i>Willkommen</i> in der Werft.\n\n"
            "2\n00:00:04,500 --> 00:00:08,000\nSie ist alt,\nsehr alt.\n\n"
            "3\n01:02:30,000 --> 01:02:31,000\nEnde.\n",
        ),
        (
            "a.vtt",
            "WEBVTT\n\nNOTE nichts\n\n00:01.000 --> 00:04.000 align:left\n"
            "Willkommen in der Werft.\n\n00:04.500 --> 00:08.000\nSie ist alt,\nsehr alt.\n\n"
            "01:02:30.000 --> 01:02:31.000\nEnde.\n",
        ),
    ],
)
def test_subtitles_are_paragraphs_with_their_times(tmp_path: Path, name, source):
    article = read(tmp_path, name, source)
    assert article.text == (
        "[0:01] Willkommen in der Werft. Sie ist alt, sehr alt.\n\n[1:02:30] Ende."
    )
    assert article.info.title == "Willkommen in der Werft."


def test_restructured_text_is_read_with_its_fields_and_roles(tmp_path: Path):
    source = """\
======
Pumpen
======

:author: Mara
:date: 2024-02-03

Filter
======

.. note:: Hält 400 Stunden.

Siehe :ref:`Reinigung <x>` und :py:func:`~a.b`, ``c --d`` [1]_.

.. raw:: html

   <b>weg</b>

.. include:: /etc/passwd

===== =====
Jahr  Pumpe
===== =====
2011  alt
===== =====

.. [1] Eine Anmerkung.
"""
    article = read(tmp_path, "a.rst", source)
    assert headings(article) == [(1, "Pumpen"), (2, "Filter")]
    info = article.info
    assert (info.title, info.author, info.published) == ("Pumpen", "Mara", "2024-02-03")
    assert "Hält 400 Stunden." in article.text
    assert "Siehe Reinigung und a.b, c --d" in article.text
    assert "2011 | Pumpe: alt" in article.text
    assert "Eine Anmerkung." in article.text
    assert "root:" not in article.text
    assert "weg" not in article.text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            ".. versionadded:: 3.8\n   Der *Kai* wurde breiter.",
            "Added in version 3.8 Der Kai wurde breiter.",
        ),
        (
            ".. seealso::\n\n   Der :doc:`Plan </plan>`.\n\n   - eins",
            "See also\n\nDer Plan.\n\neins",
        ),
        (
            ".. tab:: Linux\n\n   Als root.\n\n   .. tip:: Langsam.",
            "Linux\n\nAls root.\n\nTip\n\nLangsam.",
        ),
        (".. py:function:: bauen(kai)\n   :async:\n\n   Baut ihn.", "bauen(kai)\n\nBaut ihn."),
        (
            ".. code-block:: sh\n   :caption: Kai.sh\n   :emphasize-lines: 2\n\n"
            "   ls\n   ls -l\n\nDa.",
            "Kai.sh\n\nls\nls -l\n\nDa.",
        ),
        (".. productionlist::\n   kai: steg | mole", "kai: steg | mole"),
        (".. toctree::\n   :maxdepth: 2\n\n   kai\n\nDa.", "Da."),
        (".. include:: /etc/hostname\n\n.. raw:: html\n\n   <p>weg</p>\n\nDa.", "Da."),
    ],
)
def test_directives_of_sphinx_keep_their_text(tmp_path: Path, source: str, text: str):
    assert read(tmp_path, "a.rst", source).text == text


def test_a_notebook_s_text_code_and_output_are_read(tmp_path: Path):
    cells = [
        {"cell_type": "markdown", "source": ["# Messung\n", "Mit *Python*."]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"]}}]},
    ]
    article = read(tmp_path, "a.ipynb", json.dumps({"cells": cells}))
    assert article.text == "Messung\n\nMit Python.\n\n1 + 1\n\n2"
    with pytest.raises(ArticleError, match="not a notebook"):
        read(tmp_path, "b.ipynb", "{}")


MESSAGE = """\
From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>
To: all@example.org
Date: Tue, 14 May 2024 09:12:33 +0200
Subject: Parken
"""


@pytest.mark.parametrize("name", ["a.eml", "a.txt"])
def test_a_message_s_head_is_no_text(tmp_path: Path, name):
    article = read(tmp_path, name, f"{MESSAGE}\nDer Platz ist voll.\n\nBis bald")
    assert article.text == "Der Platz ist voll.\n\nBis bald"
    info = article.info
    assert (info.title, info.author, info.published) == ("Parken", "Jürgen", "2024-05-14")


def test_a_message_in_html_is_read_as_that(tmp_path: Path):
    source = (
        f"{MESSAGE}Content-Type: text/html\n\n<p>Der <b>Platz</b> ist voll.</p><p hidden>weg</p>"
    )
    assert read(tmp_path, "a.eml", source).text == "Der Platz ist voll."


def test_each_message_of_a_chat_stands_by_itself(tmp_path: Path):
    lines = ["[14.05.24, 09:12:33] Mo: where is the key?", "[14.05.24, 09:13:02] Li: In the hall"]
    article = read(tmp_path, "a.txt", "\n".join(lines))
    assert article.text == "\n\n".join(lines)
    assert article.headings == ()


_W14 = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '<w:p><w:r><w:t xml:space="preserve">Nach </w:t></w:r><w:fldSimple w:instr="X"><w:r>'
            "<w:t>Wittsiel</w:t></w:r></w:fldSimple></w:p>",
            "Nach Wittsiel",
        ),
        (
            '<w:p><w:pPr><w:framePr w:dropCap="drop"/></w:pPr><w:r><w:t>D</w:t></w:r></w:p>'
            "<w:p><w:r><w:t>ie Werft ist alt.</w:t></w:r></w:p>",
            "Die Werft ist alt.",
        ),
        (
            f"<w:p {_W14}><w:r><w:t>Davor.</w:t></w:r><w:r><mc:AlternateContent><mc:Choice>"
            f"<wps:txbx><w:txbxContent>{word_paragraph('Im Kasten.')}</w:txbxContent></wps:txbx>"
            f"</mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>"
            f"{word_paragraph('Im Kasten.')}</w:txbxContent></v:textbox></w:pict></mc:Fallback>"
            "</mc:AlternateContent></w:r></w:p>",
            "Davor.\n\nIm Kasten.",
        ),
    ],
    ids=["field", "drop cap", "text box"],
)
def test_what_word_shows_is_read(tmp_path: Path, body, text):
    assert read(tmp_path, "a.docx", docx(body)).text == text


def test_short_bold_lines_above_text_are_headings(tmp_path: Path):
    bold = "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>%s</w:t></w:r></w:p>"
    body = bold % "Holz" + word_paragraph("Hinter der Hütte.") + bold % "Achtung, es ist nass."
    article = read(tmp_path, "a.docx", docx(body + word_paragraph("Im Winter.")))
    assert headings(article) == [(2, "Holz")]


def test_a_document_is_found_by_the_package_s_relations(tmp_path: Path):
    members = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/officeDocument" Target="/word/document2.xml"/>'
        "</Relationships>",
        "word/document2.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/'
        'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Die Werft.</w:t></w:r></w:p></w:body>'
        "</w:document>",
    }
    assert read(tmp_path, "a.docx", zipped(members)).text == "Die Werft."

"""PDF: paragraphs, headings, pages and what the document says about itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from qabot.errors import ArticleError
from qabot.types import Article
from tests.articles.documents import Line, lines, pdf, stream
from tests.articles.support import headings, read

P1 = "The shipyard launched its first tug in ten years on Monday."
P2 = "Hundreds came to watch, and the band played until late in the evening."


def read_pages(folder: Path, *pages: list[Line], **told) -> Article:
    return read(folder, "a.pdf", pdf(*pages, **told))


def on_pages(article: Article) -> list[str]:
    """The text of each page."""
    bounds = [*article.pages, len(article.text)]
    return [article.text[a:b] for a, b in pairwise(bounds)]


def test_lines_become_paragraphs_and_divided_words_whole(tmp_path: Path):
    page = lines(
        "The shipyard launched its first tug in ten years on Mon-",
        "day. Hundreds came to watch, and the band played",
        "until late.",
        "",
        "In spring the second ship is to follow, its mana-",
        "ger said.",
        top=700,
    )
    assert read_pages(tmp_path, page).text == (
        "The shipyard launched its first tug in ten years on Monday. Hundreds came to watch, and "
        "the band played until late.\n\nIn spring the second ship is to follow, its manager said."
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("All of the ship-", "yard came.", "All of the shipyard came."),
        ("The article on COVID-", "19 is long.", "The article on COVID-19 is long."),
        ("She met Jean-", "Pierre there.", "She met Jean-Pierre there."),
        ("Die Ein-", "und Ausgabe ruht.", "Die Ein- und Ausgabe ruht."),
        ("A well-known man is well-", "known.", "A well-known man is well-known."),
        ("It came by e-", "mail.", "It came by e-mail."),
        ("He waited -", "in vain.", "He waited - in vain."),
    ],
)
def test_a_hyphen_at_the_end_of_a_line_goes_where_it_only_divides(
    tmp_path: Path, first, second, expected
):
    assert read_pages(tmp_path, lines(first, second)).text == expected


def test_indents_and_bullets_begin_paragraphs(tmp_path: Path):
    page = [
        *lines("The shipyard launched its first tug in ten years on Monday,", top=700),
        *lines("and hundreds came to watch.", top=686.8),
        *lines("In spring the second ship is to follow, its manager", top=673.6, x=90),
        *lines("said. It needs:", "• a hull", "• an engine", top=660.4),
    ]
    assert read_pages(tmp_path, page).text == (
        f"{P1[:-1]}, and hundreds came to watch.\n\nIn spring the second ship is to follow, its "
        "manager said. It needs:\n\n• a hull\n\n• an engine"
    )


def test_larger_letters_are_headings_by_their_size(tmp_path: Path):
    page = [
        *lines("Launch in Wittsiel", size=24, top=700),
        *lines("At the quay", size=16, top=650),
        *lines(P1, top=600),
        *lines("What comes", "next", size=16, top=550),
        *lines(P2, top=500),
        *lines("Larger than the rest, but a whole sentence.", size=16, top=450),
    ]
    article = read_pages(tmp_path, page)
    assert headings(article) == [
        (1, "Launch in Wittsiel"),
        (2, "At the quay"),
        (2, "What comes next"),
    ]
    assert article.info.title == "Launch in Wittsiel"


def test_the_outline_names_headings_that_look_like_text(tmp_path: Path):
    first = [*lines("1. At the quay", P1, top=700)]
    second = [*lines("What comes next", P2, top=700)]
    outline = [("At the quay", 0), ("What comes next", 1), ("Not there", 1)]
    article = read_pages(tmp_path, first, second, outline=outline)
    assert headings(article) == [(1, "1. At the quay"), (1, "What comes next")]
    assert article.text == f"1. At the quay\n\n{P1}\n\nWhat comes next\n\n{P2}"


def test_each_page_begins_where_its_text_does(tmp_path: Path):
    article = read_pages(
        tmp_path,
        lines("The shipyard launched its first tug in ten"),
        [],
        lines("years on Monday."),
        lines(P2),
        [],
    )
    assert article.text == f"{P1}\n\n{P2}"
    assert on_pages(article) == [
        "The shipyard launched its first tug in ten ",
        "",
        "years on Monday.\n\n",
        P2,
        "",
    ]


def test_a_word_divided_between_pages_belongs_to_both(tmp_path: Path):
    article = read_pages(tmp_path, lines("The whole ship-"), lines("yard came."))
    assert on_pages(article) == ["The whole ship", "yard came."]


def test_what_repeats_on_every_page_is_no_text(tmp_path: Path):
    pages = [
        [
            Line("The Wittsiel Yearbook 2021", 770, size=9),
            *lines(f"Here, {thing} has a text of its own, about {thing}."),
            Line(f"Chapter {'I' * number} {number}", 40, size=9),
        ]
        for number, thing in enumerate(("a tug", "the yard", "its manager", "the quay"), 1)
    ]
    article = read_pages(tmp_path, *pages)
    assert "Yearbook" not in article.text
    assert "Chapter" not in article.text
    assert article.text.startswith("Here, a tug has a text of its own, about a tug.")


def test_page_numbers_go_and_other_numbers_stay(tmp_path: Path):
    numbered = [[*lines(P1), Line(str(number), 40)] for number in (7, 8)]
    assert read_pages(tmp_path, *numbered).text == f"{P1}\n\n{P1}"
    others = [[*lines(P1), Line(str(number), 40)] for number in (1912, 1945)]
    assert read_pages(tmp_path, *others).text == f"{P1}\n\n1912\n\n{P1}\n\n1945"


def test_what_a_document_says_about_itself_is_known(tmp_path: Path):
    told = {"Title": "Ein Stapellauf", "Author": "Änne Friis", "CreationDate": "D:20210503101112Z"}
    article = read_pages(tmp_path, lines(P1), info=told, language="da-DK")
    info = article.info
    assert (info.title, info.author) == ("Ein Stapellauf", "Änne Friis")
    assert (info.published, info.language) == ("2021-05-03", "da")


@pytest.mark.parametrize("title", ["Microsoft Word - a.doc", "draft_3.indd", "untitled", " ", "-"])
def test_the_name_of_a_file_is_no_title(tmp_path: Path, title):
    info = read_pages(tmp_path, lines(P1), info={"Title": title, "CreationDate": "soon"}).info
    assert (info.title, info.author, info.published, info.language) == (P1, None, None, "en")


def test_chinese_lines_are_joined_without_blanks(tmp_path: Path):
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong /Encoding /UniGB-UCS2-H "
    font += b"/DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong "
    font += b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>] >>"
    drawn = b"".join(
        b"BT /F 11 Tf 72 %d Td <%s> Tj ET\n" % (y, text.encode("utf-16-be").hex().encode())
        for y, text in ((700, "大桥于星期一重新开放，市政府"), (686, "表示维修工程历时三个月。"))
    )
    article = read_pages(tmp_path, lines("x"), extra={3: font, 6: stream(drawn)})
    assert article.text == "大桥于星期一重新开放，市政府表示维修工程历时三个月。"
    assert article.info.language == "zh"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"Hello.", "not a PDF document; give it the ending that fits what it is"),
        (b"%PDF-1.7\nHello.", "damaged: PDFium cannot open it; save it again"),
        (
            pdf([]),
            "holds no text, perhaps pictures of it; have it recognised (OCR) and saved again",
        ),
        (pdf(lines("- ? -")), "holds no text, perhaps pictures of it; have it recognised"),
    ],
)
def test_a_pdf_without_text_is_refused_with_the_reason(tmp_path: Path, data, complaint):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.pdf", data)
    assert str(caught.value).startswith(f"{(tmp_path / 'a.pdf').as_posix()}: {complaint}")

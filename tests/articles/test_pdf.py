"""PDF: paragraphs, headings, pages and what the document says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import wrap

import pytest

from qabot.errors import ArticleError
from qabot.types import Article
from tests.articles.documents import Line, Stroke, lines, pdf, stream
from tests.articles.support import headings, read

P1 = "The shipyard launched its first tug in ten years on Monday."
P2 = "Hundreds came to watch, and the band played until late in the evening."


def read_pages(folder: Path, *pages: Sequence[Line | Stroke], **told) -> Article:
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


def row(y: float, *cells: str, at: tuple[float, ...] = (72, 220, 340)) -> list[Line]:
    """A line of a table, or of columns."""
    return [Line(cell, y, x) for cell, x in zip(cells, at, strict=True) if cell]


def test_the_rows_of_a_table_without_rules_name_their_columns(tmp_path: Path):
    page = [
        *row(720, "Ship", "Length", "Built"),
        *row(704, "Heron", "41 m", "1987"),
        *row(688, "Otter", "", "2003"),
        *row(672, "Kingfisher", "88 m", "2016"),
        *lines(P1, top=630),
    ]
    assert read_pages(tmp_path, page).text == (
        "Ship | Length | Built\nHeron | Length: 41 m | Built: 1987\nOtter | Built: 2003\n"
        f"Kingfisher | Length: 88 m | Built: 2016\n\n{P1}"
    )


def grid(xs: tuple[float, ...], ys: tuple[float, ...]) -> list[Stroke]:
    across = [Stroke(xs[0], y, xs[-1], y) for y in ys]
    return across + [Stroke(x, ys[0], x, ys[-1]) for x in xs]


def test_cells_between_rules_are_read_whole(tmp_path: Path):
    page: list[Line | Stroke] = [
        *lines(P1, top=760),
        *grid((70, 190, 330, 430), (740, 720, 690, 670)),
        *row(726, "Ship", "Use", "Built", at=(72, 194, 334)),
        *row(708, "Heron", "fishing and", "1987", at=(72, 194, 334)),
        *row(694, "", "rescue", "", at=(72, 194, 334)),
        *row(675, "Otter", "tug", "2003", at=(72, 194, 334)),
    ]
    assert read_pages(tmp_path, page).text == (
        f"{P1}\n\nShip | Use | Built\nHeron | Use: fishing and rescue | Built: 1987\n"
        "Otter | Use: tug | Built: 2003"
    )


def test_a_cell_counts_for_all_rows_and_columns_that_it_covers(tmp_path: Path):
    page: list[Line | Stroke] = [
        *(stroke for stroke in grid((70, 190, 330, 430), (740, 670)) if stroke.x < 190),
        *grid((190, 330, 430), (740, 720, 695, 670)),
        *(Stroke(70, y, 190, y) for y in (740, 720, 670)),
        *row(726, "Day", "Opens", "Shuts", at=(72, 194, 334)),
        *row(702, "Monday", "8:00", "11:00", at=(72, 194, 334)),
        *row(677, "", "14:00", "17:00", at=(72, 194, 334)),
    ]
    assert read_pages(tmp_path, page).text == (
        "Day | Opens | Shuts\nMonday | Opens: 8:00 | Shuts: 11:00\n"
        "Monday | Opens: 14:00 | Shuts: 17:00"
    )


def test_frames_round_text_are_no_table(tmp_path: Path):
    text = lines(P1, "Hundreds came to watch, and the band", "played until late.", top=700)
    framed: list[Line | Stroke] = [*grid((60, 300, 560), (720, 650, 600)), *text]
    assert read_pages(tmp_path, framed).text == read_pages(tmp_path, text).text


def test_columns_that_are_drawn_row_by_row_are_read_one_after_the_other(tmp_path: Path):
    left = ("The shipyard launched its first", "tug in ten years on Monday, and", "many came.")
    right = ("In spring the second ship is to", "follow, its manager said. It is", "a ferry.")
    page = [line for n in range(3) for line in row(700 - 14 * n, left[n], right[n], at=(72, 330))]
    assert read_pages(tmp_path, page).text == (
        "The shipyard launched its first tug in ten years on Monday, and many came.\n\n"
        "In spring the second ship is to follow, its manager said. It is a ferry."
    )


def test_a_list_is_no_table(tmp_path: Path):
    page = [
        line
        for n, text in enumerate(("Doors shut at ten.", "Boots stay outside.", "Tea is free."))
        for line in row(700 - 14 * n, f"{n + 1}.", text, at=(72, 100))
    ]
    assert read_pages(tmp_path, page).text == (
        "1. Doors shut at ten.\n\n2. Boots stay outside.\n\n3. Tea is free."
    )


def numbered(texts: list[str], first: int = 1) -> list[Line]:
    return [
        line
        for n, text in enumerate(texts)
        for line in row(700 - 24 * n, str(first + n), text, at=(50, 90))
    ]


def test_numbers_of_lines_are_no_text(tmp_path: Path):
    third = "The yard has 240 workers, and 11 of them built the first ship, too."
    orders = [(P1, P2, third), (P2, third, P1), (third, P1, P2)]
    pages = [
        [Line(f"{n} SHIP NEWS", 760, 90), *numbered(wrap(" ".join(told), 30), first)]
        for n, told, first in zip((31, 32, 33), orders, (1, 1, 8), strict=True)
    ]
    assert read_pages(tmp_path, *pages).text.replace("\n\n", " ") == " ".join(sum(orders, ()))


def test_the_numbers_of_a_list_stay(tmp_path: Path):
    texts = ["Heron", "Otter", "Kingfisher", "Gull", "Tern", "Swan"]
    assert "4 Gull" in read_pages(tmp_path, numbered(texts)).text


def test_what_stands_upright_beside_the_text_is_no_text(tmp_path: Path):
    stamp = Line("Printed by user17 on press 4", 300, 30, upright=True)
    text = lines(P1, P2, P1, P2)
    assert read_pages(tmp_path, [stamp, *text]).text == read_pages(tmp_path, text).text
    turned = [Line(P1, 100, 100, upright=True), Line(P2, 100, 116, upright=True)]
    assert read_pages(tmp_path, turned).text.startswith(P1)


def test_the_name_of_the_printed_file_is_no_text(tmp_path: Path):
    mark = Line("Yearbook_2021.indb   17   03.05.2021   11:24:05", 20, size=7)
    assert read_pages(tmp_path, [*lines(P1), mark]).text == P1


def test_a_document_is_read_without_the_page_that_cannot_be(tmp_path: Path):
    article = read_pages(tmp_path, lines(P1), lines("x"), lines(P2), extra={7: b"(no page)"})
    assert article.text == f"{P1}\n\n{P2}"
    assert article.warnings == ("page 2 cannot be read; save it again",)


def test_pages_that_cannot_be_read_or_show_pictures_only_are_named_together(tmp_path: Path):
    kids = " ".join(("5 0 R", *["99 0 R"] * 3, "7 0 R", "98 0 R"))
    picture = b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray "
    article = read_pages(
        tmp_path,
        lines("x"),
        lines(P1),
        extra={
            2: f"<< /Type /Pages /Kids [{kids}] /Count 6 >>".encode(),
            6: stream(b"q 500 0 0 700 50 50 cm /X Do Q"),
            900: stream(b"\x00", picture + b"/BitsPerComponent 8 "),
        },
    )
    assert article.text == P1
    assert article.warnings == (
        "pages 2–4, 6 cannot be read; save it again",
        "page 1: pictures only; have their text recognised (OCR), if there is any",
    )


@pytest.mark.parametrize("about", [b"Title", b"Author"])
def test_half_a_character_in_what_a_document_says_of_itself_is_replaced(
    tmp_path: Path, about: bytes
):
    half = b"<< /%s <FEFF0054007500670020D8000021> >>" % about
    article = read_pages(tmp_path, lines(P1, P2), extra={7: half})
    told = {b"Title": article.info.title, b"Author": article.info.author}
    assert told[about] == "Tug \ufffd!"


def test_half_a_character_in_a_bookmark_is_replaced(tmp_path: Path):
    half = b"<< /Title <FEFF0054007500670020D8000021> /Parent 4 0 R /Dest [5 0 R /Fit] >>"
    article = read_pages(tmp_path, lines(P1, P2), outline=[("Tug", 0)], extra={7: half})
    assert article.text == read_pages(tmp_path, lines(P1, P2)).text


def test_numbers_beyond_all_characters_are_replaced(tmp_path: Path):
    # A second font, whose characters have four bytes and no names.
    codes = b"begincmap 2 begincodespacerange <00> <1F> <20000000> <7FFFFFFF> endcodespacerange"
    extra = {
        5: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R "
        b"/G 901 0 R >> >> /Contents 6 0 R >>",
        6: stream(
            b"BT /F 11 Tf 72 720 Td (The ferry runs.) Tj ET "
            b"BT /G 11 Tf 72 700 Td <7A7A63647A7A0041> Tj ET"
        ),
        901: b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding 902 0 R "
        b"/DescendantFonts [903 0 R] >>",
        902: stream(codes + b"\nendcmap", b"/Type /CMap /CMapName /A "),
        903: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /DW 600 /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
    }
    article = read(tmp_path, "a.pdf", pdf(lines("Nothing."), extra=extra))
    # How tall those are, and so whether a paragraph begins there, is up to the machine's fonts.
    assert article.text.split() == ["The", "ferry", "runs.", "\ufffd\ufffd"]


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

from __future__ import annotations

from pathlib import Path

import pytest

from qabot.errors import ArticleError
from tests.articles.support import headings, read

PROSE = "Der Hafen bleibt geschlossen. Wie lange, weiß niemand."

FOUND_IN_THE_WILD = """\
 date 2021-11 Der Leuchtturm von Norderhaken bekommt eine neue Lampe. Nach Angaben des \
Hafenamts hält sie dreißig Jahre.

Drei Bewerber: Lindqvist, Arendt und Möller

Um den Auftrag hatten sich drei Werkstätten beworben. Den Zuschlag erhielt die kleinste von ihnen, \
weil sie als einzige vor Ort arbeitet.

Reaktionen aus dem Ort

Die Fischer sind zufrieden. "Endlich sieht man wieder etwas", sagt einer von ihnen.

(red)"""


def test_an_article_as_found_in_the_wild(tmp_path: Path):
    article = read(tmp_path, "a.txt", FOUND_IN_THE_WILD)
    assert article.info.published == "2021-11"
    assert article.info.language == "de"
    assert article.info.url is None
    assert article.info.title == "Der Leuchtturm von Norderhaken bekommt eine neue Lampe."
    assert headings(article) == [
        (2, "Drei Bewerber: Lindqvist, Arendt und Möller"),
        (2, "Reaktionen aus dem Ort"),
    ]
    assert article.text == FOUND_IN_THE_WILD.removeprefix(" date 2021-11 ")


@pytest.mark.parametrize(
    ("beginning", "published"),
    [
        ("date 2023-04-16\n", "2023-04-16"),
        ("\n   date 2023-04\n\n", "2023-04"),
        ("Date: 2023-04-16 ", "2023-04-16"),
        ("date\t2024-02-29\r\n", "2024-02-29"),
    ],
)
def test_a_leading_date_is_no_part_of_the_text(tmp_path: Path, beginning, published):
    article = read(tmp_path, "a.txt", beginning + PROSE)
    assert (article.info.published, article.text) == (published, PROSE)


@pytest.mark.parametrize(
    "text",
    [
        "date 2022 was a good year for wine. Everybody says so.",
        "The date 2022-09 is in the text. It stays.",
        "date 2022-09x is none. It stays.",
    ],
)
def test_other_dates_are_part_of_the_text(tmp_path: Path, text):
    article = read(tmp_path, "a.txt", text)
    assert (article.info.published, article.text) == (None, text)


def test_a_date_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.txt", "date 2023-02-30 " + PROSE)
    assert str(caught.value) == (
        f"{(tmp_path / 'a.txt').as_posix()}: date: '2023-02-30' is not in the calendar; "
        "write YYYY, YYYY-MM or YYYY-MM-DD"
    )


def test_a_title_is_a_heading_of_level_one_and_the_article_s_title(tmp_path: Path):
    article = read(tmp_path, "a.txt", f"Hafen geschlossen\n\n{PROSE}\n\nWas nun\n\n{PROSE}")
    assert headings(article) == [(1, "Hafen geschlossen"), (2, "Was nun")]
    assert article.info.title == "Hafen geschlossen"


def test_a_title_may_stand_above_the_first_section_s_heading(tmp_path: Path):
    article = read(tmp_path, "a.txt", f"Hafen geschlossen\n\nDie Folgen\n\n{PROSE}")
    assert headings(article) == [(1, "Hafen geschlossen"), (2, "Die Folgen")]


@pytest.mark.parametrize(
    "line",
    [
        "Kosten und Folgen:",
        "  Eingerückt und mit Blanks dahinter  ",
        "1. Einleitung",
        "橋の補修工事にかかった費用",
        "ما الذي تغير في الميناء",
        "Zwölf Wörter " + "und " * 9 + "Schluss",
    ],
)
def test_a_short_line_above_prose_is_a_heading(tmp_path: Path, line):
    article = read(tmp_path, "a.txt", f"{PROSE}\n\n{line}\n\n{PROSE}")
    assert headings(article) == [(2, line.strip())]


@pytest.mark.parametrize(
    "line",
    [
        "Das ist ein Satz.",
        "Was nun?",
        "„Das war knapp!“",
        "Fortsetzung folgt …",
        "これは文です。",
        "これは文です！」",
        "यह एक वाक्य है।",
        "هل هذا عنوان؟",
        "یہ ایک جملہ ہے۔",
        "Այս նախադասություն է։",
        "Liebe Leserinnen und Leser,",
        "(red)",
        "- ein Punkt einer Liste",
        "* * *",
        "Eine Zeile,\ndie umbrochen ist",
        "Dreizehn Wörter " + "und " * 10 + "Schluss",
        "Donaudampfschifffahrtsgesellschaft " * 2 + "Wirtschaftsminister",
        "橋の補修工事にかかった費用と工事の期間についての市の説明とそれに対する近くの住民たちの意見",
    ],
)
def test_other_lines_are_no_headings(tmp_path: Path, line):
    article = read(tmp_path, "a.txt", f"{PROSE}\n\n{line}\n\n{PROSE}")
    assert headings(article) == []
    assert article.text == f"{PROSE}\n\n{line}\n\n{PROSE}"


@pytest.mark.parametrize(
    "items", ["- Mehl\n- Milch und Eier", "1. Mehl sieben.\n2. Milch zugeben."]
)
def test_what_introduces_a_list_is_no_heading(tmp_path: Path, items):
    assert headings(read(tmp_path, "a.txt", f"{PROSE}\n\nMan nehme:\n\n{items}")) == []


def test_a_line_at_the_end_is_no_heading(tmp_path: Path):
    assert headings(read(tmp_path, "a.txt", f"{PROSE}\n\nMax Muster")) == []


def test_lines_broken_by_hand_stay_as_they_are(tmp_path: Path):
    text = "Der Hafen bleibt\ngeschlossen. Wie lange,\nweiß niemand.\n\nDas Amt schweigt\ndazu."
    assert read(tmp_path, "a.txt", text).text == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Der Hafen\nbleibt zu. Niemand weiß es.", "Der Hafen bleibt zu."),
        ("Ab z. B. Montag gilt es. Dann nicht.", "Ab z. B. Montag gilt es."),
        ("***\n\nDer Hafen bleibt zu. Schade.", "Der Hafen bleibt zu."),
        # A line that ends though the next word would have fitted is one of its own.
        ("Ida Brandt\nGeboren am 26. Juni 1968\nAmt Hafenmeisterin", "Ida Brandt"),
        (
            "Am Abend,\nals es regnete, ging Ida nach Hause.",
            "Am Abend, als es regnete, ging Ida nach Hause.",
        ),
        (
            "Ida Brandt ist seit gestern\nHafenmeisterin in Husum. Gut.",
            "Ida Brandt ist seit gestern Hafenmeisterin in Husum.",
        ),
        ("wort " * 40 + "ende.", "wort " * 19 + "wort…"),
        ("x" * 300 + ".", "x" * 100 + "…"),
        ("港は閉鎖されたままだ。理由は不明だ。", "港は閉鎖されたままだ。"),
        ("港" * 60 + "。", "港" * 40 + "…"),
        ("กี่" * 30, "กี่" * 13 + "…"),
    ],
)
def test_without_a_heading_the_first_sentence_or_line_is_the_title(tmp_path: Path, text, title):
    assert read(tmp_path, "a.txt", text).info.title == title

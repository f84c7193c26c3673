from __future__ import annotations

from pathlib import Path

import pytest

from qabot.articles import read_sources
from qabot.errors import ArticleError
from qabot.types import Article
from tests.articles.support import headings, read

SEEDS = Path(__file__).parents[2] / "seeds"


def test_the_front_matter_says_what_is_known_of_the_article(tmp_path: Path):
    source = """\
---
title: "Ein neuer  Leuchtturm"
published: 2021-11-05
language: de-AT
url: https://example.org/turm
tags: [turm, hafen]
---

Er leuchtet.
"""
    info = read(tmp_path, "turm.md", source).info
    assert info.title == "Ein neuer Leuchtturm"
    assert info.published == "2021-11-05"
    assert info.language == "de"
    assert info.url == "https://example.org/turm"
    assert info.id == "turm"


def test_the_title_is_not_put_into_the_text(tmp_path: Path):
    article = read(tmp_path, "a.md", "---\ntitle: Turm\n---\nEr leuchtet.")
    assert (article.text, article.headings) == ("Er leuchtet.", ())


@pytest.mark.parametrize(
    ("fields", "published"),
    [
        ("date: 2021", "2021"),
        ("date: 2021-11", "2021-11"),
        ("date: '2021-11-05'", "2021-11-05"),
        ("date: 2021-11-05T08:00:00Z", "2021-11-05"),
        ("date: 2021-11-05 08:00:00", "2021-11-05"),
        ("published: 2021\ndate: 2020", "2021"),
        ("published:\ndate: 2020", "2020"),
        ("published: null", None),
    ],
)
def test_a_date_is_as_exact_as_it_was_written(tmp_path: Path, fields, published):
    article = read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.")
    assert article.info.published == published


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ("title: [a, b]", "field `title`: not one value; write `title: …` on one line"),
        ("title: {a: b}", "field `title`: not one value; write `title: …` on one line"),
        (
            "published: 2023-02-30",
            "field `published`: '2023-02-30' is no date; write YYYY, YYYY-MM or YYYY-MM-DD",
        ),
        (
            "date: 5. November 2021",
            "field `date`: '5. November 2021' is no date; write YYYY, YYYY-MM or YYYY-MM-DD",
        ),
        (
            "lang: German",
            "field `lang`: 'German' is no language; write a two-letter code such as de",
        ),
        (
            "url: javascript:alert(1)",
            "field `url`: 'javascript:alert(1)' is no web address; begin it with https://",
        ),
        (
            "title: a\nlanguage: *de",
            "front matter is not valid YAML (line 3: found undefined alias 'de'); "
            "correct it or put values with special characters in quotes",
        ),
        (
            "a: " + "[" * 1_000,
            "front matter is not valid YAML (it cannot be parsed); "
            "correct it or put values with special characters in quotes",
        ),
        ("just a line", "front matter holds no fields; write lines such as `title: …`"),
    ],
)
def test_a_field_without_a_sensible_value_is_named_with_the_remedy(
    tmp_path: Path, fields, complaint
):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.")
    assert str(caught.value) == f"{(tmp_path / 'a.md').as_posix()}: {complaint}"


def test_yaml_tags_make_nothing_but_text(tmp_path: Path):
    fields = "title: !!python/object/apply:os.getcwd []\nx: !!timestamp no\ny: !!int ''"
    with pytest.raises(ArticleError, match="field `title`: not one value"):
        read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.")


@pytest.mark.parametrize("source", ["---\n---\nEr leuchtet.", "---\nEr leuchtet.", "Er leuchtet."])
def test_front_matter_may_be_empty_or_missing(tmp_path: Path, source):
    article = read(tmp_path, "a.md", source)
    assert (article.text, article.info.title) == ("Er leuchtet.", "Er leuchtet.")


def test_without_a_title_the_main_heading_is_it(tmp_path: Path):
    article = read(tmp_path, "a.md", "Vorspann.\n\n# Der *neue* Turm\n\nEr leuchtet.")
    assert article.info.title == "Der neue Turm"
    article = read(tmp_path, "a.md", "### Der Turm\n\nEr leuchtet.")
    assert article.info.title == "Der Turm"


def test_a_section_s_heading_is_not_taken_for_the_title(tmp_path: Path):
    article = read(tmp_path, "a.md", "Der Turm leuchtet. Endlich.\n\n## Kosten\n\nEr war teuer.")
    assert article.info.title == "Der Turm leuchtet."


def test_headings_of_all_levels_keep_their_place(tmp_path: Path):
    source = (
        "# Eins\nText.\n\nZwei\n----\n\n###### Sechs ######\n\n# ![nur ein Bild](a.png)\n\nEnde."
    )
    article = read(tmp_path, "a.md", source)
    assert headings(article) == [(1, "Eins"), (2, "Zwei"), (6, "Sechs")]
    assert article.text == "Eins\n\nText.\n\nZwei\n\nSechs\n\nEnde."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Ein **fettes** und *schräges* ~~altes~~ Wort.", "Ein fettes und schräges altes Wort."),
        ("Ein [Link](https://a.example 'x'), <https://b.example>.", "Ein Link, https://b.example."),
        ("Ein ![Bild](a.png)Bild.", "Ein Bild."),
        ("Das Kommando `ls -l` zeigt\n`*`.", "Das Kommando ls -l zeigt\n*."),
        (
            "Zeile eins\nZeile zwei  \nZeile drei\\\nvier",
            "Zeile eins\nZeile zwei\nZeile drei\nvier",
        ),
        ("Ein<br>Umbruch und <b>Fett</b>.", "Ein\nUmbruch und Fett."),
        ("A &amp; B &copy; \\*C\\*", "A & B © *C*"),
        ("<div>\nweg\n</div>\n\nDa.", "Da."),
        ("<!-- weg -->\n\nDa.", "Da."),
        ("Da.\n\n---\n\nDort.", "Da.\n\nDort."),
        ("> Ein Zitat.\n>\n> Noch eins.\n\nDa.", "Ein Zitat.\n\nNoch eins.\n\nDa."),
        (
            "Es gibt:\n\n- eins\n- **zwei**\n  - innen\n- drei\n\nDa.",
            "Es gibt:\n\neins\nzwei\ninnen\ndrei\n\nDa.",
        ),
        ("1. eins\n\n   Absatz\n\n2. zwei", "eins\nAbsatz\nzwei"),
        ("| A | B |\n|---|---|\n| 1 | *2* |\n\nDa.", "A | B\n1 | 2\n\nDa."),
        ("```python\nif a:\n    b = '*'\n\n\n\nc\n```\n\nDa.", "if a:\n    b = '*'\n\nc\n\nDa."),
        ("Da.\n\n    if a:\n        b\n", "Da.\n\nif a:\n    b"),
    ],
)
def test_the_body_becomes_clean_text(tmp_path: Path, source, text):
    assert read(tmp_path, "a.md", source).text == text


def test_the_seed_articles_are_read_with_what_they_declare():
    articles = list(read_sources([SEEDS]))
    assert articles
    for article in articles:
        assert isinstance(article, Article)
        source = Path(article.info.source).read_text("utf-8")
        assert f'title: "{article.info.title}"\n' in source
        assert f"language: {article.info.language}\n" in source
        assert f'published: "{article.info.published}"\n' in source
        assert headings(article) == [
            (2, line.removeprefix("## ")) for line in source.split("\n") if line.startswith("## ")
        ]
        assert "#" not in article.text

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from qabot.articles import Skipped, read_sources
from qabot.errors import ArticleError
from tests.articles.support import headings, read

P1 = "Die Werft hat am Montag den ersten Schlepper seit zehn Jahren vom Stapel gelassen."
P2 = "Hunderte kamen, um dabei zu sein, und die Kapelle spielte bis in den späten Abend hinein."
P3 = "Im Frühjahr soll das zweite Schiff folgen, sagte die Leiterin der Werft vor der Presse."

PAGE = f"""\
<!DOCTYPE html>
<html lang="de-DE"><head><title>Stapellauf in Wittsiel - Küstenblatt</title>
<link rel="canonical" href="https://kuestenblatt.example/stapellauf">
<meta property="article:published_time" content="2021-05-03T10:00:00+02:00"></head>
<body><nav><ul><li><a href="/">Start</a></li><li><a href="/a">Politik</a></li></ul></nav>
<article><h1>Stapellauf in Wittsiel</h1>
<p>Die Werft hat am <b>Montag</b> den ersten
   <a href="/x">Schlepper</a> seit zehn Jahren vom Stapel gelassen.</p>
<h2>Fest<br>am Kai</h2><p>{P2}<img src="a.png" alt="Bild"></p>
<ul><li>Länge: 30 Meter</li><li>Breite:<ul><li>9 Meter</li></ul></li></ul>
<table><tr><th>Jahr</th><th>Schiffe</th></tr><tr><td>2011</td><td>1</td></tr></table>
<pre><code>if a:
    b</code></pre>
<h3>Wie es weitergeht</h3><p>{P3}</p></article>
<footer>Impressum, Datenschutz und Kontakt</footer></body></html>
"""


def page(content: str, head: str = "", attributes: str = "") -> str:
    return f"<html {attributes}><head>{head}</head><body>{content}</body></html>"


def test_a_page_is_read_without_what_surrounds_its_article(tmp_path: Path):
    article = read(tmp_path, "a.html", PAGE)
    assert article.text == (
        f"Stapellauf in Wittsiel\n\n{P1}\n\nFest am Kai\n\n{P2}\n\n"
        "Länge: 30 Meter\nBreite:\n9 Meter\n\nJahr | Schiffe\n2011 | Schiffe: 1\n\nif a:\n    b\n\n"
        f"Wie es weitergeht\n\n{P3}"
    )
    assert headings(article) == [
        (1, "Stapellauf in Wittsiel"),
        (2, "Fest am Kai"),
        (3, "Wie es weitergeht"),
    ]


def test_what_a_page_says_about_itself_is_known(tmp_path: Path):
    info = read(tmp_path, "a.html", PAGE).info
    assert info.title == "Stapellauf in Wittsiel"
    assert info.url == "https://kuestenblatt.example/stapellauf"
    assert info.published == "2021-05-03"
    assert info.language == "de"


def test_what_a_page_does_not_say_is_found_in_its_text_or_left_open(tmp_path: Path):
    info = read(tmp_path, "a.html", page(f"<article><p>{P1}</p><p>{P2}</p></article>")).info
    assert (info.title, info.language, info.published, info.url) == (P1, "de", None, None)


DATED = f"<article><p>{P1}</p><p>Am 7. Juni 2019 war das noch anders.</p><p>{P2}</p></article>"


@pytest.mark.parametrize(
    ("stated", "published"),
    [
        ('<meta property="article:published_time" content="2021-05-03">', "2021-05-03"),
        ('<meta name="date" content="03.05.2021">', "2021-05-03"),
        ('<meta name="dcterms.date" content="2021-05">', "2021-05"),
        ("", None),
    ],
)
def test_no_more_of_a_date_is_believed_than_the_page_states(tmp_path: Path, stated, published):
    article = read(tmp_path, "a.html", page(DATED, stated))
    assert article.info.published == published


@pytest.mark.parametrize(
    ("attributes", "head"),
    [
        ('lang="nl"', ""),
        ('xml:lang="nl-BE"', ""),
        ("", '<meta http-equiv="Content-Language" content="nl">'),
        ('lang="dutch"', '<meta property="og:locale" content="nl_NL">'),
    ],
)
def test_a_declared_language_is_believed(tmp_path: Path, attributes, head):
    article = read(tmp_path, "a.html", page(f"<p>{P1}</p><p>{P2}</p>", head, attributes))
    assert article.info.language == "nl"


def test_an_address_that_is_no_web_address_is_left_out(tmp_path: Path):
    head = '<link rel="canonical" href="javascript:alert(1)">'
    assert read(tmp_path, "a.html", page(f"<p>{P1}</p><p>{P2}</p>", head)).info.url is None


def test_a_page_without_an_article_element_keeps_its_headings_and_lists(tmp_path: Path):
    content = (
        f"<h1>Werft</h1><p>{P1}</p><h2>Fest</h2><p>{P2}</p><ul><li>eins</li><li>zwei</li></ul>"
    )
    article = read(tmp_path, "a.html", page(content))
    assert article.text == f"Werft\n\n{P1}\n\nFest\n\n{P2}\n\neins\nzwei"
    assert headings(article) == [(1, "Werft"), (2, "Fest")]


def test_a_fragment_of_a_page_is_read(tmp_path: Path):
    assert read(tmp_path, "a.htm", f"<p>{P1}</p>").text == P1


def test_xhtml_with_an_xml_declaration_is_read(tmp_path: Path):
    declaration = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    source = declaration + page(f"<p>{P2}</p>", attributes='xmlns="http://www.w3.org/1999/xhtml"')
    assert read(tmp_path, "a.xhtml", source.encode("latin-1")).text == P2


@pytest.mark.parametrize(
    "source", ["<html></html>", page("<script>var a = 1;</script>"), page("<img src='a.png'>")]
)
def test_a_page_without_text_is_refused_quietly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], source
):
    caplog.set_level(logging.WARNING)
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.html", source)
    assert str(caught.value) == (
        f"{(tmp_path / 'a.html').as_posix()}: no main text found in the page; "
        "save the page's text as Markdown or plain text"
    )
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<p hidden>Nicht mehr gültig.</p><p aria-hidden='true'>Weg.</p>", ""),
        ("<div style='display: none'>Weg.</div>", ""),
        (
            "<aside class='note'><p>Hinweis: Nachts ist zu.</p></aside>",
            "Hinweis: Nachts ist zu.\n\n",
        ),
        ("<aside class='related'><p>Lesen Sie auch dies hier.</p></aside>", ""),
        (
            "<figure><img src='a.png'><figcaption>Das älteste Boot, 1911.</figcaption></figure>",
            "Das älteste Boot, 1911.\n\n",
        ),
        (
            "<dl><dt>Länge</dt><dd>9 m</dd><dt>Wann?</dt><dd>Mai.</dd></dl>",
            "Länge: 9 m\nWann? Mai.\n\n",
        ),
        (
            "<table><tr><th>Tag<th>Früh<th>Spät<tr><td>Mo<td><td>17<tr><td>Di<td>9<td></table>",
            "Tag | Früh | Spät\nMo | Spät: 17\nDi | Früh: 9\n\n",
        ),
        (
            "<table><tr><td>Mo<td><ul><li>9<li>12</ul><tr><td>Di<td><p><b>zu</b></p></table>",
            "Mo | 9, 12\nDi | zu\n\n",
        ),
        (
            "<table><tr><th>Boot<th>Jahr<tr><td><a href='/r'>Reiher</a><td>1987"
            "<tr><td><a href='/o'>Otter</a><td>2003</table>",
            "Boot | Jahr\nReiher | Jahr: 1987\nOtter | Jahr: 2003\n\n",
        ),
        ("<h2>Fest<a class='headerlink' href='#f'>¶</a></h2>", "Fest\n\n"),
        (
            "<p>Das <ruby>橋<rp>(</rp><rt>はし</rt><rp>)</rp></ruby>ist alt.</p>",
            "Das 橋ist alt.\n\n",
        ),
        (
            "<div><button class='x'>Was kostet es?</button><div class='content'><p>Nichts, wenn "
            "man hilft, und sonst zehn Euro.</p></div></div>",
            "Was kostet es?\n\nNichts, wenn man hilft, und sonst zehn Euro.\n\n",
        ),
        (
            "<div><button aria-expanded='false'>Was kostet es?</button></div>"
            "<div hidden>Nichts, wenn man hilft.</div>",
            "Was kostet es?\n\nNichts, wenn man hilft.\n\n",
        ),
    ],
)
def test_what_people_see_of_an_article_is_read_and_nothing_else(tmp_path: Path, inside, text):
    source = page(f"<main><h1>Werft</h1><p>{P1}</p>{inside}<p>{P2}</p><p>{P3}</p></main>")
    article = read(tmp_path, "a.html", source)
    assert article.text == f"Werft\n\n{P1}\n\n{text}{P2}\n\n{P3}"


SERVER = '<link rel="canonical" href="https://www.das-blatt.example/stapellauf">'
JSON_LD = '<script type="application/ld+json">{"@graph": [{"headline": "%s"}]}</script>'


@pytest.mark.parametrize(
    ("head", "headings", "title"),
    [
        ("<title>Der Stapellauf - Blatt</title>", "<h1>Blatt</h1><h2>Der Stapellauf</h2>", None),
        (
            '<title>Blatt: Der Stapellauf</title><meta property="og:title" content="Blatt">',
            "<h1>Blatt</h1><h2>Der Stapellauf</h2>",
            None,
        ),
        (
            "<title>Der Stapellauf | Blatt</title>" + JSON_LD % "Der Stapellauf",
            "<h1>Der Stapellauf - Blatt</h1>",
            None,
        ),
        (
            '<title>Der Stapellauf | Blatt</title><meta property="og:title" '
            'content="Der Stapellauf | Blatt"><meta property="og:site_name" content="Blatt">',
            "",
            None,
        ),
        ("<title>Blatt</title>", "<h1>Ein anderer Titel</h1>", "Ein anderer Titel"),
        ("<title>Der Stapellauf | Das Blatt</title>" + SERVER, "", None),
        ("<title>Der Stapellauf |</title>" + JSON_LD % "Der Stapellauf &amp;amp; mehr", "", ...),
        ("<title>Schiff - ahoi | Blatt</title>", "<h1>Schiff – ahoi</h1>", "Schiff – ahoi"),
    ],
)
def test_the_title_is_the_article_s_and_not_the_site_s(tmp_path: Path, head, headings, title):
    source = page(f"<main>{headings}<p>{P1}</p><p>{P2}</p><p>{P3}</p></main>", head)
    expected = "Der Stapellauf & mehr" if title is ... else title or "Der Stapellauf"
    assert read(tmp_path, "a.html", source).info.title == expected


@pytest.mark.parametrize(
    ("below", "stated", "published"),
    [
        ("<p class='date'>3. Mai 2021 | Wittsiel</p>", "", "2021-05-03"),
        ("<div><span>Von Änne Friis</span> <span>03.05.21</span></div>", "", "2021-05-03"),
        ("<p>May 3, 2021</p>", "2021-05-04T01:10:00Z", "2021-05-03"),
        ("<p>May 3, 2021</p>", "2020-11-04T01:10:00Z", "2020-11-04"),
        ("<p>3. Mai 2021</p><p>7. Mai 2021</p>", "", None),
        (f"<p>Am 3. Mai 2021 war es so weit. {P2}</p>", "", None),
    ],
)
def test_the_day_that_stands_below_the_headline_is_known(tmp_path: Path, below, stated, published):
    head = f'<meta property="article:published_time" content="{stated}">' if stated else ""
    source = page(f"<h1>Stapellauf</h1>{below}<main><p>{P1}</p><p>{P2}</p><p>{P3}</p></main>", head)
    assert read(tmp_path, "a.html", source).info.published == published


def test_the_lead_between_the_headline_and_the_text_is_read(tmp_path: Path):
    lead = "Ganz Wittsiel war auf den Beinen, als es am Kai endlich so weit war."
    around = "<p class='share'>Teilen Sie diesen Artikel mit Ihren Freunden und Bekannten.</p>"
    source = page(
        f"<div><h1>Stapellauf</h1><div class='teaser'>{lead}</div>{around}</div>"
        f"<article><p>{P1}</p><p>{P2}</p><p>{P3}</p></article>"
    )
    text = read(tmp_path, "a.html", source).text
    assert text.removeprefix("Stapellauf\n\n") == f"{lead}\n\n{P1}\n\n{P2}\n\n{P3}"


def test_a_page_nested_too_deeply_is_no_reason_to_stop(tmp_path: Path):
    (tmp_path / "a.html").write_text("<ul><li>a" * 5_000)
    (tmp_path / "b.txt").write_text(P1)
    items = list(read_sources([tmp_path]))
    assert len(items) == 2
    assert not isinstance(items[1], Skipped)


def test_heavy_libraries_are_imported_when_they_are_needed():
    program = "import sys, qabot.articles; print({'trafilatura', 'markdown_it'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"

from __future__ import annotations

import logging
import re
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
P4 = "Bis dahin bleibt der Kai für Besucher offen, und sonntags gibt es Führungen durch die Halle."

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
        (
            "<table><tr><th colspan=2>Maße<tr><th>Länge<td>9 m<tr><th colspan=2>Baujahr"
            "<tr><th>Kiel<td>1987<tr><th>Mast<td>2003</table>",
            "Maße\nLänge: 9 m\nBaujahr\nKiel: 1987\nMast: 2003\n\n",
        ),
        (
            "<table class='navbox'><tr><th>Boot<th>Jahr<tr><td>Reiher<td>1987"
            "<tr><td>Otter<td>2003</table>",
            "Boot | Jahr\nReiher | Jahr: 1987\nOtter | Jahr: 2003\n\n",
        ),
        (
            "<blockquote><table><tr><th>Boot<th>Jahr<tr><td>Reiher<td>1987</table></blockquote>",
            "Boot | Jahr\nReiher | Jahr: 1987\n\n",
        ),
        (
            "<blockquote><p>Ein Traum von einem Kai.</p><footer>Ida Brandt</footer></blockquote>",
            "Ein Traum von einem Kai.\n\nIda Brandt\n\n",
        ),
        ("<figure><img src='a.png'><figcaption>Foto: Änne Friis</figcaption></figure>", ""),
        ("<figure><img src='a.png'><figcaption>Kai © Änne Friis</figcaption></figure>", ""),
        ("<p>Lesen Sie auch: <a href='/k'>Der Kai wird bald breiter</a></p>", ""),
        ("<p>Zuständig: <a href='/amt'>Hafenamt</a></p>", "Zuständig: Hafenamt\n\n"),
        (
            "<div class='newsletter-box'><p>Jede Woche alles vom Kai in Ihrem Postfach.</p></div>",
            "",
        ),
        (
            "<div id='relatedPosts'><p>Der Kai wird breiter. Warum das so lange dauert.</p></div>",
            "",
        ),
        ("<ul class='crumbs'><li>Start</li><li>Werft und Hafen</li></ul>", ""),
        (f"<div class='toc'><p>{P1} {P2} {P3}</p>{4 * f'<p>{P3} {P1}</p>'}</div>", ...),
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
            "<h3><a role='button' aria-controls='x'>Die Kosten</a></h3>"
            "<div id='x' style='display:none'><p>Nichts, wenn man hilft.</p></div>",
            "Die Kosten\n\nNichts, wenn man hilft.\n\n",
        ),
        (
            "<div><div role='button' aria-expanded='false'>Was kostet es?</div>"
            "<div hidden>Nichts, wenn man hilft.</div></div>",
            "Was kostet es?\n\nNichts, wenn man hilft.\n\n",
        ),
        ("<p>Das Boot.</p><span role='button'>Bild zeigen</span>", "Das Boot.\n\n"),
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
    if text is ...:
        # Large enough to be the article, whatever it is called.
        text = f"{P1} {P2} {P3}\n\n" + 4 * f"{P3} {P1}\n\n"
    assert article.text == f"Werft\n\n{P1}\n\n{text}{P2}\n\n{P3}"


@pytest.mark.parametrize(
    "end",
    [
        "<h2>Mehr vom Kai</h2>",
        "<p>Lesen Sie weiter:</p><ul><li><a href='/k'>Der Kai wird bald breiter</a></li></ul>",
        "<h3>Kontakt</h3><p>Weitere Auskünfte:</p>",
    ],
)
def test_what_leads_to_nothing_at_the_end_is_left_out(tmp_path: Path, end):
    source = page(f"<article><p>{P1}</p><p>{P2}</p><p>{P3}</p>{end}</article>")
    text = read(tmp_path, "a.html", source).text
    assert text.removesuffix("\n\nKontakt") == f"{P1}\n\n{P2}\n\n{P3}"


def test_a_short_page_keeps_what_it_says_twice(tmp_path: Path):
    source = page(f"<article><h1>Werft</h1><p>{P1}</p><p>{P1}</p></article>")
    assert read(tmp_path, "a.html", source).text == f"Werft\n\n{P1}\n\n{P1}"


def test_a_short_page_is_read_whatever_its_article_is_called(tmp_path: Path):
    source = page(
        f"<div class='related'><div class='newsletter'><p>{P1}</p><p>{P2}</p></div></div>"
    )
    assert read(tmp_path, "a.html", source).text == f"{P1}\n\n{P2}"


def test_a_short_page_is_read_without_its_notices(tmp_path: Path):
    notice = "Wir verwenden Kekse, um Ihnen die Seite zu zeigen, und noch viel mehr davon."
    source = page(
        f"<div id='cookie-banner'><p>{notice}</p><button>Ja</button></div><div><h1>Fähre</h1>"
        "<p>Die Fähre fährt um 7.20 Uhr.</p><p>Räder kosten 2 Euro.</p></div>"
        "<div class='share'><p>Diese Seite teilen</p></div>"
    )
    text = read(tmp_path, "a.html", source).text
    assert text == "Fähre\n\nDie Fähre fährt um 7.20 Uhr.\n\nRäder kosten 2 Euro."


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
        ("<title>Der Stapellauf im Mai | Blatt</title>", "<h1>Der Stapellauf</h1>", None),
        (
            '<title>Der Stapellauf</title><meta property="og:title" content="Der Stapellauf">',
            "<h1>Küstenblatt</h1>",
            None,
        ),
        (
            "<title>Im Mai | Der Stapellauf</title>" + JSON_LD % "Im Mai",
            "<h1>Der Stapellauf</h1>",
            None,
        ),
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
        ("<p>Datum: <b>3. Mai 2021</b></p><p>Im Amtsblatt vom 7. Mai 2021</p>", "", "2021-05-03"),
        (f"<p>3.5.2021 – Am Kai war es so weit. {P2}</p>", "", "2021-05-03"),
        (f"<p>(3. Mai 2021) Am Kai war es so weit. {P2}</p>", "", "2021-05-03"),
        ("<table><tr><td>23 | 05 | 2021</td><td>Hafen</td></tr></table>", "", "2021-05-23"),
        ("<p>2021/05/03</p>", "", "2021-05-03"),
        ("<p>3/5/2021 22:41</p>", "2021-05-04T01:10:00Z", "2021-05-03"),
        ("<p>3/5/2021 22:41</p>", "", None),
        ("<blockquote><p>3. Mai 2021</p></blockquote>", "", None),
    ],
)
def test_the_day_that_stands_below_the_headline_is_known(tmp_path: Path, below, stated, published):
    head = f'<meta property="article:published_time" content="{stated}">' if stated else ""
    source = page(f"<h1>Stapellauf</h1>{below}<main><p>{P1}</p><p>{P2}</p><p>{P3}</p></main>", head)
    assert read(tmp_path, "a.html", source).info.published == published


@pytest.mark.parametrize(
    ("head", "published"),
    [
        ('<meta name="date" content="2020-11-04">', "2021-05-03"),
        ('<meta name="dcterms.date" content="2020-11-04">', "2021-05-03"),
        (
            '<script type="application/ld+json">{"datePublished": "2020-11-04T09:00"}</script>',
            "2020-11-04",
        ),
        ('<meta itemprop="datePublished" content="2020-11-04">', "2020-11-04"),
    ],
)
def test_a_day_that_is_no_day_of_publication_gives_way_to_the_one_shown(
    tmp_path: Path, head, published
):
    source = page(f"<h1>Kai</h1><p>3. Mai 2021</p><main><p>{P1}</p><p>{P2}</p></main>", head)
    assert read(tmp_path, "a.html", source).info.published == published


@pytest.mark.parametrize(
    ("line", "is_kept"),
    [
        ("<p>© Änne Friis/Küstenbild</p>", False),
        ("<p>© 2021 Küstenblatt. Jede Verwendung bedarf der Erlaubnis.</p>", False),
        ("<p>(Foto: Änne Friis)</p>", False),
        ("<p>Photo by: Ana Friis</p>", False),
        ("<p>Treffpunkt: Halle 3</p>", True),
        ("<p><a href='/kai'>Am Kai wird wieder gebaut</a></p>", False),
        ("<p><a href='/kai'>Am Kai wird wieder gebaut</a> und das mit Erfolg.</p>", True),
    ],
)
def test_lines_of_rights_and_links_to_other_pages_are_not_read(tmp_path: Path, line, is_kept):
    source = page(f"<main><h1>Werft</h1><p>{P1}</p><p>{P2}</p>{line}<p>{P3}</p><p>{P4}</p></main>")
    text = read(tmp_path, "a.html", source).text
    words = " ".join("".join(re.split("<[^>]*>", line)).split())
    assert (words in text) == is_kept
    assert {P1, P2, P3, P4} <= set(text.split("\n\n"))


def test_a_page_of_links_keeps_them(tmp_path: Path):
    links = [f"Bericht über den Kai im Jahr {year}" for year in range(2001, 2009)]
    paragraphs = "".join(f"<p><a href='/{n}'>{text}</a></p>" for n, text in enumerate(links))
    source = page(f"<main><h1>Werft</h1><p>{P1}</p><p>{P2}</p>{paragraphs}</main>")
    text = read(tmp_path, "a.html", source).text
    assert all(link in text for link in links)


def test_the_numbers_of_lists_are_those_that_a_browser_shows(tmp_path: Path):
    steps = "<ol start='3'><li>Den Strom abschalten.</li><li><p>Den Deckel heben.</p></li></ol>"
    source = page(f"<main><h1>Werft</h1><p>{P1}</p><p>So geht es:</p>{steps}<p>{P2}</p></main>")
    text = read(tmp_path, "a.html", source).text
    assert "3. Den Strom abschalten.\n4. Den Deckel heben." in text


def test_today_s_day_at_the_top_of_a_page_is_not_that_of_its_article(tmp_path: Path):
    menu = "".join(f"<li><a href='/{n}'>Ressort {n}</a></li>" for n in range(40))
    source = page(
        f"<div>Freitag, 4. Februar 2022</div><ul>{menu}</ul>"
        f"<main><h1>Stapellauf</h1><p>3. Mai 2021</p><p>{P1}</p><p>{P2}</p><p>{P3}</p></main>"
    )
    assert read(tmp_path, "a.html", source).info.published == "2021-05-03"


@pytest.mark.parametrize(
    ("shown", "published"),
    [
        # What a reader sees as the day of the article, where the page states it, too.
        ("3. Mai 2021, 15:33 Uhr", "2021-05-03"),
        ("Monday, May 3, 2021", "2021-05-03"),
        ("Updated May 3, 2021", "2019-11-04"),
        ("7. Mai 2021", "2019-11-04"),
    ],
)
def test_the_day_shown_may_be_that_of_a_change(tmp_path: Path, shown, published):
    head = (
        '<meta property="article:published_time" content="2019-11-04T09:00:00Z">'
        '<meta property="article:modified_time" content="2021-05-03T09:00:00Z">'
    )
    source = page(f"<h1>Kai</h1><p>{shown}</p><main><p>{P1}</p><p>{P2}</p></main>", head)
    assert read(tmp_path, "a.html", source).info.published == published


@pytest.mark.parametrize(
    ("end", "head", "published"),
    [
        ("<p><em>3. Mai 2021</em></p>", "", "2021-05-03"),
        ("<p><em>3. Mai 2021</em></p><p>4. Mai 2021</p>", "", None),
        ("</main><aside>3. Mai 2021</aside>", "", None),
        ("<div class='teaser'>3. Mai 2021</div>", "", None),
        ("", '<meta name="description" content="Meldung vom 3. Mai 2021 (Hafen)">', "2021-05-03"),
    ],
)
def test_without_a_day_near_the_headline_the_only_one_counts(tmp_path: Path, end, head, published):
    text = f"<p>{P1}</p><p>{P2}</p><p>{P3}</p>" * 12
    source = page(f"<main><h1>Kai</h1>{text}{end}</main>", head)
    assert read(tmp_path, "a.html", source).info.published == published


@pytest.mark.parametrize(
    ("head", "attributes"),
    [
        ("", "class='article-subtitle'"),
        ("", "itemprop='description'"),
        ('<meta name="description" content="Ganz Wittsiel war auf den Beinen, als es am Kai">', ""),
    ],
)
def test_a_lead_need_not_end_like_a_sentence_where_the_page_names_it(
    tmp_path: Path, head, attributes
):
    lead = "Ganz Wittsiel war auf den Beinen, als es am Kai endlich so weit war"
    source = page(
        f"<div><h1>Stapellauf</h1><div class='teaser'><div {attributes}>{lead}</div></div></div>"
        f"<article><p>{P1}</p><p>{P2}</p><p>{P3}</p></article>",
        head,
    )
    text = read(tmp_path, "a.html", source).text
    assert text.removeprefix("Stapellauf\n\n") == f"{lead}\n\n{P1}\n\n{P2}\n\n{P3}"


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


def test_raised_numbers_of_a_page_stay_raised(tmp_path: Path):
    page = f"<html><body><article><p>{P1}</p><p>{P2} 12 m<sup>2</sup>, 2<sup><i>7</i></sup> und "
    page += f"der 1<sup>er</sup> Platz.</p><p>{P3}</p></article></body></html>"
    assert "12 m², 2⁷ und der 1er Platz." in read(tmp_path, "a.html", page).text


@pytest.mark.parametrize("paragraphs", [1, 60])
def test_a_formula_of_a_page_is_one_line(tmp_path: Path, paragraphs):
    formula = (
        "<math><semantics><mfrac><mn>1</mn><mn>2</mn></mfrac>"
        "<annotation encoding='application/x-tex'>frac12</annotation></semantics></math>"
    )
    rest = "".join(f"<p>{n}. {P1}</p>" for n in range(paragraphs))
    page = f"<html><body><article><p>{P2} Es kostet {formula} Mark.</p>{rest}</article></body>"
    assert "Es kostet 1/2 Mark." in read(tmp_path, "a.html", page).text

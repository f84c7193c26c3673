"""Feeds as sources: pages of their entries, what feeds hold themselves, and what became old."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.web.support import OPTIONS, build, held, reasons, rss, sitemap, story, titles

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
  <title>Nachrichten</title>
  <entry>
    <title>Die Brücke</title>
    <link rel="alternate" href="/bruecke"/>
    <published>2023-05-04T10:00:00Z</published>
    <content type="html">&lt;p&gt;{}&lt;/p&gt;</content>
  </entry>
</feed>"""
GERMAN = (
    "Die Brücke wurde im Jahr 1907 vom Bürgermeister eröffnet, und mehr als zweitausend Menschen "
    "aus dem ganzen Land waren gekommen, um sie zu sehen."
)
BOMB = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">
{}]><rss version="2.0"><channel><item><title>&z;</title><link>http://127.0.0.1/</link></item>
</channel></rss>"""


@pytest.fixture
def pages(site) -> list[str]:
    return [site.put_story(f"/{n}", f"Bridge {n}") for n in range(3)]


def items(pages: list[str]) -> list[tuple[str, str]]:
    return [(page, "Short.") for page in pages]


@pytest.mark.parametrize("media", ["application/rss+xml", "text/xml", "text/html"])
def test_the_pages_of_a_feed_are_read(index, site, pages, media):
    source = site.put("/feed", rss(*items(pages)), media=media)
    summary = build(index, source)
    assert (3, ()) == (summary.articles, summary.skipped)
    assert titles(index) == {"Bridge 0", "Bridge 1", "Bridge 2"}
    site.forget()
    assert not build(index, source).changed
    assert {status for path, _, status in site.seen if path != "/robots.txt"} == {304}


def test_where_a_page_cannot_be_had_the_feeds_own_text_is_taken(index, site):
    source = site.put("/feed", ATOM.format(GERMAN), media="application/atom+xml")
    site.put("/bruecke", "pay", status=402)
    summary = build(index, source)
    assert (1, ()) == (summary.articles, summary.skipped)
    (article,) = held(index).values()
    assert article.text == f"Die Brücke\n\n{GERMAN}"
    info = article.info
    assert (info.title, info.language, info.published) == ("Die Brücke", "de", "2023-05-04")
    assert info.source == info.url == site.url + "/bruecke"
    assert not build(index, source).changed
    site.put("/feed", ATOM.format(GERMAN.replace("1907", "1911")), media="application/atom+xml")
    assert build(index, source).changed
    (article,) = held(index).values()
    assert "1911" in article.text
    site.put_story("/bruecke", "The bridge")
    assert build(index, source).changed
    assert titles(index) == {"The bridge"}
    # A whole article does not give way to the feed's shorter one, unless it is gone for good.
    site.put("/bruecke", "pay", status=402)
    assert not build(index, source).changed
    del site.replies["/bruecke"]
    assert [build(index, source).changed for _ in range(4)] == [False, False, True, False]
    assert titles(index) == {"Die Brücke"}


def test_without_text_of_its_own_an_entry_is_skipped_with_the_pages_reason(index, site, pages):
    source = site.put("/feed", rss((pages[0], ""), (site.url + "/none", "")), media="text/xml")
    summary = build(index, source)
    assert reasons(summary) == {site.url + "/none": "is not there (404 Not Found)"}
    assert summary.articles == 1


def test_what_is_in_the_feed_no_more_stays_until_its_page_is_gone(index, site, pages):
    source = site.put("/feed", rss(*items(pages)), media="text/xml")
    build(index, source)
    site.put("/feed", rss(*items(pages[:1])), media="text/xml")
    for _ in range(5):
        summary = build(index, source)
        assert (3, False, ()) == (summary.articles, summary.changed, summary.skipped)
    site.put_story("/1", "Tunnel 1")
    assert build(index, source).changed
    assert titles(index) == {"Bridge 0", "Tunnel 1", "Bridge 2"}
    del site.replies["/2"]
    assert [build(index, source).articles for _ in range(4)] == [3, 3, 2, 2]
    site.forget()
    build(index, source)
    assert site.asked("/2") == []


def test_old_pages_are_asked_for_a_few_at_a_time(index, site):
    pages = [site.put_story(f"/{n}", f"Bridge {n}") for n in range(7)]
    source = site.put("/feed", rss(*items(pages)), media="text/xml")
    options = replace(OPTIONS, rechecked=2)
    build(index, source, web=options)
    site.put("/feed", rss(*items(pages[:1])), media="text/xml")
    site.forget()
    for _ in range(3):
        assert build(index, source, web=options).articles == 7
    counts = [len(site.asked(f"/{n}")) for n in range(7)]
    assert counts == [3, 1, 1, 1, 1, 1, 1]


def test_a_page_in_feed_and_sitemap_is_asked_for_once(index, site, pages):
    feed = site.put("/feed", rss(*items(pages)), media="text/xml")
    site_map = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build(index, feed, site_map, pages[0])
    assert [len(site.asked(f"/{n}")) for n in range(3)] == [1, 1, 1]
    site.put("/sitemap.xml", sitemap(*pages[:1]), media="text/xml")
    site.put("/feed", rss(*items(pages[:2])), media="text/xml")
    # Out of the sitemap, but once in the feed: that the page is there counts.
    for _ in range(4):
        assert build(index, feed, site_map, pages[0]).articles == 3


def test_a_feed_that_is_away_costs_no_article(index, site, pages):
    source = site.put("/feed", rss(*items(pages)), media="text/xml")
    build(index, source)
    for body, status in (("", 404), ("", 500), ("<rss", 200), ("gone", 200)):
        site.put("/feed", body, status=status, media="text/xml")
        summary = build(index, source)
        assert (3, False, 1) == (summary.articles, summary.changed, len(summary.skipped)), body
        assert summary.skipped[0].reason.endswith("; its 3 articles are kept as they were")
    for body in ("<rss></rss>", "<rss>", rss()):
        site.put("/feed", body, media="text/xml")
        assert build(index, source).articles == 3


def test_a_lost_memory_costs_no_article(index, site, pages):
    source = site.put("/feed", rss(*items(pages)), media="text/xml")
    build(index, source)
    (index / "web.sqlite").unlink()
    site.put("/feed", rss(*items(pages[:1])), media="text/xml")
    for _ in range(4):
        assert build(index, source).articles == 3


def test_a_feed_that_is_no_well_formed_xml_is_read_none_the_less(index, site, pages):
    text = rss(*items(pages)).replace("<title>News</title>", "<title>Rock & roll</title>")
    source = site.put("/feed", text, media="text/xml")
    assert build(index, source).articles == 3


def test_text_of_a_feed_that_is_no_html_is_taken_as_it_stands(index, site):
    text = ATOM.format("").replace('<content type="html">&lt;p&gt;&lt;/p&gt;', "<content>{}")
    text = text.format(" ".join(story("The &lt;b&gt; bridge")))
    source = site.put("/feed", text, media="text/xml")
    build(index, source)
    (article,) = held(index).values()
    assert "The <b> bridge was opened in 1907" in article.text


@pytest.mark.parametrize(
    "entities",
    [
        "".join(
            f'<!ENTITY {b} "{f"&{a};" * 10}">'
            for a, b in zip("abcdefghi", "bcdefghiz", strict=True)
        ),
        '<!ENTITY z SYSTEM "file:///etc/passwd">',
        '<!entity z "x">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(index, site, pages, entities, encoding):
    source = site.put("/feed", BOMB.format(entities).encode(encoding), media="text/xml")
    summary = build(index, source, pages[0])
    assert reasons(summary) == {source: "declares entities, which are refused"}
    assert summary.articles == 1


# --- JSON Feed ------------------------------------------------------------------------------------


def json_feed(*items: object, version: str = "https://jsonfeed.org/version/1.1") -> str:
    return json.dumps({"version": version, "title": "News", "language": "en", "items": items})


@pytest.mark.parametrize("media", ["application/feed+json", "application/json", "text/plain"])
def test_a_json_feed_is_a_feed(index, site, pages, media):
    text = "".join(f"<p>{paragraph}</p>" for paragraph in story("The canal"))
    source = site.put(
        "/feed.json",
        json_feed(
            {"id": "0", "url": pages[0], "content_text": "In short."},
            {"id": "1", "url": "/1", "title": "Relative"},
            {
                "id": "2",
                "url": f"{site.url}/canal",
                "title": "The canal",
                "content_html": text,
                "date_published": "2024-01-02T03:04:05Z",
            },
            {"id": site.put_story("/named", "Named"), "date_modified": "2024-05-06T07:08:09Z"},
        ),
        media=media,
    )
    summary = build(index, source)
    assert (4, ()) == (summary.articles, summary.skipped)
    assert held(index)[f"{site.url}/named"].info.published == "2024-05-06"
    canal = held(index)[f"{site.url}/canal"].info
    assert (canal.title, canal.published, canal.language) == ("The canal", "2024-01-02", "en")
    assert not build(index, source).changed


def test_entries_that_name_no_page_are_counted(index, site, pages):
    guid = '<item><guid isPermaLink="false">1</guid><description>x</description></item></channel>'
    feed = rss(*items(pages)).replace("</channel>", guid)
    items_of_json = [{"url": pages[0]}, {"id": "3", "content_text": "Only here."}, {"url": 7}, 8]
    sources = [
        site.put("/feed", feed, media="text/xml"),
        site.put("/feed.json", json_feed(*items_of_json), media="application/feed+json"),
    ]
    summary = build(index, *sources)
    assert summary.articles == 3
    assert reasons(summary) == {
        sources[0]: "1 of its entries links to no page",
        sources[1]: "3 of its entries link to no page",
    }
    assert not build(index, *sources).changed


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"version": "https://jsonfeed.org/version/1", "items": [', "is not valid JSON"),
        ('{"version": "https://jsonfeed.org/version/1", "items": 3}', "is not a valid JSON Feed"),
        (
            '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 100_000,
            "is not valid JSON",
        ),
    ],
)
def test_a_json_feed_that_is_damaged_is_named(index, site, pages, body, reason):
    source = site.put("/feed.json", body, media="application/feed+json")
    assert reasons(build(index, source, pages[0])) == {source: reason}


# --- Dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "date"),
    [
        ("rss", "<pubDate>Tue, 02 Jan 2024 03:04:05 GMT</pubDate>"),
        ("rss", "<dc:date>2024-01-02T03:04:05Z</dc:date>"),
        ("atom", "<updated>2024-01-02T03:04:05Z</updated>"),
    ],
)
def test_a_page_without_a_date_has_that_of_its_entry(index, site, pages, kind, date):
    if kind == "rss":
        feed = (
            '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>News</title><item><link>{pages[0]}</link>{date}</item></channel></rss>"
        )
    else:
        feed = (
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry>'
            f'<title>Bridge</title><link href="{pages[0]}"/>{date}</entry></feed>'
        )
    source = site.put("/feed", feed, media="text/xml")
    build(index, pages[0])
    assert held(index)[pages[0]].info.published is None
    for _ in range(2):
        build(index, source)
        assert held(index)[pages[0]].info.published == "2024-01-02"
    assert not build(index, source).changed
    # Out of the feed, and read again: it keeps its date.
    site.put("/feed", rss((pages[1], "")), media="text/xml")
    site.put_story("/0", "Tunnel 0")
    build(index, source)
    assert held(index)[pages[0]].info.title == "Tunnel 0"
    assert held(index)[pages[0]].info.published == "2024-01-02"


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("Tue, 02 Jan 2024 00:30:00 +0100", "2024-01-02"),
        ("2 Jan 2024 23:30 PST", "2024-01-02"),
        ("Tue, 2 Jan 24 03:04:05 GMT", "2024-01-02"),
        ("2024-01-02T00:30:00+09:00", "2024-01-02"),
        ("2024-01", "2024-01"),
        ("2. Januar 2024", "2024-01-02"),
        ("soon", None),
    ],
)
def test_the_date_of_an_entry_is_as_exact_as_it_is_written(index, site, pages, written, published):
    feed = (
        '<rss version="2.0"><channel><title>News</title>'
        f"<item><link>{pages[0]}</link><pubDate>{written}</pubDate></item></channel></rss>"
    )
    build(index, site.put("/feed", feed, media="text/xml"))
    assert held(index)[pages[0]].info.published == published


def test_a_page_keeps_its_own_date(index, site):
    head = '<meta property="article:published_time" content="2020-05-06">'
    bridge = site.put_story("/bridge", "The bridge", head=head)
    source = site.put("/feed", rss((bridge, "Short.")), media="text/xml")
    build(index, source)
    assert held(index)[bridge].info.published == "2020-05-06"

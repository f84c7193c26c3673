"""Sitemaps as sources: what they name, what they name no more, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qabot.errors import SourceError
from tests.support import build_index
from tests.web.support import (
    OPTIONS,
    build,
    held,
    packed,
    reasons,
    sitemap,
    sitemap_index,
)

IMAGES = """<?xml version="1.0" encoding="UTF-8"?>
<!-- <urlset><url><loc>{0}/commented</loc></url></urlset> -->
<sm:urlset xmlns:sm="http://www.sitemaps.org/schemas/sitemap/0.9"
           xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <sm:url>
    <sm:loc>
      {0}/bridge?a=1&amp;b=2
    </sm:loc>
    <sm:lastmod>2024-01-02</sm:lastmod>
    <image:image><image:loc>{0}/photo.jpg</image:loc></image:image>
  </sm:url>
  <sm:url><sm:loc>mailto:somebody@example.org</sm:loc></sm:url>
</sm:urlset>"""


@pytest.fixture
def pages(site) -> list[str]:
    return [site.put_story(f"/{n}", f"Bridge {n}") for n in range(3)]


@pytest.mark.parametrize(
    ("path", "media"),
    [("/sitemap.xml", "application/xml"), ("/map", "text/html"), ("/map.txt", "text/plain")],
)
def test_all_pages_of_a_sitemap_are_read_whatever_it_is_called(index, site, pages, path, media):
    source = site.put(path, sitemap(*pages), media=media)
    summary = build(index, source)
    assert (3, ()) == (summary.articles, summary.skipped)
    assert list(held(index)) == sorted(pages)
    site.forget()
    assert not build(index, source).changed
    assert {status for path, _, status in site.seen if path != "/robots.txt"} == {304}


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_a_packed_sitemap_is_unpacked(index, site, pages, headers):
    body = packed(sitemap(*pages))
    source = site.put("/sitemap.xml.gz", body, media="application/gzip", headers=headers)
    assert build(index, source).articles == 3


def test_a_sitemap_leads_to_others(index, site, pages):
    first = site.put("/1.xml", sitemap(*pages[:2]), media="text/xml")
    second = site.put("/2.xml.gz", packed(sitemap(*pages[1:])), media="application/gzip")
    source = site.put("/sitemap.xml", sitemap_index(first, second), media="text/xml")
    assert build(index, source).articles == 3
    site.forget()
    assert not build(index, source).changed
    assert [site.asked(path) for path in ("/sitemap.xml", "/1.xml", "/2.xml.gz")] == [[304]] * 3


def test_only_pages_are_taken_out_of_it(index, site):
    source = site.put("/sitemap.xml", IMAGES.format(site.url), media="text/xml")
    address = site.put_story("/bridge?a=1&b=2", "The bridge")
    assert build(index, source).skipped == ()
    assert list(held(index)) == [address]
    assert site.asked("/photo.jpg") == site.asked("/commented") == []


def test_sixteen_bits_a_letter_are_no_obstacle(index, site, pages):
    text = sitemap(*pages).replace("UTF-8", "UTF-16")
    source = site.put("/sitemap.xml", text.encode("utf-16"), media="text/xml")
    assert build(index, source).articles == 3


def test_a_collection_may_be_a_sitemap(index, site, pages):
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build_index(index, pages[0], collections={"news": [source]}, web=OPTIONS)
    assert {article.info.collections for article in held(index).values()} == {("news",)}


# --- What is in it no more ------------------------------------------------------------------------


def test_a_page_leaves_after_it_was_missing_in_some_rebuilds(index, site, pages):
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build(index, source)
    site.put("/sitemap.xml", sitemap(*pages[1:]), media="text/xml")
    for _ in range(2):
        summary = build(index, source)
        assert (3, (), False) == (summary.articles, summary.skipped, summary.changed)
    summary = build(index, source)
    assert (2, 1, ()) == (summary.articles, summary.removed, summary.skipped)
    assert build(index, source).articles == 2


def test_a_page_that_is_back_in_time_stays(index, site, pages):
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build(index, source)
    for _ in range(2):
        for named in (pages[1:], pages[1:], pages):
            site.put("/sitemap.xml", sitemap(*named), media="text/xml")
            assert build(index, source).articles == 3


def damaged(site):
    site.put("/sitemap.xml", sitemap(site.url + "/0")[:-20], media="text/xml")
    return "is not well-formed XML"


def missing(site):
    del site.replies["/sitemap.xml"]
    return "is not there (404 Not Found)"


def broken(site):
    site.put("/sitemap.xml", "sorry", status=500)
    return "cannot be reached (the server answers 500 Internal Server Error)"


def with_entities(site):
    text = sitemap(site.url + "/0").replace("<urlset", '<!DOCTYPE a [<!ENTITY b "c">]><urlset')
    site.put("/sitemap.xml", text, media="text/xml")
    return "declares entities, which are refused"


def replaced_by_a_picture(site):
    site.put("/sitemap.xml", b"\x89PNG\r\n\x1a\n", media="image/png")
    return "is image/png, not a page, document, sitemap or feed"


@pytest.mark.parametrize("spoil", [damaged, missing, broken, with_entities, replaced_by_a_picture])
def test_a_sitemap_that_cannot_be_read_costs_no_article(index, site, pages, spoil):
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build(index, source)
    reason = spoil(site)
    for _ in range(4):
        summary = build(index, source)
        assert (3, False) == (summary.articles, summary.changed)
        (problem,) = summary.skipped
        assert (source, True) == (problem.source, problem.kept)
        assert problem.reason.startswith(reason)
        assert problem.reason.endswith("; its 3 articles are kept as they were")
    site.put("/sitemap.xml", sitemap(*pages[:2]), media="text/xml")
    assert [build(index, source).articles for _ in range(3)] == [3, 3, 2]


def test_a_part_that_cannot_be_read_costs_no_article(index, site, pages):
    parts = [site.put(f"/{n}.xml", sitemap(pages[n]), media="text/xml") for n in range(3)]
    source = site.put("/sitemap.xml", sitemap_index(*parts), media="text/xml")
    build(index, source)
    site.put("/1.xml", "sorry", status=500)
    for _ in range(4):
        summary = build(index, source)
        assert summary.articles == 3
        assert list(reasons(summary)) == [parts[1]]


def test_a_lost_memory_costs_no_article(index, site, pages):
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build(index, source)
    (index / "web.sqlite").unlink()
    site.put("/sitemap.xml", sitemap(*pages[1:]), media="text/xml")
    assert [build(index, source).articles for _ in range(4)] == [3, 3, 3, 2]


# --- What is wrong with what it names -------------------------------------------------------------


def test_each_page_that_cannot_be_read_has_its_reason(index, site, pages):
    other = site.url.replace("127.0.0.1", "localhost")
    wrong = {
        site.url + "/none": "is not there (404 Not Found)",
        site.put("/a.zip", b"PK\3\4", media="application/zip"): "is application/zip and a ZIP",
        site.put("/b", b"\x00\x01" * 50): "not a text file",
        site.put("/c", sitemap(*pages), media="text/xml"): "is a sitemap, not a page; name it as a",
        site.put("/d", b"%PDF-1.7"): "damaged: PDFium cannot open it",
        site.put("/e", b"", media=""): "no main text found in the page",
        site.redirect("/f", "/f"): "redirects more than 10 times",
        site.redirect("/g", "ftp://example.org/"): "redirects to an invalid address",
        site.redirect("/h", "http://me:secret@example.org/"): "redirects to an invalid address",
        site.put("/i", "", status=204): "cannot be read (the server answers 204",
        site.put("/j", "ok", headers={"Content-Encoding": "br"}): "is compressed by br, which",
        site.put("/k", b"ok", headers={"Content-Encoding": "gzip"}): "is damaged",
        site.put("/l", packed("ok")[:-3], headers={"Content-Encoding": "gzip"}): "is damaged",
        other + "/m": "is not there (404 Not Found)",
    }
    source = site.put("/sitemap.xml", sitemap(*pages, *wrong), media="text/xml")
    summary = build(index, source)
    assert summary.articles == 3
    told = reasons(summary)
    assert set(told) == set(wrong)
    for address, reason in wrong.items():
        assert reason in told[address], address
        assert "secret" not in told[address]
    assert not any(item.kept for item in summary.skipped)


def test_more_pages_than_may_be_read_are_cut_off_with_a_word(index, site, pages):
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    build(index, source)
    options = replace(OPTIONS, pages=2)
    for _ in range(4):
        summary = build(index, source, web=options)
        # What was read before is none the less there.
        assert summary.articles == 3
        assert reasons(summary) == {
            source: "names more than 2 pages, of which the first are read; "
            "set web_pages higher, or name parts of it"
        }


def test_a_sitemap_of_a_hundred_thousand_pages_is_cut_off(index, site, pages):
    more = (f"{site.url}/more/{n}" for n in range(100_000))
    source = site.put("/sitemap.xml", sitemap(*pages, *more), media="text/xml")
    summary = build(index, source, web=replace(OPTIONS, pages=3))
    assert summary.articles == 3
    assert list(reasons(summary)) == [source]
    assert len(site.seen) == 5


def test_a_list_that_names_no_page_is_told(index, site):
    source = site.put("/sitemap.xml", sitemap("https://me:secret@example.org/"), media="text/xml")
    with pytest.raises(SourceError) as caught:
        build(index, source)
    assert str(caught.value) == (
        f"no article could be read: {source} names no page that can be fetched; "
        "name a page or another list"
    )


def test_sitemaps_that_lead_to_each_other_come_to_an_end(index, site, pages):
    loop = site.url + "/sitemap.xml"
    deep = site.put("/deep.xml", sitemap_index(site.url + "/deeper.xml"), media="text/xml")
    site.put("/deeper.xml", sitemap_index(site.url + "/deepest.xml"), media="text/xml")
    first = site.put("/1.xml", sitemap(*pages), media="text/xml")
    site.put("/sitemap.xml", sitemap_index(loop, deep, first, pages[0]), media="text/xml")
    summary = build(index, loop)
    assert summary.articles == 3
    told = reasons(summary)
    assert "is a sitemap of sitemaps within others" in told[site.url + "/deeper.xml"]
    assert told[pages[0]] == "is a page, not a sitemap; the index that names it is wrong"


def test_more_sitemaps_than_may_be_read_are_cut_off(index, site, pages):
    parts = [site.put(f"/{n}.xml", sitemap(pages[n]), media="text/xml") for n in range(3)]
    source = site.put("/sitemap.xml", sitemap_index(*parts), media="text/xml")
    summary = build(index, source, web=replace(OPTIONS, sitemaps=2))
    assert summary.articles == 2
    assert "names more than 2 sitemaps" in reasons(summary)[source]


# --- Other forms ----------------------------------------------------------------------------------


def test_a_sitemap_may_be_a_text_file(index, site, pages):
    text = "\ufeff" + "\r\n".join([*pages, "", f"{pages[0]}#top", "https://me:secret@example.org/"])
    source = site.put("/sitemap.txt", text, media="text/plain")
    summary = build(index, source)
    assert (3, ()) == (summary.articles, summary.skipped)
    assert list(held(index)) == sorted(pages)
    site.put("/sitemap.txt", pages[0], media="text/plain")
    assert [build(index, source).articles for _ in range(3)] == [3, 3, 1]


@pytest.mark.parametrize("media", ["text/plain", "application/octet-stream"])
def test_a_list_of_addresses_may_have_comments_and_no_type(index, site, pages, media):
    text = "\n".join(["# Made by hand", *pages, "#", ""])
    source = site.put("/sitemap.txt", text, media=media)
    build(index, source)
    assert list(held(index)) == sorted(pages)


def test_a_text_of_comments_only_is_an_article(index, site):
    source = site.put(
        "/notes.txt", "# The bridge was opened in 1907.\n# It is closed.\n", "text/plain"
    )
    build(index, source)
    assert list(held(index)) == [source]


def test_a_text_with_addresses_in_it_is_an_article(index, site, pages):
    text = "\n".join(["These are my favourite pages about bridges:", *pages])
    source = site.put("/notes.txt", text, media="text/plain")
    build(index, source)
    assert list(held(index)) == [source]


def test_llms_txt_names_pages(index, site, pages):
    note = site.put("/notes/cables.md", "# Cables\n\nSteel cables carry it.", media="text/plain")
    text = (
        "# Bridges\n\n> All about bridges. See [the club](https://example.org/club).\n\n"
        f"## Pages\n\n- [Bridge 0]({pages[0]}): the first\n* [Bridge [1]](/1)\n"
        "- [Cables](notes/cables.md)\n- no link\n"
    )
    source = site.put("/llms.txt", text, media="text/markdown")
    summary = build(index, source)
    assert (3, ()) == (summary.articles, summary.skipped)
    assert list(held(index)) == sorted([*pages[:2], note])
    assert held(index)[note].info.title == "Cables"


def test_the_long_form_of_llms_txt_is_markdown(index, site):
    text = "# Bridges\n\nThe bridge was [opened](/1) in 1907.\n\n## Cables\n\nThey are of steel.\n"
    source = site.put("/llms-full.txt", text, media="text/plain")
    build(index, source)
    (article,) = held(index).values()
    assert article.text == (
        "Bridges\n\nThe bridge was opened in 1907.\n\nCables\n\nThey are of steel."
    )
    assert article.info.source == source


def test_a_news_sitemap_gives_the_date_of_a_page(index, site, pages):
    news = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        f"<url><loc>{pages[0]}</loc><news:news><news:publication><news:name>N</news:name>"
        "</news:publication><news:publication_date>2024-01-02T03:04:05+01:00"
        "</news:publication_date><news:title>Bridge</news:title></news:news></url></urlset>"
    )
    source = site.put("/news.xml", news, media="text/xml")
    build(index, source)
    assert held(index)[pages[0]].info.published == "2024-01-02"
    assert not build(index, source).changed

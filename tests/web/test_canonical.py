"""One page under several addresses: one article, unless the pages differ."""

from __future__ import annotations

import pytest

from qabot.web.addresses import spelled
from tests.support import build_index
from tests.web.support import OPTIONS, build, held, page, rss, sitemap, story, titles

CANONICAL = '<link rel="canonical" href="{}">'


@pytest.mark.parametrize("tracking", ["utm_source=rss&utm_medium=feed", "fbclid=x1", "gclid=x1"])
def test_what_tracks_readers_makes_no_second_article(index, site, tracking):
    address = site.put_story("/bridge?id=7", "The bridge")
    tracked = site.put_story(f"/bridge?id=7&{tracking}", "The bridge")
    feed = site.put("/feed", rss((tracked.replace("&", "&amp;"), "Short.")), media="text/xml")
    source = site.put("/sitemap.xml", sitemap(address), media="text/xml")
    for sources in ((feed, source), (source, feed)):
        summary = build(index, *sources)
        assert (1, ()) == (summary.articles, summary.skipped)
        assert list(held(index)) == [address]
    site.forget()
    assert not build(index, source, feed).changed
    assert {status for path, _, status in site.seen if path != "/robots.txt"} == {304}


@pytest.mark.parametrize("name", ["cid", "source", "gallery", "utm_content"])
def test_pages_that_differ_are_articles_whatever_their_addresses(index, site, name):
    addresses = [site.put_story(f"/a?{name}={n}", f"Bridge {n}") for n in range(3)]
    assert build(index, *addresses).articles == 3
    assert titles(index) == {"Bridge 0", "Bridge 1", "Bridge 2"}


def test_a_page_and_its_print_view_are_one_article(index, site):
    canonical = CANONICAL.format(f"{site.url}/bridge")
    printed = site.put_story("/print/bridge", "The bridge", head=canonical)
    own = site.put_story("/bridge", "The bridge", head=canonical)
    build(index, printed)
    assert list(held(index)) == [printed]
    assert build(index, printed, own).articles == 1
    assert list(held(index)) == [own]
    assert not build(index, printed, own).changed


def test_pages_that_all_name_the_home_page_stay_articles(index, site):
    head = CANONICAL.format(f"{site.url}/")
    addresses = [site.put_story(f"/{n}", f"Bridge {n}", head=head) for n in ("", "a", "b")]
    assert build(index, *addresses).articles == 3


def test_another_server_has_no_say(index, site):
    head = CANONICAL.format("https://example.org/bridge")
    addresses = [site.put_story(f"/{n}", "The bridge", head=head) for n in "ab"]
    assert build(index, *addresses).articles == 2


def test_what_stands_for_others_is_in_the_collections_of_all(index, site):
    one = site.put_story("/a", "The bridge")
    other = site.put_story("/a?utm_source=b", "The bridge")
    collections = {"x": [other], "y": [one]}
    for _ in range(2):
        build_index(index, collections=collections, web=OPTIONS)
        (article,) = held(index).values()
        assert (one, ("x", "y")) == (article.info.source, article.info.collections)


def test_when_one_address_is_gone_the_other_stands_for_itself(index, site):
    one = site.put_story("/a", "The bridge")
    other = site.put_story("/a?utm_source=b", "The bridge")
    build(index, one, other)
    del site.replies["/a"]
    counts = [build(index, one, other).articles for _ in range(3)]
    assert counts == [1, 1, 1]
    assert list(held(index)) == [other]


def test_when_their_texts_part_both_are_articles(index, site):
    one = site.put_story("/a", "The bridge")
    other = site.put_story("/a?utm_source=b", "The bridge")
    build(index, one, other)
    site.put("/a?utm_source=b", page(*story("The bridge"), "It is closed now.", title="News"))
    assert build(index, one, other).articles == 2
    assert titles(index) == {"The bridge", "News"}


def test_host_port_and_fragment_have_one_spelling(index, site):
    assert spelled("HTTP://Example.ORG:80/a#b") == "http://example.org/a"
    assert spelled("https://example.org:443/a") == "https://example.org/a"
    # IDNA 2008 knows no underscore.
    assert spelled("http://My_Shop.例え.jp/A") == "http://my_shop.xn--r8jz45g.jp/A"
    site.put_story("/bridge", "The bridge")
    shouted = site.url.replace("127.0.0.1", "LOCALHOST")
    source = site.put("/sitemap.xml", sitemap(f"{shouted}/bridge#top"), media="text/xml")
    address = f"{shouted.lower()}/bridge"
    build(index, source, address)
    assert list(held(index)) == [address]
    assert site.asked("/bridge") == [200]


def test_a_page_stays_that_sources_name_in_another_spelling(index, site):
    site.put_story("/bridge", "The bridge")
    other = site.put_story("/tunnel", "The tunnel")
    shouted = f"{site.url.replace('127.0.0.1', 'LOCALHOST')}/bridge"
    build_index(index, shouted, collections={"news": [shouted, other]}, web=OPTIONS)
    collections = {"news": [other]}
    summary = build_index(index, shouted, collections=collections, only=["news"], web=OPTIONS)
    assert summary.articles == 2

"""Servers that mean harm or are broken: each costs bounded time and memory, and has a reason."""

from __future__ import annotations

import contextlib
import gzip
import threading
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.web.addresses import spelled
from qabot.web.bodies import Body, BodyError, Limit, unpacked
from qabot.web.content_types import kind_of
from qabot.web.entries import ListingError
from qabot.web.listings import read_listing
from qabot.web.policy import MEGABYTE
from qabot.web.responses import Validators
from tests.web.support import OPTIONS, build, page, reasons, rss, sitemap, story

SMALL = replace(
    OPTIONS,
    timeout=0.4,
    read_timeout=0.3,
    page_bytes=MEGABYTE,
    listing_bytes=2 * MEGABYTE,
    document_bytes=3 * MEGABYTE,
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"


@pytest.fixture
def over():
    """Set when a test is over, so that endless answers end."""
    event = threading.Event()
    yield event
    event.set()


def drips(over):
    def answer(handler):
        handler.wfile.write(HEAD + b"\r\n")
        while not over.wait(0.05):
            handler.wfile.write(b"<p>")

    return answer, "took longer than 0.4 seconds"


def drips_headers(over):
    def answer(handler):
        handler.wfile.write(HEAD)
        while not over.wait(0.05):
            handler.wfile.write(b"X-More: x\r\n")

    return answer, "took longer than 0.4 seconds"


def says_nothing(over):
    return lambda handler: over.wait(20), "took longer than 0.4 seconds"


def pouring(over, opening, words):
    def answer(handler):
        handler.wfile.write(HEAD + b"\r\n" + opening)
        while not over.is_set():
            handler.wfile.write(words * 10_000)

    return answer


def never_ends(over):
    return pouring(over, b"", b"<p>word</p>"), "is larger than 1 MB, the limit"


def announces_too_much(over):
    def answer(handler):
        handler.wfile.write(HEAD + b"Content-Length: 5000000000000\r\n\r\n<p>")
        over.wait(20)

    return answer, "is larger than 1 MB, the limit"


def sends_less_than_announced(over):
    def answer(handler):
        handler.wfile.write(HEAD + b"Content-Length: 5000\r\n\r\n" + page("Short.").encode())

    return answer, "cannot be reached (the response broke off)"


def breaks_off_a_chunk(over):
    def answer(handler):
        handler.wfile.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n<p>")

    return answer, "cannot be reached (the response broke off)"


def sends_a_bomb(over):
    body = gzip.compress(bytes(300 * MEGABYTE), 9)

    def answer(handler):
        handler.wfile.write(HEAD + b"Content-Encoding: gzip\r\n\r\n" + body)

    return answer, "is larger than 1 MB, the limit"


def sends_empty_parts(over):
    def answer(handler):
        handler.wfile.write(HEAD + b"Content-Encoding: gzip\r\n\r\n")
        while not over.is_set():
            handler.wfile.write(gzip.compress(b"") * 1000)

    return answer, "is compressed in more than 1000 parts"


def speaks_no_http(over):
    def answer(handler):
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n" * 10)

    return answer, "cannot be reached (its response is not HTTP)"


def sends_a_long_header(over):
    def answer(handler):
        handler.wfile.write(HEAD + b"X: " + b"x" * MEGABYTE + b"\r\n\r\n")

    return answer, "cannot be reached (its response is not HTTP)"


def sends_an_endless_document(over):
    return pouring(over, b"%PDF-1.7\n", b"0 0 obj\n"), "is larger than 3 MB, the limit"


def claims_that_nothing_changed(over):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")

    return answer, "cannot be read (the server answers 304 Not Modified)"


def hangs_up(over):
    return lambda handler: None, "cannot be reached"


BEHAVIOURS = [
    drips,
    drips_headers,
    says_nothing,
    never_ends,
    announces_too_much,
    sends_less_than_announced,
    breaks_off_a_chunk,
    sends_a_bomb,
    sends_empty_parts,
    sends_an_endless_document,
    speaks_no_http,
    sends_a_long_header,
    claims_that_nothing_changed,
    hangs_up,
]


@pytest.mark.parametrize("behave", BEHAVIOURS)
def test_each_is_told_apart_and_the_rest_is_indexed(index, site, over, behave):
    good = site.put_story("/good", "The bridge")
    answer, reason = behave(over)
    bad = site.raw("/bad", answer)
    source = site.put("/sitemap.xml", sitemap(bad, good), media="text/xml")
    tracemalloc.start()
    summary = build(index, source, web=SMALL)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert summary.articles == 1
    assert reason in reasons(summary)[bad]
    assert most < 60 * MEGABYTE


@pytest.mark.parametrize("behave", [drips, never_ends, sends_less_than_announced, sends_a_bomb])
def test_an_article_outlives_its_servers_bad_days(index, site, over, behave):
    address = site.put_story("/page", "The bridge")
    build(index, address)
    answer, reason = behave(over)
    site.raw("/page", answer)
    summary = build(index, address, web=replace(SMALL, listing_bytes=MEGABYTE))
    assert (1, False) == (summary.articles, summary.changed)
    assert reason in reasons(summary)[address]
    assert summary.skipped[0].kept


@pytest.mark.parametrize("path", ["/robots.txt", "/sitemap.xml", "/feed"])
@pytest.mark.parametrize("behave", [never_ends, drips, hangs_up])
def test_it_is_no_better_elsewhere(index, site, over, path, behave, tmp_path):
    (tmp_path / "notes.txt").write_text("The volcano erupted in 2021.")
    answer, _ = behave(over)
    site.raw(path, answer)
    options = replace(SMALL, robots_bytes=MEGABYTE)
    summary = build(index, tmp_path / "notes.txt", f"{site.url}/feed", web=options)
    assert summary.articles == 1
    assert len(summary.skipped) == 1


def test_a_packed_sitemap_that_is_a_bomb_is_refused(index, site):
    good = site.put_story("/good", "The bridge")
    bomb = gzip.compress(b"<urlset>" + bytes(300 * MEGABYTE), 9)
    source = site.put("/sitemap.xml.gz", bomb, media="application/gzip")
    summary = build(index, good, source, web=SMALL)
    assert reasons(summary) == {source: "is larger than 2 MB, the limit"}


def test_a_feed_may_be_so_large_only(index, site):
    good = site.put_story("/good", "The bridge")
    source = site.put("/feed", rss((good, "x" * 5000)), media="text/xml")
    summary = build(index, good, source, web=replace(OPTIONS, feed_bytes=4000))
    assert reasons(summary) == {source: "is larger than 0.004 MB, the limit"}


def test_of_long_pages_one_that_cannot_be_read_leaves_the_others(index, site):
    # Longer than what is read without a process of its own.
    text = "The bridge was opened in 1931. " * 4_000
    good = [site.put(f"/{n}", page("The bridge", f"{text} It is bridge {n}.")) for n in range(2)]
    bad = site.put("/bad", f"<div>{'<i>' * 40_000}".encode())
    summary = build(index, good[0], bad, good[1])
    assert summary.articles == 2
    assert reasons(summary).keys() == {bad}


def test_markup_of_a_page_runs_nothing_and_asks_for_nothing(index, site):
    evil = (
        "<script>document.location='/stolen'</script><img src='/tracker.gif'>"
        "<iframe src='/frame'></iframe><link rel=stylesheet href='/style.css'>"
    )
    address = site.put("/evil", page(*story("The bridge"), evil))
    build(index, address)
    assert {path for path, _, _ in site.seen} == {"/robots.txt", "/evil"}


# --- For whatever comes ---------------------------------------------------------------------------


@given(st.binary(max_size=300), st.sampled_from(["sitemap", "sitemap index", "feed"]))
def test_whatever_a_list_holds_it_is_read_or_refused(data, kind):
    with contextlib.suppress(ListingError):
        entries = read_listing(data, kind, "http://example.org/feed", 10).entries
        assert all(entry.address == spelled(entry.address) for entry in entries)


PIECES = (
    *("<urlset>", "</urlset>", "<url>", "<loc>", "http://a.org/b", "</loc>", "</url>", "<rss>"),
    *("<item>", "<link>", "</link>", "</item>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&x;"),
    *("<!DOCTYPE a [", "]>", "<?xml version='1.0' encoding='utf-7'?>", "\0", "é", "<feed", ">"),
)
MARKUP = st.lists(st.sampled_from(PIECES), max_size=25).map(lambda parts: "".join(parts).encode())


@given(MARKUP, st.sampled_from(["sitemap", "sitemap index", "feed"]))
def test_markup_in_any_disorder_is_read_or_refused(data, kind):
    with contextlib.suppress(ListingError):
        assert len(read_listing(data, kind, "http://example.org/feed", 10).entries) <= 11


@given(st.one_of(st.binary(max_size=200), MARKUP), st.sampled_from(["", "text/html", "a/b"]))
def test_whatever_comes_its_kind_can_be_told_or_not(data, declared):
    with contextlib.suppress(ValueError):
        assert kind_of(data, declared)


ZIPS = st.tuples(st.sampled_from([b"PK\3\4", b"%PDF-"]), st.binary(max_size=60)).map(b"".join)


@given(ZIPS, st.sampled_from(["application/pdf", "application/epub+zip", "text/html"]))
def test_what_begins_as_a_document_is_never_taken_for_text(data, declared):
    with contextlib.suppress(ValueError):
        assert kind_of(data, declared) in ("pdf", "docx", "epub", "odt")


@given(st.lists(st.binary(max_size=2000), max_size=4), st.integers(1, 64), st.integers(0, 9000))
def test_a_packed_body_comes_out_as_it_went_in_or_is_refused(parts, step, limit):
    whole = b"".join(parts)
    sent = b"".join(gzip.compress(part) for part in parts)
    body = Body(Limit(limit), packed=True)
    try:
        for start in range(0, len(sent), step):
            body.add(sent[start : start + step])
        assert body.whole() == whole
        assert max(len(whole), len(sent)) <= limit
    except BodyError:
        assert max(len(whole), len(sent)) > limit


@given(st.binary(max_size=500))
def test_what_is_not_packed_stays_and_what_seems_so_is_unpacked_or_refused(data):
    assert unpacked(b"x" + data, 10_000) == b"x" + data
    with pytest.raises(BodyError):
        unpacked(gzip.compress(data)[:-1], 10_000)


@given(st.text(max_size=60).map("http://{}".format))
def test_the_spelling_of_an_address_is_its_own_spelling(text):
    try:
        once = spelled(text)
    except ValueError:
        return
    assert spelled(once) == once
    assert once.startswith(("http://", "https://"))
    assert Validators(once).headers() == {}

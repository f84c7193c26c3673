"""Servers' wishes: robots.txt, time between requests, patience."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.web.support import OPTIONS, build, reasons, sitemap


@pytest.fixture
def pages(site) -> list[str]:
    return [site.put_story(f"/{name}", name) for name in ("open", "private/a", "other/b.pdf")]


def test_what_robots_txt_forbids_is_not_asked_for(index, site, pages):
    site.put(
        "/robots.txt",
        "User-agent: *\nDisallow: /\n\nUser-agent: Qabot\nDisallow: /private\nDisallow: *.pdf$\n",
        media="text/plain",
    )
    summary = build(index, *pages)
    assert summary.articles == 1
    told = f"must not be read: {site.url}/robots.txt forbids it"
    assert reasons(summary) == {pages[1]: told, pages[2]: told}
    assert [path for path, _, _ in site.seen] == ["/robots.txt", "/open"]


def test_an_article_that_is_forbidden_leaves_as_one_that_is_gone(index, site, pages):
    build(index, *pages)
    site.put("/robots.txt", "User-agent: *\nDisallow: /private\n", media="text/plain")
    assert [build(index, *pages).articles for _ in range(3)] == [3, 3, 2]


@pytest.mark.parametrize(("status", "read"), [(404, 3), (403, 3), (500, 0), (429, 0)])
def test_without_rules_all_is_allowed_and_with_unknown_ones_nothing(
    index, site, pages, status, read, tmp_path
):
    (tmp_path / "notes.txt").write_text("The volcano erupted in 2021.")
    site.put("/robots.txt", "?", status=status)
    summary = build(index, tmp_path / "notes.txt", *pages)
    assert summary.articles == read + 1
    asked = [path for path, _, _ in site.seen if path != "/robots.txt"]
    assert len(asked) == read
    if not read:
        (problem,) = {item.reason for item in summary.skipped}
        assert f"the server answers {status}" in problem


def test_rules_of_where_a_page_leads_to_count(index, site, pages):
    other = site.url.replace("127.0.0.1", "localhost")
    site.put("/robots.txt", "User-agent: *\nDisallow: /private\n", media="text/plain")
    moved = site.redirect("/moved", f"{other}/private/a")
    summary = build(index, pages[0], moved)
    assert reasons(summary) == {moved: f"must not be read: {other}/robots.txt forbids it"}


def test_requests_to_one_server_keep_their_distance(index, site, pages):
    started = time.monotonic()
    build(index, *pages, web=replace(OPTIONS, delay=0.05))
    assert time.monotonic() - started >= 0.15  # Four requests, three pauses.


def test_a_server_may_ask_for_more_distance_within_bounds(index, site, pages):
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 3600\n", media="text/plain")
    started = time.monotonic()
    build(index, *pages, web=replace(OPTIONS, longest_delay=0.1))
    assert time.monotonic() - started >= 0.2


def test_a_server_that_says_when_to_come_again_is_asked_again(index, site):
    refusals = ["once"]

    def busy(handler):
        if refusals:
            refusals.clear()
            handler.wfile.write(
                b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n"
                b"Connection: close\r\n\r\n"
            )
        else:
            body = site.replies["/page"].body
            handler.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + body
            )

    site.put_story("/page", "The bridge")
    address = site.raw("/busy", busy)
    assert build(index, address).skipped == ()
    assert site.asked("/busy") == [0, 0]


def test_a_server_that_fails_again_and_again_is_left_alone(index, site, pages):
    broken = [site.put(f"/broken/{n}", "", status=500) for n in range(20)]
    source = site.put("/sitemap.xml", sitemap(*broken), media="text/xml")
    summary = build(index, pages[0], source)
    assert summary.articles == 1
    assert sum(len(site.asked(f"/broken/{n}")) for n in range(20)) == 3
    (problem,) = summary.skipped
    assert problem.source == broken[0]
    assert "(and the same for 19 more pages of this server)" in problem.reason


def test_a_rebuild_fetches_for_so_long_and_the_next_goes_on(index, site):
    pages = [site.put_story(f"/{n}", f"Bridge {n}") for n in range(4)]
    first = site.put_story("/first", "The first")
    source = site.put("/sitemap.xml", sitemap(*pages), media="text/xml")
    summary = build(index, first, source, web=replace(OPTIONS, minutes=1e-9))
    assert summary.articles == 1
    (problem,) = summary.skipped
    assert "was not asked for within the 1e-09 minutes that web_minutes allows" in problem.reason
    assert build(index, first, source).articles == 5

"""Dates of change in sitemaps: what they say has not changed is not asked for, within limits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.web.freshness import last_change
from tests.support import build_index
from tests.web.support import (
    OPTIONS,
    Site,
    build,
    held,
    packed,
    rss,
    set_memory,
    sitemap,
    sitemap_index,
    titles,
)

DAY = 86_400
LONG_AGO = "2020-02-01T10:00:00+01:00"


def days_from_now(days: float, form: str = "%Y-%m-%d") -> str:
    moment = datetime.now(UTC) + timedelta(days)
    return f"{moment:{form}}"


@pytest.fixture
def bridge(site: Site) -> str:
    return site.put_story("/bridge", "The bridge")


@pytest.mark.parametrize(
    "changed",
    ["2020", "2020-12", "2020-02-01", "2020-02-01T10:00Z", LONG_AGO, "\n 2020-02-01T10:00:00.25Z "],
)
def test_a_page_that_did_not_change_since_is_not_asked_for(index, site, bridge, changed):
    source = site.put("/sitemap.xml", sitemap(bridge, changed=changed), media="text/xml")
    build(index, source)
    site.forget()
    summary = build(index, source)
    assert (1, False, ()) == (summary.articles, summary.changed, summary.skipped)
    assert site.asked("/bridge") == []


@pytest.mark.parametrize(
    "changed",
    [
        "",
        "yesterday",
        "2020-13",
        "2020-02-31",
        "0000",
        "0001-01-01T00:00:00",
        "1970-01-01",
        "9999",
        days_from_now(2),
        days_from_now(0),
        days_from_now(-0.5, "%Y-%m-%dT%H:%M:%SZ"),
        days_from_now(0, "%Y"),
    ],
)
def test_where_the_date_says_nothing_the_page_is_asked(index, site, bridge, changed):
    source = site.put("/sitemap.xml", sitemap(bridge, changed=changed), media="text/xml")
    build(index, source)
    site.forget()
    assert not build(index, source).changed
    assert site.asked("/bridge") == [304]


def test_a_page_that_changed_since_is_read_again(index, site, bridge):
    source = site.put("/sitemap.xml", sitemap(bridge, changed=LONG_AGO), media="text/xml")
    build(index, source)
    set_memory(index, "fetched", -4 * DAY)
    site.put_story("/bridge", "The tunnel")
    build(index, source)
    assert titles(index) == {"The bridge"}
    new = sitemap(bridge, changed=days_from_now(-3))
    site.put("/sitemap.xml", new, media="text/xml")
    build(index, source)
    assert titles(index) == {"The tunnel"}


@pytest.mark.parametrize("fetched", [-8 * DAY, 2 * DAY])
def test_dates_are_believed_for_a_week_and_with_a_clock_that_is_right(index, site, bridge, fetched):
    source = site.put("/sitemap.xml", sitemap(bridge, changed=LONG_AGO), media="text/xml")
    build(index, source)
    set_memory(index, "fetched", fetched)
    site.forget()
    build(index, source)
    assert site.asked("/bridge") == [304]
    build(index, source)
    assert site.asked("/bridge") == [304]


def test_a_part_that_did_not_change_since_is_not_asked_for(index, site, bridge):
    tunnel = site.put_story("/tunnel", "The tunnel")
    first = site.put("/1.xml", sitemap(bridge), media="text/xml")
    second = site.put("/2.xml.gz", packed(sitemap(tunnel, changed=LONG_AGO)), media="a/gzip")
    index_of_both = sitemap_index(first, second, changed=LONG_AGO)
    source = site.put("/sitemap.xml", index_of_both, media="text/xml")
    build(index, source)
    site.forget()
    assert build(index, source).articles == 2
    assert [site.asked(path) for path in ("/sitemap.xml", "/1.xml", "/2.xml.gz")] == [[304], [], []]
    assert (site.asked("/bridge"), site.asked("/tunnel")) == ([304], [])


def test_of_several_dates_the_latest_counts_and_none_is_none(index, site, bridge):
    tunnel = site.put_story("/tunnel", "The tunnel")
    twice = sitemap(bridge, tunnel, changed=LONG_AGO).replace(
        "</urlset>",
        f"<url><loc>{bridge}</loc><lastmod>{days_from_now(0)}</lastmod></url></urlset>",
    )
    source = site.put("/sitemap.xml", twice, media="text/xml")
    feed = site.put("/feed", rss((tunnel, "In short.")), media="text/xml")
    build(index, source, feed)
    site.forget()
    build(index, source, feed)
    assert (site.asked("/bridge"), site.asked("/tunnel")) == ([304], [304])


def test_what_is_to_be_read_anew_is_asked_for(index, site, bridge):
    source = site.put("/sitemap.xml", sitemap(bridge, changed=LONG_AGO), media="text/xml")
    build(index, source)
    site.forget()
    build(index, source, full=True)
    assert site.asked("/bridge") == [200]


def test_a_page_that_was_gone_is_asked_for_whatever_the_date(index, site, bridge):
    build(index, bridge)
    del site.replies["/bridge"]
    build(index, bridge)
    site.put_story("/bridge", "The bridge")
    source = site.put("/sitemap.xml", sitemap(bridge, changed=LONG_AGO), media="text/xml")
    site.forget()
    build(index, source)
    assert site.asked("/bridge") == [304]


def test_a_page_in_a_collection_is_taken_over_without_a_question(index, site, bridge):
    source = site.put("/sitemap.xml", sitemap(bridge, changed=LONG_AGO), media="text/xml")
    build(index, source)
    site.forget()
    build_index(index, collections={"news": [source]}, web=OPTIONS)
    assert held(index)[bridge].info.collections == ("news",)
    assert site.asked("/bridge") == []


@given(st.one_of(st.text(max_size=30), st.from_regex(r"\d{4}(-\d{2}){0,2}(T\d\d:\d\d.{0,9})?")))
def test_whatever_a_date_holds_it_is_a_moment_or_none(text):
    moment = last_change(text)
    assert moment is None or isinstance(moment, float)


@given(st.dates(date(1991, 1, 1), date(9990, 1, 1)), st.times())
def test_an_inexact_date_may_mean_all_of_its_time(day, time):
    exact = last_change(f"{day}T{time}Z")
    ends = [last_change(str(day)[:length]) for length in (4, 7, 10)]
    assert exact is not None
    assert all(end is not None and end > exact for end in ends)

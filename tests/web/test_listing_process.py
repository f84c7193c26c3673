"""Sitemaps and feeds are read in a process of their own, and hold nothing up."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from qabot.web.entries import ListingError
from qabot.web.listing_process import ListingProcess
from tests.web.support import rss, sitemap

ADDRESS = "https://example.org/list"
MANY = 5000


async def test_entries_come_back_as_they_are_read():
    with closing(ListingProcess()) as process:
        named = sitemap("https://example.org/a", changed="2024-01-02")
        (entry,) = (await process.read(named.encode(), "sitemap", ADDRESS, 10)).entries
        feed = rss(("https://example.org/b", "In short."))
        (other,) = (await process.read(feed.encode(), "feed", ADDRESS, 10)).entries
    assert (entry.address, entry.changed) == ("https://example.org/a", 1704240000.0)
    assert (other.address, other.published) == ("https://example.org/b", "2024-01-02")
    assert b"In short." in other.page


async def test_the_loop_goes_on_while_a_long_list_is_read():
    body = sitemap(*(f"https://example.org/{number}" for number in range(MANY))).encode()
    with closing(ListingProcess()) as process:
        reading = asyncio.create_task(process.read(body, "sitemap", ADDRESS, MANY))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert len((await reading).entries) == MANY
    assert turns > 10


async def test_one_that_takes_too_long_is_given_up():
    body = rss(*((f"https://example.org/{n}", "In short.") for n in range(MANY))).encode()
    with (
        closing(ListingProcess(seconds=0.01)) as process,
        pytest.raises(ListingError, match=r"^takes too long to read; name parts of it$"),
    ):
        await process.read(body, "feed", ADDRESS, MANY)


async def test_one_that_is_not_waited_for_is_ended():
    body = rss(*((f"https://example.org/{n}", "In short.") for n in range(MANY))).encode()
    with closing(ListingProcess()) as process:
        reading = asyncio.create_task(process.read(body, "feed", ADDRESS, MANY))
        # Its process is just starting.
        await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

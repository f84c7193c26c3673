"""How far qabot goes on the web: what it asks for, how often, how long and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """Bounds and manners of fetching.

    Attributes:
        user_agent: What servers are told; robots.txt knows it by the names in it.
        gone_after: In how many rebuilds in a row an article must be gone before it leaves.
        gone_hours: Hours that must lie between two of them, or they count as one.
        allow_private_addresses: Whether servers within private networks and this machine are asked.
        pages: The most pages that one source may name.
        delay: Seconds between two requests to one server.
        longest_delay: The most seconds between them that a server may ask for.
        timeout: Seconds that one answer may take, from the first byte sent to the last received.
        connect_timeout, read_timeout: Seconds until a connection stands, and without a new byte.
        minutes: What a rebuild may spend on fetching pages; the next one goes on.
        page_bytes, document_bytes, listing_bytes, feed_bytes, robots_bytes: The most that is read
            of each.
        redirects: How often in a row an address may lead on to another.
        hosts: Servers that are asked at once.
        failures: After so many failures in a row a server is left alone until the next rebuild.
        rechecked: Pages that are in a feed no more, and are looked at again in one rebuild.
        sitemaps: Sitemaps that one source may lead to.
    """

    user_agent: str = "qabot"
    gone_after: int = 3
    # A server that is moved or repaired answers 404 for hours, and rebuilds may come every few
    # minutes. Of a day, so much that those of every night count even if one comes early.
    gone_hours: float = 20.0
    allow_private_addresses: bool = False
    pages: int = 5000
    delay: float = 0.5
    longest_delay: float = 30.0
    timeout: float = 30.0
    connect_timeout: float = 10.0
    read_timeout: float = 15.0
    minutes: float = 60.0
    page_bytes: int = 20 * MEGABYTE
    # As of files.
    document_bytes: int = 100 * MEGABYTE
    # The sitemap protocol allows 50 MB.
    listing_bytes: int = 52 * MEGABYTE
    feed_bytes: int = 10 * MEGABYTE
    robots_bytes: int = 2 * MEGABYTE
    redirects: int = 10
    hosts: int = 8
    failures: int = 3
    rechecked: int = 50
    sitemaps: int = 500

"""The bounds of fetching: how often, how long and how much."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """Bounds and manners of fetching.

    Attributes:
        user_agent: Sent to servers; robots.txt refers to the names in it.
        gone_after: An article leaves after it was gone in this many rebuilds in a row.
        gone_hours: Rebuilds less than this many hours apart count as one.
        allow_private_addresses: Ask servers in private networks and on this machine, too.
        pages: The most pages of one source.
        delay: Seconds between two requests to one server.
        longest_delay: The longest such delay, in seconds, that a server may ask for.
        timeout: Seconds for one response, from the first byte sent to the last received.
        connect_timeout, read_timeout: Seconds until a connection is open, and without a new byte.
        minutes: Minutes that a rebuild may spend on fetching pages; the next one goes on.
        page_bytes, document_bytes, listing_bytes, feed_bytes, robots_bytes: The most bytes of each.
        redirects: The most redirects in a row.
        hosts: Servers that are asked in parallel.
        failures: After this many failures in a row, a server is skipped until the next rebuild.
        rechecked: Pages that left a feed and are fetched again in one rebuild.
        sitemaps: The most sitemaps of one source.
    """

    user_agent: str = "qabot"
    gone_after: int = 3
    # A server under repair answers 404 for hours, and rebuilds may come every few minutes. Less
    # than a day, so that nightly rebuilds count even if one comes early.
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
    # The same as for files.
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

"""Sitemaps and feeds → the pages that they name."""

from __future__ import annotations

from dataclasses import replace

from qabot.web.addresses import spelled
from qabot.web.content_types import Listing
from qabot.web.entries import Entry, Listed, ListingError
from qabot.web.feeds import read_feed
from qabot.web.freshness import later
from qabot.web.sitemaps import read_sitemap

_ENTITY = "<!entity"


def read_listing(body: bytes, kind: Listing, address: str, most: int) -> Listed:
    """Return the pages that a listing names, or the sitemaps of a sitemap index, once each.

    Args:
        address: The address of the listing.
        most: The most entries; one more is returned if there are more.

    Raises:
        ListingError: It cannot be read.
    """
    # In UTF-16, the letters have zeros between them.
    if _ENTITY.encode() in body.replace(b"\0", b"").lower():
        raise ListingError("declares entities, which are refused")
    found: dict[str, Entry] = {}
    without_page = 0
    entries = read_feed(body, address) if kind == "feed" else read_sitemap(body, kind, address)
    for entry in entries:
        try:
            place = spelled(entry.address)
        except ValueError:
            # Not a web page: nothing, mailto:, a path on somebody's disk.
            without_page += kind == "feed"
            continue
        first = found.setdefault(place, replace(entry, address=place))
        found[place] = replace(first, changed=later(first.changed, entry.changed))
        if len(found) > most:
            break
    return Listed(list(found.values()), without_page)

"""Read sitemaps, sitemap indexes and feeds: all pages that one source names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from qabot.articles import Skipped
from qabot.web.bodies import BodyError, too_large
from qabot.web.conditional import ConditionalFetcher
from qabot.web.content_types import LISTINGS, Kind, Listing
from qabot.web.entries import Entry, ListingError
from qabot.web.freshness import later
from qabot.web.listing_process import ListingProcess
from qabot.web.policy import Options

_DEPTH = 3


@dataclass(slots=True)
class NamedPages:
    """The pages that a sitemap or feed names.

    Attributes:
        source: Its address.
        entries: The pages, by address.
        visited: All its sitemaps, including itself.
        problems: Parts that could not be read, with reasons.
        partial: Part of it could not be read, so that a missing page may still be there.
        cut: It names more pages or sitemaps than may be read.
    """

    source: str
    is_feed: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    visited: set[str] = field(default_factory=set)
    problems: list[Skipped] = field(default_factory=list)
    partial: bool = False
    cut: bool = False


class ListReader:
    """Reads lists, and the lists that these name."""

    def __init__(
        self, fetcher: ConditionalFetcher, process: ListingProcess, options: Options
    ) -> None:
        self._fetcher = fetcher
        self._process = process
        self._options = options

    async def read(self, source: str, kind: Kind, body: bytes) -> NamedPages:
        """Read the list at ``source``.

        Raises:
            ListingError: It cannot be read.
            BodyError: It is too large.
        """
        found = NamedPages(source, is_feed=kind == "feed")
        await self._read(found, source, kind, body, 1)
        return found

    async def _read(
        self, found: NamedPages, address: str, kind: Kind, body: bytes, depth: int
    ) -> None:
        found.visited.add(address)
        if kind == "sitemap index":
            if depth >= _DEPTH:
                raise ListingError("is a sitemap of sitemaps within others; name those it leads to")
            listed = await self._process.read(body, kind, address, self._options.sitemaps)
            await self._read_all(found, listed.entries, depth)
            return
        if kind == "feed" and len(body) > self._options.feed_bytes:
            raise too_large(self._options.feed_bytes)
        listing: Listing = "feed" if kind == "feed" else "sitemap"
        listed = await self._process.read(body, listing, address, self._options.pages)
        if number := listed.without_page:
            reason = f"{number} of its entries {'links' if number == 1 else 'link'} to no page"
            found.problems.append(Skipped(address, reason))
        for entry in listed.entries:
            if first := found.entries.get(entry.address):
                changed = later(first.changed, entry.changed)
                found.entries[entry.address] = replace(first, changed=changed)
            elif len(found.entries) < self._options.pages:
                found.entries[entry.address] = entry
            else:
                limit = f"{self._options.pages} pages"
                self._cut(found, limit, "set web_pages higher, or name parts of it")
                break

    async def _read_all(self, found: NamedPages, sitemaps: list[Entry], depth: int) -> None:
        for sitemap in sitemaps:
            if sitemap.address in found.visited:
                continue
            if len(found.visited) > self._options.sitemaps:
                self._cut(found, f"{self._options.sitemaps} sitemaps", "name parts of it")
            if found.cut:
                return
            await self._read_part(found, sitemap, depth + 1)

    async def _read_part(self, found: NamedPages, entry: Entry, depth: int) -> None:
        """Read one of several sitemaps; its faults concern no other."""
        sitemap = entry.address
        found.visited.add(sitemap)
        limit = self._options.listing_bytes
        part = await self._fetcher.fetch(sitemap, limit=limit, changed=entry.changed)
        try:
            if part.state != "there" or part.kind is None:
                raise ListingError(part.reason)
            if part.kind not in LISTINGS:
                raise ListingError("is a page, not a sitemap; the index that names it is wrong")
            await self._read(found, sitemap, part.kind, part.body, depth)
        except (ListingError, BodyError) as error:
            found.partial = True
            found.problems.append(Skipped(sitemap, str(error)))

    def _cut(self, found: NamedPages, limit: str, remedy: str) -> None:
        found.partial = found.cut = True
        reason = f"names more than {limit}, of which the first are read; {remedy}"
        found.problems.append(Skipped(found.source, reason))

"""Web sources → the state of each of their pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qabot.articles import Skipped
from qabot.web.addresses import server_of
from qabot.web.bodies import BodyError
from qabot.web.conditional import ConditionalFetcher
from qabot.web.content_types import LISTINGS
from qabot.web.crawl_state import CrawlState
from qabot.web.discovery import ListReader, NamedPages
from qabot.web.entries import ListingError
from qabot.web.fetcher import fetching
from qabot.web.freshness import later
from qabot.web.listing_process import ListingProcess
from qabot.web.policy import Options

State = Literal["there", "gone", "failed", "kept"]
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Page:
    """The state of a page.

    Attributes:
        sources: Addresses of the sources that name it or lead to it.
        state: ``there`` if its content is in the crawl state; ``kept`` if it was not asked for.
        reason: Why it is gone or failed.
        listed: A source names it now. If none does, it leaves without a report.
        feed_page: Its text in a feed, in case the page itself cannot be read.
        changed: Its last change in Unix seconds, if all lists that name it say so.
        published: Its date of publication, if a list says so.
    """

    address: str
    sources: tuple[str, ...]
    state: State = "kept"
    reason: str = ""
    listed: bool = True
    feed_page: bytes = b""
    changed: float | None = None
    published: str | None = None


@dataclass(frozen=True, slots=True)
class Crawl:
    """The pages of all sources.

    Attributes:
        pages: In the order of the sources and of what they name.
        problems: Sitemaps and feeds that could not be read, with reasons.
        members: Sitemap or feed → the pages that it names now, for each that could be read.
        lists: Addresses of all sitemaps and feeds that were read.
    """

    pages: tuple[Page, ...]
    problems: tuple[Skipped, ...]
    members: Mapping[str, frozenset[str]]
    lists: frozenset[str]

    def distinct(self, state: CrawlState) -> list[Page]:
        """Return the pages, merging those whose addresses lead to the same page."""
        finals: dict[str, str] = {}
        found: dict[str, Page] = {}
        for page in self.pages:
            known = state.known(page.address) if page.state == "there" else None
            final = known.validators.final if known else page.address
            first = found.get(finals.setdefault(final, page.address))
            if first is None:
                found[page.address] = page
            else:
                sources = tuple(dict.fromkeys([*first.sources, *page.sources]))
                found[first.address] = replace(first, sources=sources)
        return list(found.values())


def crawl(
    sources: Sequence[str],
    state: CrawlState,
    held: Mapping[str, str | None],
    options: Options,
    report: Report,
    *,
    lost: Collection[str] = (),
) -> Crawl:
    """Fetch everything that ``sources`` name into the crawl state.

    Args:
        sources: Addresses of pages, sitemaps and feeds.
        held: Address → the content that the live generation's article was read from; ``None`` if
            it has to be read again.
        report: Called with the number of pages that were asked for, and of all.
        lost: Addresses that the sources may have named, in case the crawl state is lost.
    """

    async def run() -> Crawl:
        async with fetching(options) as fetcher:
            fetch = ConditionalFetcher(fetcher, state, held, options)
            reader = ListReader(fetch, process, options)
            crawler = _Crawler(
                fetch, reader, state, held=frozenset(held), options=options, report=report
            )
            if state.is_new:
                crawler.lost = frozenset(lost)
            await asyncio.gather(*(crawler.ask_source(source) for source in sources))
            await crawler.ask_pages(sources)
        return crawler.result(sources)

    with contextlib.closing(ListingProcess()) as process:
        return asyncio.run(run())


class _Crawler:
    """Fetches sources, then the pages that they name.

    Attributes:
        lost: Addresses whose sources are not known any more.
    """

    def __init__(
        self,
        fetcher: ConditionalFetcher,
        reader: ListReader,
        state: CrawlState,
        *,
        held: frozenset[str],
        options: Options,
        report: Report,
    ) -> None:
        self._fetcher = fetcher
        self._reader = reader
        self._state = state
        self._held = held
        self._options = options
        self._report = report
        self._lists: dict[str, NamedPages] = {}
        self._pages: dict[str, Page] = {}
        self._problems: list[Skipped] = []
        self.lost: frozenset[str] = frozenset()

    async def ask_source(self, source: str) -> None:
        """Fetch a source, which is a page or a list of pages."""
        known = self._state.known(source)
        members = self._members(source)
        was_list = bool(members) or (known is not None and known.kind in LISTINGS)
        found = await self._fetcher.fetch(source, limit=self._options.listing_bytes)
        if found.state != "there" and was_list:
            self._keep_members(source, found.reason, members)
        elif found.kind is not None and found.kind in LISTINGS:
            try:
                self._lists[source] = await self._reader.read(source, found.kind, found.body)
            except (ListingError, BodyError) as error:
                self._keep_members(source, str(error), members)
        else:
            self._pages[source] = Page(source, (source,), found.state, found.reason)

    def _members(self, source: str) -> set[str]:
        """Return what a list named before; if that is lost, what is held of the same server."""
        here = {address for address in self.lost if server_of(address) == server_of(source)}
        return self._state.members(source) | here

    def _keep_members(self, source: str, reason: str, members: Iterable[str]) -> None:
        kept = [address for address in sorted(members) if address in self._held]
        for address in kept:
            self._pages.setdefault(address, Page(address, (source,)))
        more = f"; its {len(kept)} articles are kept as they were" if kept else ""
        self._problems.append(Skipped(source, reason + more, kept=bool(kept)))

    # --- Pages ------------------------------------------------------------------------------------

    async def ask_pages(self, sources: Sequence[str]) -> None:
        """Fetch the pages of all lists once each, servers in parallel."""
        waiting = self._targets([source for source in sources if source in self._lists])
        done = len(self._pages)
        total = done + len(waiting)
        self._report(done, total)
        by_server: defaultdict[str, list[Page]] = defaultdict(list)
        for page in waiting:
            by_server[server_of(page.address)].append(page)
        deadline = asyncio.get_running_loop().time() + 60 * self._options.minutes

        async def ask(pages: Sequence[Page]) -> None:
            nonlocal done
            for page in pages:
                self._pages[page.address] = await self._ask_page(page, deadline)
                done += 1
                self._report(done, total)

        await asyncio.gather(*(ask(pages) for pages in by_server.values()))

    def _targets(self, lists: Sequence[str]) -> list[Page]:
        """Return the pages to fetch, longest ago first."""
        named: dict[str, Page] = {}
        for source in lists:
            for address, entry in self._lists[source].entries.items():
                new = Page(address, (), feed_page=entry.page, changed=entry.changed)
                page = named.get(address, new)
                named[address] = replace(
                    page,
                    sources=(*page.sources, source),
                    changed=later(page.changed, entry.changed),
                    published=page.published or entry.published,
                )
        for address in named.keys() & self._pages.keys():
            page = self._pages[address]
            both = tuple(dict.fromkeys([*page.sources, *named[address].sources]))
            if page.state == "kept":  # Kept by a list that could not be read, unlike this one.
                del self._pages[address]
                named[address] = replace(named[address], sources=both)
            else:  # It is a source itself and was fetched already.
                new = named.pop(address)
                self._pages[address] = replace(
                    page, sources=both, feed_page=new.feed_page, published=new.published
                )
        waiting = [*named.values(), *self._from_feeds(lists, named)]
        return sorted(waiting, key=lambda page: self._asked(page.address))

    def _asked(self, address: str) -> int:
        known = self._state.known(address)
        return known.asked if known else 0

    def _from_feeds(self, lists: Sequence[str], named: Collection[str]) -> list[Page]:
        """Return pages to fetch although no list names them any more.

        What left a sitemap is gone. What left a feed is only old: a few such pages are fetched in
        each rebuild, and kept until they are gone.
        """
        old: defaultdict[str, list[str]] = defaultdict(list)
        for source in lists:
            for address in sorted(self._members(source) & self._held):
                if address in named or address in self._pages:
                    continue
                if self._lists[source].is_feed:
                    old[address].append(source)
                else:
                    self._pages[address] = self._out_of_sitemap(source, address)
        pages = [
            Page(address, tuple(old[address]), listed=False)
            for address in sorted(old, key=self._asked)
        ]
        for page in pages[self._options.rechecked :]:
            self._pages[page.address] = page
        now = pages[: self._options.rechecked]
        for page in now:
            # A sitemap may say that it is gone; fetching it will tell.
            self._pages.pop(page.address, None)
        return now

    def _out_of_sitemap(self, source: str, address: str) -> Page:
        if self._lists[source].partial or address in self.lost:
            return Page(address, (source,), listed=False)
        return Page(address, (source,), "gone", f"is no longer in {source}", listed=False)

    async def _ask_page(self, page: Page, deadline: float) -> Page:
        if asyncio.get_running_loop().time() > deadline:
            time = f"within the {self._options.minutes:g} minutes that web_minutes allows"
            reason = f"was not asked for {time}; the next rebuild goes on with it"
            return replace(page, state="failed", reason=reason)
        limit = self._options.page_bytes
        found = await self._fetcher.fetch(page.address, limit=limit, changed=page.changed)
        if found.kind in LISTINGS:
            reason = f"is a {found.kind}, not a page; name it as a source of its own"
            return replace(page, state="gone", reason=reason)
        return replace(page, state=found.state, reason=found.reason)

    def result(self, sources: Sequence[str]) -> Crawl:
        """Return all pages, in the order in which sources name them."""
        lists = [self._lists[source] for source in sources if source in self._lists]
        order = dict.fromkeys(sources)
        for pages in lists:
            order |= dict.fromkeys(pages.entries)
        order |= dict.fromkeys(sorted(self._pages))
        return Crawl(
            tuple(self._pages[address] for address in order if address in self._pages),
            (*self._problems, *(problem for pages in lists for problem in pages.problems)),
            {pages.source: frozenset(pages.entries) for pages in lists},
            frozenset(address for pages in lists for address in pages.visited),
        )

"""Sources on the web → what is at each of their pages now."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qabot.articles import Skipped
from qabot.web.addresses import server_of
from qabot.web.bodies import BodyError
from qabot.web.conditional import Asker
from qabot.web.content_types import LISTINGS
from qabot.web.crawl_state import Memory
from qabot.web.discovery import ListReader, NamedPages
from qabot.web.fetcher import fetching
from qabot.web.freshness import later
from qabot.web.listings import ListingError
from qabot.web.policy import Options

State = Literal["there", "gone", "failed", "kept"]
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Document:
    """What is at the address of a page.

    Attributes:
        sources: The sources that name it or lead to it, by their addresses.
        state: ``there`` where its content is that of the memory; ``kept`` where nobody asked.
        reason: Why it is gone or failed.
        listed: Whether a source names it now; if not, it leaves without a word.
        page: What a feed holds of it, for want of the page itself.
        changed: When it changed last, in Unix seconds, if all lists that name it say so.
    """

    address: str
    sources: tuple[str, ...]
    state: State = "kept"
    reason: str = ""
    listed: bool = True
    page: bytes = b""
    changed: float | None = None


@dataclass(frozen=True, slots=True)
class Crawl:
    """What is on the web.

    Attributes:
        documents: In the order of the sources and of what they name.
        problems: What is wrong with sitemaps and feeds.
        members: Of each sitemap and feed that could be read, the pages it names now.
        lists: The addresses of all sitemaps and feeds that were read.
    """

    documents: tuple[Document, ...]
    problems: tuple[Skipped, ...]
    members: Mapping[str, frozenset[str]]
    lists: frozenset[str]


def crawl(
    sources: Sequence[str],
    memory: Memory,
    held: Mapping[str, str | None],
    options: Options,
    report: Report,
    *,
    lost: Collection[str] = (),
) -> Crawl:
    """Ask for all that ``sources`` name; what was read is in ``memory`` then.

    Args:
        sources: Addresses of pages, sitemaps and feeds.
        held: Addresses whose articles the live generation holds; each with the content that it was
            read from, or ``None`` where it is to be read anew.
        report: Told how many pages were asked for, of how many.
        lost: Addresses that the sources may have named, for want of a memory that says so.
    """

    async def run() -> Crawl:
        async with fetching(options) as fetcher:
            asker = Asker(fetcher, memory, held, options)
            crawler = _Crawler(asker, memory, frozenset(held), options, report)
            if memory.is_new:
                crawler.lost = frozenset(lost)
            await asyncio.gather(*(crawler.ask_source(source) for source in sources))
            await crawler.ask_pages(sources)
        return crawler.result(sources)

    return asyncio.run(run())


class _Crawler:
    """Asks for sources, then for the pages that they name.

    Attributes:
        lost: Addresses of which nobody remembers who named them.
    """

    def __init__(
        self,
        asker: Asker,
        memory: Memory,
        held: frozenset[str],
        options: Options,
        report: Report,
    ) -> None:
        self._asker = asker
        self._memory = memory
        self._held = held
        self._options = options
        self._report = report
        self._lists: dict[str, NamedPages] = {}
        self._documents: dict[str, Document] = {}
        self._problems: list[Skipped] = []
        self.lost: frozenset[str] = frozenset()

    async def ask_source(self, source: str) -> None:
        """Find out what a source is: a page, or a list of pages."""
        known = self._memory.known(source)
        members = self._members(source)
        was_list = bool(members) or (known is not None and known.kind in LISTINGS)
        found = await self._asker.ask(source, limit=self._options.listing_bytes)
        if found.state != "there" and was_list:
            self._keep_members(source, found.reason, members)
        elif found.kind is not None and found.kind in LISTINGS:
            try:
                reader = ListReader(self._asker, self._options)
                self._lists[source] = await reader.read(source, found.kind, found.body)
            except (ListingError, BodyError) as error:
                self._keep_members(source, str(error), members)
        else:
            self._documents[source] = Document(source, (source,), found.state, found.reason)

    def _members(self, source: str) -> set[str]:
        """What a list named before; where that is lost, what is held of the same server."""
        here = {address for address in self.lost if server_of(address) == server_of(source)}
        return self._memory.members(source) | here

    def _keep_members(self, source: str, reason: str, members: Iterable[str]) -> None:
        kept = [address for address in sorted(members) if address in self._held]
        for address in kept:
            self._documents.setdefault(address, Document(address, (source,)))
        more = f"; its {len(kept)} articles are kept as they were" if kept else ""
        self._problems.append(Skipped(source, reason + more, kept=bool(kept)))

    # --- Pages ------------------------------------------------------------------------------------

    async def ask_pages(self, sources: Sequence[str]) -> None:
        """Ask for the pages of all lists, servers side by side, each page once."""
        waiting = self._targets([source for source in sources if source in self._lists])
        done = len(self._documents)
        total = done + len(waiting)
        self._report(done, total)
        by_server: defaultdict[str, list[Document]] = defaultdict(list)
        for document in waiting:
            by_server[server_of(document.address)].append(document)
        deadline = asyncio.get_running_loop().time() + 60 * self._options.minutes

        async def ask(documents: Sequence[Document]) -> None:
            nonlocal done
            for document in documents:
                self._documents[document.address] = await self._ask_page(document, deadline)
                done += 1
                self._report(done, total)

        await asyncio.gather(*(ask(documents) for documents in by_server.values()))

    def _targets(self, lists: Sequence[str]) -> list[Document]:
        """The pages that are to be asked for: first those that were asked for longest ago."""
        named: dict[str, Document] = {}
        for source in lists:
            for address, entry in self._lists[source].entries.items():
                new = Document(address, (), page=entry.page, changed=entry.changed)
                document = named.get(address, new)
                named[address] = replace(
                    document,
                    sources=(*document.sources, source),
                    changed=later(document.changed, entry.changed),
                )
        for address in named.keys() & self._documents.keys():
            document = self._documents[address]
            both = tuple(dict.fromkeys([*document.sources, *named[address].sources]))
            if document.state == "kept":  # By a list that could not be read, unlike this one.
                del self._documents[address]
                named[address] = replace(named[address], sources=both)
            else:  # A source itself, and asked for already.
                page = named.pop(address).page
                self._documents[address] = replace(document, sources=both, page=page)
        waiting = [*named.values(), *self._from_feeds(lists, named)]
        return sorted(waiting, key=lambda document: self._asked(document.address))

    def _asked(self, address: str) -> int:
        known = self._memory.known(address)
        return known.asked if known else 0

    def _from_feeds(self, lists: Sequence[str], named: Collection[str]) -> list[Document]:
        """Pages that are to be asked for although no list names them any more.

        What left a sitemap is gone. What left a feed has only become old: it is asked for, a few
        pages in each rebuild, and kept until it is not there any more.
        """
        old: defaultdict[str, list[str]] = defaultdict(list)
        for source in lists:
            for address in sorted(self._members(source) & self._held):
                if address in named or address in self._documents:
                    continue
                if self._lists[source].is_feed:
                    old[address].append(source)
                else:
                    self._documents[address] = self._out_of_sitemap(source, address)
        pages = [
            Document(address, tuple(old[address]), listed=False)
            for address in sorted(old, key=self._asked)
        ]
        for document in pages[self._options.rechecked :]:
            self._documents[document.address] = document
        now = pages[: self._options.rechecked]
        for document in now:
            # A sitemap may have said that it is gone; whether it is will show.
            self._documents.pop(document.address, None)
        return now

    def _out_of_sitemap(self, source: str, address: str) -> Document:
        if self._lists[source].partial or address in self.lost:
            return Document(address, (source,), listed=False)
        return Document(address, (source,), "gone", f"is no longer in {source}", listed=False)

    async def _ask_page(self, document: Document, deadline: float) -> Document:
        if asyncio.get_running_loop().time() > deadline:
            time = f"within the {self._options.minutes:g} minutes that web_minutes allows"
            reason = f"was not asked for {time}; the next rebuild goes on with it"
            return replace(document, state="failed", reason=reason)
        limit = self._options.page_bytes
        found = await self._asker.ask(document.address, limit=limit, changed=document.changed)
        if found.kind in LISTINGS:
            reason = f"is a {found.kind}, not a page; name it as a source of its own"
            return replace(document, state="gone", reason=reason)
        return replace(document, state=found.state, reason=found.reason)

    def result(self, sources: Sequence[str]) -> Crawl:
        """All documents, in the order in which sources name them."""
        lists = [self._lists[source] for source in sources if source in self._lists]
        order = dict.fromkeys(sources)
        for pages in lists:
            order |= dict.fromkeys(pages.entries)
        order |= dict.fromkeys(sorted(self._documents))
        return Crawl(
            tuple(self._documents[address] for address in order if address in self._documents),
            (*self._problems, *(problem for pages in lists for problem in pages.problems)),
            {pages.source: frozenset(pages.entries) for pages in lists},
            frozenset(address for pages in lists for address in pages.visited),
        )

"""Sources on the web → what is at each of their pages now."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from qabot.articles import Skipped
from qabot.web.bodies import BodyError, too_large, unpacked
from qabot.web.fetching import Fetched, Fetcher, Validators, fetching
from qabot.web.kinds import LISTINGS, Kind, Listing, kind_of
from qabot.web.listings import Entry, ListingError, read_listing
from qabot.web.memory import Memory, Remembered
from qabot.web.options import Options

State = Literal["there", "gone", "failed", "kept"]
Report = Callable[[int, int], None]
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Document:
    """What is at the address of a page.

    Attributes:
        sources: The sources that name it or lead to it, by their addresses.
        state: ``there`` where its content is that of the memory; ``kept`` where nobody asked.
        reason: Why it is gone or failed.
        listed: Whether a source names it now; if not, it leaves without a word.
        page: What a feed holds of it, for want of the page itself.
    """

    address: str
    sources: tuple[str, ...]
    state: State
    reason: str = ""
    listed: bool = True
    page: bytes = b""


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
            crawler = _Crawler(fetcher, memory, held, options, report)
            if memory.is_new:
                crawler.lost = frozenset(lost)
            await asyncio.gather(*(crawler.ask_source(source) for source in sources))
            await crawler.ask_pages(sources)
        return crawler.result(sources)

    return asyncio.run(run())


@dataclass(slots=True)
class _List:
    """What a source of several pages names.

    Attributes:
        visited: Its sitemaps.
        partial: Whether something of it could not be read, so that what is missing may be there.
        cut: Whether it names more than may be read.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    visited: set[str] = field(default_factory=set)
    is_feed: bool = False
    partial: bool = False
    cut: bool = False


class _Crawler:
    def __init__(
        self,
        fetcher: Fetcher,
        memory: Memory,
        held: Mapping[str, str | None],
        options: Options,
        report: Report,
    ) -> None:
        self._fetcher = fetcher
        self._memory = memory
        self._held = held
        self._options = options
        self._report = report
        self._lists: dict[str, _List] = {}
        self._documents: dict[str, Document] = {}
        self._problems: list[Skipped] = []
        self.lost: frozenset[str] = frozenset()

    # --- Sources ----------------------------------------------------------------------------------

    async def ask_source(self, source: str) -> None:
        """Find out what a source is: a page, or a list of pages."""
        known = self._memory.known(source)
        fetched = await self._fetch(source, known, self._options.listing_bytes)
        members = self._members(source)
        was_list = bool(members) or (known is not None and known.kind in LISTINGS)
        if fetched.outcome in ("gone", "failed") and was_list:
            self._keep_members(source, fetched.reason, members)
            return
        try:
            kind, body = self._content(source, fetched, known)
        except (ValueError, BodyError) as error:
            self._documents[source] = Document(source, (source,), "gone", str(error))
            return
        if kind is None or kind not in LISTINGS:
            self._documents[source] = self._page(source, fetched, (source,))
            return
        self._lists[source] = _List(is_feed=kind == "feed")
        try:
            await self._read_list(source, source, kind, body)
        except (ListingError, BodyError) as error:
            del self._lists[source]
            self._keep_members(source, str(error), members)

    def _content(
        self, address: str, fetched: Fetched, known: Remembered | None
    ) -> tuple[Kind | None, bytes]:
        """What is at an address and, where that is a list, its content; remembers it if new.

        Raises:
            ValueError: It is nothing that could be read.
            BodyError: It is too large, or damaged.
        """
        if fetched.outcome == "same" and known:
            body = self._memory.body(address) if known.kind in LISTINGS else None
            self._memory.touch(address)
            return known.kind, body or b""
        if fetched.outcome != "read":
            self._memory.touch(address)
            return None, b""
        body = unpacked(fetched.body, self._options.listing_bytes)
        kind = kind_of(body, fetched.type)
        if kind not in LISTINGS and len(body) > self._options.page_bytes:
            raise too_large(self._options.page_bytes)
        content = _content(kind, fetched.validators, body)
        self._memory.keep(address, fetched.validators, kind, content, body)
        return kind, body

    def _keep_members(self, source: str, reason: str, members: Iterable[str]) -> None:
        kept = [address for address in sorted(members) if address in self._held]
        for address in kept:
            self._documents.setdefault(address, Document(address, (source,), "kept"))
        more = f"; its {len(kept)} articles are kept" if kept else ""
        self._problems.append(Skipped(source, reason + more, kept=bool(kept)))

    # --- Sitemaps and feeds -----------------------------------------------------------------------

    async def _read_list(
        self, source: str, address: str, kind: Kind, body: bytes, depth: int = 1
    ) -> None:
        """Note what the list at ``address`` names, and what the lists do that it leads to."""
        found = self._lists[source]
        found.visited.add(address)
        entries = self._entries(address, kind, body)
        if kind == "sitemap index":
            await self._read_index(source, [entry.address for entry in entries], depth)
            return
        for entry in entries:
            if len(found.entries) >= self._options.pages:
                break
            found.entries.setdefault(entry.address, entry)
        if any(entry.address not in found.entries for entry in entries):
            self._cut(source, f"more than {self._options.pages} pages", "pages")

    def _entries(self, address: str, kind: Kind, body: bytes) -> list[Entry]:
        if kind == "feed" and len(body) > self._options.feed_bytes:
            raise too_large(self._options.feed_bytes)
        most = self._options.sitemaps if kind == "sitemap index" else self._options.pages
        listing: Listing = (
            "feed" if kind == "feed" else "sitemap" if kind == "sitemap" else "sitemap index"
        )
        return read_listing(body, listing, address, most)

    def _cut(self, source: str, named: str, what: str) -> None:
        found = self._lists[source]
        if not found.cut:
            more = ", or set web_pages higher" if what == "pages" else ""
            reason = f"names {named}; the first are read: name parts of it{more}"
            self._problems.append(Skipped(source, reason))
        found.partial = found.cut = True

    async def _read_index(self, source: str, sitemaps: list[str], depth: int) -> None:
        found = self._lists[source]
        if depth >= _DEPTH:
            raise ListingError("is a sitemap index too deep within others")
        for sitemap in sitemaps:
            if sitemap in found.visited:
                continue
            if len(found.visited) > self._options.sitemaps:
                self._cut(source, f"more than {self._options.sitemaps} sitemaps", "sitemaps")
                return
            if found.cut:
                return
            await self._read_sitemap(source, sitemap, depth)

    async def _read_sitemap(self, source: str, sitemap: str, depth: int) -> None:
        """One sitemap of an index; what is wrong with it concerns no other."""
        found = self._lists[source]
        found.visited.add(sitemap)
        known = self._memory.known(sitemap)
        fetched = await self._fetch(sitemap, known, self._options.listing_bytes)
        try:
            kind, body = self._content(sitemap, fetched, known)
            if kind is None:
                raise ListingError(fetched.reason)
            if kind not in LISTINGS:
                raise ListingError("is a page, not a sitemap")
            await self._read_list(source, sitemap, kind, body, depth + 1)
        except (ListingError, BodyError, ValueError) as error:
            found.partial = True
            self._problems.append(Skipped(sitemap, str(error)))

    # --- Pages ------------------------------------------------------------------------------------

    async def ask_pages(self, sources: Sequence[str]) -> None:
        """Ask for the pages of all lists, servers side by side, each page once."""
        waiting = self._targets(sources)
        done = len(self._documents)
        total = done + len(waiting)
        self._report(done, total)
        by_server: defaultdict[str, list[Document]] = defaultdict(list)
        for document in waiting:
            by_server[_server(document.address)].append(document)
        deadline = asyncio.get_running_loop().time() + 60 * self._options.minutes

        async def ask(documents: Sequence[Document]) -> None:
            nonlocal done
            for document in documents:
                self._documents[document.address] = await self._ask_page(document, deadline)
                done += 1
                self._report(done, total)

        await asyncio.gather(*(ask(documents) for documents in by_server.values()))

    def _targets(self, sources: Sequence[str]) -> list[Document]:
        """The pages that are to be asked for: first those that were asked for longest ago."""
        listed: dict[str, tuple[Entry, list[str]]] = {}
        for source in filter(self._lists.__contains__, sources):
            for address, entry in self._lists[source].entries.items():
                listed.setdefault(address, (entry, []))[1].append(source)
        for address in set(listed) & self._documents.keys():
            document, (entry, names) = self._documents[address], listed[address]
            names[:] = dict.fromkeys([*document.sources, *names])
            if document.state == "kept":  # By a list that could not be read, unlike this one.
                del self._documents[address]
            else:  # A source itself, and asked for already.
                del listed[address]
                self._documents[address] = replace(document, sources=tuple(names), page=entry.page)
        waiting = [
            Document(address, tuple(names), "kept", page=entry.page)
            for address, (entry, names) in listed.items()
        ]
        waiting += self._left_feeds(sources, listed)
        asked = {document.address: self._asked(document.address) for document in waiting}
        return sorted(waiting, key=lambda document: asked[document.address])

    def _asked(self, address: str) -> int:
        known = self._memory.known(address)
        return known.asked if known else 0

    def _left_feeds(self, sources: Sequence[str], listed: Mapping[str, object]) -> list[Document]:
        """Pages that lists named once and name no more, whose articles are held.

        What left a sitemap is gone. What left a feed has only become old: it is asked for, a few
        pages in each rebuild, and kept until it is not there any more.
        """
        again: dict[str, list[str]] = defaultdict(list)
        for source in filter(self._lists.__contains__, sources):
            found = self._lists[source]
            left = self._members(source) & self._held.keys()
            left -= listed.keys() | found.entries.keys()
            for address in sorted(left - self._documents.keys()):
                if found.is_feed:
                    again[address].append(source)
                elif found.partial or address in self.lost:
                    self._documents[address] = Document(address, (source,), "kept", listed=False)
                else:
                    reason = f"is no longer in {source}"
                    self._documents[address] = Document(address, (source,), "gone", reason, False)
        order = sorted(again, key=self._asked)
        now, later = order[: self._options.rechecked], order[self._options.rechecked :]
        for address in again:
            self._documents.pop(address, None)
        for address in later:
            self._documents[address] = Document(
                address, tuple(again[address]), "kept", listed=False
            )
        return [Document(address, tuple(again[address]), "kept", listed=False) for address in now]

    def _members(self, source: str) -> set[str]:
        """What a list named before; where that is lost, what is held of the same server."""
        here = {address for address in self.lost if _server(address) == _server(source)}
        return self._memory.members(source) | here

    async def _ask_page(self, document: Document, deadline: float) -> Document:
        address = document.address
        if asyncio.get_running_loop().time() > deadline:
            reason = f"was not asked for within {self._options.minutes:g} minutes; the next rebuild"
            reason = f"{reason} goes on (setting web_minutes)"
            return replace(document, state="failed", reason=reason)
        known = self._memory.known(address)
        fetched = await self._fetch(address, known, self._options.page_bytes)
        try:
            kind, _ = self._content(address, fetched, known)
        except (ValueError, BodyError) as error:
            return replace(document, state="gone", reason=str(error))
        if kind in LISTINGS:
            reason = f"is a {kind}, not a page; name it as a source of its own"
            return replace(document, state="gone", reason=reason)
        made = self._page(address, fetched, document.sources)
        return replace(document, state=made.state, reason=made.reason)

    def _page(self, address: str, fetched: Fetched, sources: tuple[str, ...]) -> Document:
        if fetched.outcome in ("gone", "failed"):
            state: State = "gone" if fetched.outcome == "gone" else "failed"
            return Document(address, sources, state, fetched.reason)
        return Document(address, sources, "there")

    async def _fetch(self, address: str, known: Remembered | None, limit: int) -> Fetched:
        validators: Validators | None = None
        # Where a server has nothing new, its last answer must be at hand.
        if known and known.content and self._has(address, known):
            validators = known.validators
        return await self._fetcher.fetch(address, limit=limit, known=validators)

    def _has(self, address: str, known: Remembered) -> bool:
        return known.has_body or known.content == self._held.get(address)

    # --- What came of it --------------------------------------------------------------------------

    def result(self, sources: Sequence[str]) -> Crawl:
        """All documents, in the order in which sources name them."""
        order = dict.fromkeys(sources)
        for found in self._lists.values():
            order |= dict.fromkeys(found.entries)
        order |= dict.fromkeys(sorted(self._documents))
        documents = [self._documents[a] for a in order if a in self._documents]
        members = {source: frozenset(found.entries) for source, found in self._lists.items()}
        lists = frozenset(a for found in self._lists.values() for a in found.visited)
        return Crawl(tuple(documents), tuple(self._problems), members, lists)


def _server(address: str) -> str:
    return address.split("/")[2]


def _content(kind: Kind, validators: Validators, body: bytes) -> str:
    # The address that it was read from is shown with it, so it takes part.
    head = f"{kind} {validators.final}\n".encode()
    return hashlib.sha256(head + body).hexdigest()

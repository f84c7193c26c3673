"""Web sources → articles: crawl, read what changed, and keep what cannot be reached."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from qabot.articles import (
    Format,
    ReadingProcess,
    Skipped,
    SourceFile,
    page_file,
    readers_version,
)
from qabot.indexing.canonical import canonical
from qabot.indexing.live_articles import Item, LiveArticles
from qabot.indexing.pages import PageReader
from qabot.indexing.placement import place_pages
from qabot.indexing.plan import IndexPlan
from qabot.indexing.summary import Progress, Report
from qabot.types import ArticleInfo
from qabot.web import (
    Crawl,
    CrawlOutcome,
    CrawlState,
    Page,
    addresses_among,
    crawl,
    open_crawl_state,
)


@dataclass(frozen=True, slots=True)
class WebArticles:
    """The articles of all web sources.

    Attributes:
        skipped: Addresses that were left out, or whose articles are kept, with reasons.
        done: Ids of all articles that were dealt with, kept or not.
        outcome: To be recorded once the live generation holds the items.
    """

    items: Sequence[Item] = ()
    skipped: Sequence[Skipped] = ()
    done: frozenset[str] = frozenset()
    outcome: CrawlOutcome | None = None


@dataclass(frozen=True, slots=True)
class WebSources:
    """Web sources, and what their articles share an index with.

    Attributes:
        addresses: Address → the collections that name it.
        files: The files of the next generation.
        infos: The articles of the live generation, if only some collections are renewed.
    """

    addresses: Mapping[str, tuple[str, ...]]
    files: Sequence[SourceFile]
    infos: Sequence[ArticleInfo]


def web_articles(
    sources: WebSources, plan: IndexPlan, live: LiveArticles, folder: Path, report: Report
) -> WebArticles:
    """Read the pages of all sources.

    Args:
        folder: The index folder, which holds the crawl state.
        report: Called with the number of pages that were asked for.

    Raises:
        sqlite3.Error: The crawl state cannot be read or written.
    """
    unvisited = _unvisited(sources, plan, live) if plan.files_only else None
    return unvisited or _visit(sources, plan, live, folder, report)


def _unvisited(sources: WebSources, plan: IndexPlan, live: LiveArticles) -> WebArticles | None:
    """Take all pages from the live generation; ``None`` if servers have to be asked.

    They have to if other addresses are named than those that the generation was built from.
    """
    manifest = live.manifest
    if manifest is None or not live.is_current:
        return None
    before, collections = manifest.sources, manifest.collections
    if plan.only:
        before, collections = (), {name: collections.get(name, ()) for name in plan.only}
    if sources.addresses != addresses_among(before, collections):
        return None
    infos = [info for address in sorted(live.renewed(plan.only)) if (info := live.page(address))]
    pages = [page_file(info.source, "html", info.collections) for info in infos]
    placed = place_pages(pages, sources.files, sources.infos, plan.only)
    items = [live.placed(page, info) for page, info in zip(placed, infos, strict=True)]
    return WebArticles(items, done=frozenset(page.id for page in placed))


def _visit(
    sources: WebSources, plan: IndexPlan, live: LiveArticles, folder: Path, report: Report
) -> WebArticles:
    """Fetch the pages of all sources, and read those that changed."""

    def fetching(done: int, total: int) -> None:
        report(Progress("fetching", done, total))

    with open_crawl_state(folder) as state, contextlib.closing(ReadingProcess()) as process:
        state.forget_refusals(None if plan.full else readers_version())
        contents = {address: live.current(address) for address in live.addresses}
        lost = live.renewed(plan.only)
        found = crawl(list(sources.addresses), state, contents, plan.web, fetching, lost=lost)
        pages = found.distinct(state)
        files = place_pages(
            [_file(page, sources.addresses, state) for page in pages],
            sources.files,
            sources.infos,
            plan.only,
        )
        renewed = frozenset(name for names in sources.addresses.values() for name in names)
        reader = PageReader(state, live, plan.web, renewed, process)
        for page, file in zip(pages, files, strict=True):
            reader.read(page, file)
    items, duplicates = canonical(reader.items, live)
    wanted = {*sources.addresses, *found.lists, *(page.address for page in found.pages)}
    outcome = CrawlOutcome(
        gone=reader.gone,
        indexed=reader.indexed - duplicates,
        members=_members(found, items),
        refused=reader.refused,
        readers=readers_version(),
        wanted=None if plan.only else wanted,
    )
    done = frozenset(file.id for file in files)
    return WebArticles(items, [*found.problems, *reader.problems()], done, outcome)


def _file(page: Page, sources: Mapping[str, tuple[str, ...]], state: CrawlState) -> SourceFile:
    known = state.known(page.address)
    kind = known.kind if known else None
    file_format: Format = next((name for name in get_args(Format) if name == kind), "html")
    collections = {name for source in page.sources for name in sources[source]}
    return page_file(page.address, file_format, tuple(sorted(collections)))


def _members(found: Crawl, items: Sequence[Item]) -> dict[str, set[str]]:
    """Return the pages that each list names or named, as far as they may be in the index."""
    indexed = {item.info.source for item in items}
    members = {source: set(named) for source, named in found.members.items()}
    for page in found.pages:
        for source in page.sources:
            if source in members and page.address in indexed:
                members[source].add(page.address)
    return members

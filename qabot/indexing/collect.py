"""Collect the articles of the next generation: new and changed ones, and those that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from qabot.articles import DRAFT, SeenFiles, Skipped, read_changed, readers_version
from qabot.errors import SourceError
from qabot.index import AnyGeneration, Manifest
from qabot.index.seen import read_seen, write_seen
from qabot.indexing.live_articles import Item, LiveArticles
from qabot.indexing.placement import kept_articles, place_files
from qabot.indexing.plan import IndexPlan
from qabot.indexing.summary import Progress, Report
from qabot.indexing.web_articles import WebArticles, WebSources, web_articles
from qabot.types import Article, ArticleInfo, Unchanged
from qabot.web import CrawlOutcome

_SHOWN_REASONS = 3
# Of so many unchanged files, one is told of.
_TOLD = 100


@dataclass(frozen=True, slots=True)
class Collected:
    """The articles of the next generation, and what they were collected from.

    Attributes:
        items: In the order of their ids.
        skipped: Documents that could not be read, with reasons.
        readers: The version of the parsers that read them.
        left_out: Files of other types, excluded files and drafts, with reasons.
        crawl: The outcome of crawling, to be recorded once the live generation holds the items.
    """

    items: list[Item]
    skipped: tuple[Skipped, ...]
    sources: tuple[str, ...]
    collections: dict[str, tuple[str, ...]]
    readers: str
    left_out: tuple[Skipped, ...] = ()
    crawl: CrawlOutcome | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Parts of newly read articles that could not be read, each on one line."""
        return tuple(
            f"{item.info.source}: {warning}"
            for item in self.items
            if isinstance(item, Article)
            for warning in item.warnings
        )

    @property
    def infos(self) -> list[ArticleInfo]:
        """The items without their texts."""
        return [item.info for item in self.items]

    def is_live(self, manifest: Manifest) -> bool:
        """Tell if the live generation, which ``manifest`` describes, holds exactly this."""
        return (
            len(self.items) == manifest.articles
            and all(isinstance(item, Unchanged) for item in self.items)
            and not self.differs(manifest)
        )

    def differs(self, manifest: Manifest) -> bool:
        """Tell if sources, collections or parsers differ from those of a generation."""
        mine = (self.sources, self.collections, self.readers)
        return mine != (manifest.sources, manifest.collections, manifest.readers)


def collect(plan: IndexPlan, live: AnyGeneration | None, folder: Path, report: Report) -> Collected:
    """Read what has changed, and take the rest from the live generation.

    Args:
        live: The live generation, if there is one.
        folder: The index folder, which holds the crawl state.
        report: Called with the number of pages fetched or files read.

    Raises:
        SourceError: A source is missing or unreadable, or no document is an article.
    """
    found, addresses = plan.find()
    infos = live.database.infos() if live and plan.only else []
    files = place_files(found.files, infos, plan.only) if plan.only else found.files
    articles = LiveArticles(live, full=plan.full)
    pages = WebArticles()
    if addresses:
        sources = WebSources(addresses, files, infos)
        pages = web_articles(sources, plan, articles, folder, report)
    known = read_seen(folder)
    seen = SeenFiles({} if plan.full else known, f"{readers_version()} {plan.drafts}")
    read, skipped = _read(
        read_changed(files, articles.read_before, plan.limits, drafts=plan.drafts, seen=seen),
        lambda done: report(Progress("reading", done, len(files))),
    )
    # Of the other collections, nothing was asked.
    remembered = {**known, **seen.after} if plan.only else seen.after
    if remembered != known:
        write_seen(folder, remembered)
    if skipped:
        # A source may have vanished meanwhile, such as a disk that was removed. This raises then:
        # what it held must not leave the index.
        plan.find()
    drafts = [item for item in skipped if item.reason.startswith(DRAFT)]
    skipped = [item for item in skipped if item not in drafts]
    items = [*read, *pages.items]
    skipped += pages.skipped
    if not items:
        reasons = _reasons(skipped, drafts, addresses)
        raise SourceError(f"no article could be read: {'; '.join(reasons[:_SHOWN_REASONS])}")
    if plan.only and live:
        done = {file.id for file in files} | pages.done
        items += kept_articles(live, infos, plan.only, done)
    sources_kept, collections = _built_from(plan, live)
    return Collected(
        sorted(items, key=lambda item: item.info.id),
        tuple(skipped),
        sources_kept,
        collections,
        readers_version(),
        (*found.left_out, *drafts),
        pages.outcome,
    )


def _reasons(
    skipped: Iterable[Skipped], drafts: Iterable[Skipped], addresses: Iterable[str]
) -> list[str]:
    """Say why there is no article."""
    reasons = [f"{item.source} {item.reason}" for item in skipped]
    reasons += [f"{item.source} is {item.reason}" for item in drafts]
    # A feed or sitemap may be empty, or name nothing but what is no web page.
    return reasons or [
        f"{address} names no page that can be fetched; name a page or another list"
        for address in addresses
    ]


def _built_from(
    plan: IndexPlan, live: AnyGeneration | None
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the sources and collections of the next generation."""
    if not plan.only:
        return plan.sources, dict(plan.collections)
    if live is None:
        return (), plan.renewed_collections
    return live.manifest.sources, {**live.manifest.collections, **plan.renewed_collections}


def _read(
    found: Iterable[Item | Skipped], report: Callable[[int], None]
) -> tuple[list[Item], list[Skipped]]:
    items: list[Item] = []
    skipped: list[Skipped] = []
    number = told = 0
    for number, item in enumerate(found, 1):
        # To tell of each unchanged file would take as long as looking at it.
        if number % _TOLD == 1 or not isinstance(item, Unchanged):
            told = number
            report(number)
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            items.append(item)
    if told < number:
        report(number)
    return items, skipped

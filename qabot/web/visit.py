"""One rebuild's visit to the web: what is there is fetched and read, and what came of it noted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, get_args

from qabot.articles import (
    Format,
    ReadingProcess,
    Skipped,
    SourceFile,
    page_file,
    readers_version,
)
from qabot.types import Article, ArticleInfo, info_of
from qabot.web.canonical import without_doubles
from qabot.web.crawl_state import Memory, remembering
from qabot.web.crawler import Crawl, Document, Report, crawl
from qabot.web.pages import Held, PageReader, merged
from qabot.web.policy import Options


class HeldPages(Held, Protocol):
    """All articles of the live generation that were read from the web."""

    @property
    def renewed(self) -> Collection[str]:
        """The addresses of those that the sources may have named."""
        ...

    def addresses(self) -> Collection[str]:
        """Their addresses."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a visit.

    Attributes:
        items: Articles; of one that the live generation has just so, only what is shown of it.
        skipped: What was left out or is kept as it was, with reasons.
        done: Ids of all articles that were seen to, in the items or not.
    """

    items: list[Article | ArticleInfo] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    done: frozenset[str] = frozenset()
    _settle: Callable[[], None] = lambda: None

    def remember(self) -> None:
        """Write down what came of it; to be called when the live generation holds the items.

        Where that fails, no article is lost: pages are asked for in full once more.
        """
        with contextlib.suppress(sqlite3.Error, OSError):
            self._settle()


def visit(
    sources: Mapping[str, tuple[str, ...]],
    held: HeldPages,
    options: Options,
    *,
    folder: Path,
    placed: Callable[[list[SourceFile]], list[SourceFile]],
    report: Report,
    all_sources: bool,
    full: bool,
) -> Visit:
    """Fetch and read what ``sources`` name.

    Args:
        sources: Address → the collections that name it.
        folder: The index folder, for the memory.
        placed: Gives pages their ids and collections in the index.
        report: Told how many pages were asked for, of how many.
        all_sources: Whether these are all sources, so that what is known of others can go.
        full: Whether to try again what no article could be made of.

    Raises:
        sqlite3.Error: The memory cannot be read or written.
    """
    with remembering(folder) as memory, contextlib.closing(ReadingProcess()) as process:
        memory.forget_refusals(None if full else readers_version())
        known = {address: held.current(address) for address in held.addresses()}
        found = crawl(list(sources), memory, known, options, report, lost=held.renewed)
        documents = merged(found.documents, memory)
        files = placed([_file(document, sources, memory) for document in documents])
        renewed = frozenset(name for names in sources.values() for name in names)
        reader = PageReader(memory, held, options, renewed, process)
        for document, file in zip(documents, files, strict=True):
            reader.read(document, file)
    items, doubles = without_doubles(reader.items, held)
    wanted = {*sources, *found.lists, *(document.address for document in found.documents)}

    def settle() -> None:
        with remembering(folder, checked=True) as memory:
            memory.settle(
                reader.gone,
                reader.indexed - doubles,
                _members(found, items),
                reader.refused,
                readers=readers_version(),
                wanted=wanted if all_sources else None,
            )

    done = frozenset(file.id for file in files)
    return Visit(items, [*found.problems, *reader.problems()], done, settle)


def _file(document: Document, sources: Mapping[str, tuple[str, ...]], memory: Memory) -> SourceFile:
    known = memory.known(document.address)
    kind = known.kind if known else None
    file_format: Format = next((name for name in get_args(Format) if name == kind), "html")
    collections = {name for source in document.sources for name in sources[source]}
    return page_file(document.address, file_format, tuple(sorted(collections)))


def _members(found: Crawl, items: list[Article | ArticleInfo]) -> dict[str, set[str]]:
    """Of each list, the pages that it names or named, as far as they may be in the index."""
    indexed = {info_of(item).source for item in items}
    members = {source: set(named) for source, named in found.members.items()}
    for document in found.documents:
        for source in document.sources:
            if source in members and document.address in indexed:
                members[source].add(document.address)
    return members

"""Which articles the next generation holds: those that are read now, and those that stay."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from qabot.articles import (
    DRAFT,
    Limits,
    Skipped,
    SourceFile,
    distinct_id,
    find_sources,
    page_file,
    read_changed,
    readers_version,
    with_unique_ids,
)
from qabot.errors import SourceError
from qabot.index import Generation, Manifest
from qabot.types import Article, ArticleInfo, info_of
from qabot.web import (
    Options,
    Visit,
    addresses_among,
    checked,
    find_all,
    in_place,
    is_address,
    visit,
)

Report = Callable[[Literal["fetching", "reading"], int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an index is to be built from.

    Attributes:
        sources: Files, folders, patterns and web addresses that are in no collection.
        collections: Name → the sources of that collection.
        only: Collections to renew; what is in none of them stays as it is in the index. All is
            renewed where none is named.
        full: Whether to read anew what has not changed, too.
        files_only: Whether articles of the web stay as they are in the index, unless its sources
            have other addresses.
        exclude: Patterns of what is not read.
        web: How addresses are fetched.
        limits: What one document may cost.
        drafts: Whether to read what says that it is not to be published yet.
    """

    sources: tuple[str, ...]
    collections: Mapping[str, tuple[str, ...]]
    only: tuple[str, ...] = ()
    full: bool = False
    files_only: bool = False
    exclude: tuple[str, ...] = ()
    web: Options = field(default_factory=Options)
    limits: Limits = field(default_factory=Limits)
    drafts: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """The articles of the next generation, and what they were gathered from.

    Attributes:
        items: By id. Of an article that the live generation has just so, only what is shown of it.
        readers: The version of what read them.
        left_out: Files that sources hold, but that are not meant to be read.
        visit: What was fetched, to be remembered once the articles are in the index.
    """

    items: list[Article | ArticleInfo]
    skipped: tuple[Skipped, ...]
    sources: tuple[str, ...]
    collections: dict[str, tuple[str, ...]]
    readers: str
    visit: Visit
    left_out: tuple[Skipped, ...] = ()

    @property
    def infos(self) -> list[ArticleInfo]:
        """What is shown of each of ``items``."""
        return [info_of(item) for item in self.items]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read of the articles that were read now, each on one line."""
        return tuple(
            f"{item.info.source}: {warning}"
            for item in self.items
            if isinstance(item, Article)
            for warning in item.warnings
        )

    def is_live(self, manifest: Manifest) -> bool:
        """Whether the live generation, which ``manifest`` describes, holds all this already."""
        return (
            len(self.items) == manifest.articles
            and all(isinstance(item, ArticleInfo) for item in self.items)
            and not self.differs(manifest)
        )

    def differs(self, manifest: Manifest) -> bool:
        """Whether it was gathered from other sources, or by other readers."""
        mine = (self.sources, self.collections, self.readers)
        return mine != (manifest.sources, manifest.collections, manifest.readers)


def gather(wanted: Wanted, live: Generation | None, folder: Path, report: Report) -> Gathered:
    """Read what is wanted and has changed, and take the rest out of the live generation.

    Args:
        folder: The index folder, where the web is remembered.
        report: Told how many pages are fetched or files read, of how many.

    Raises:
        SourceError: A source is missing or unreadable, or no document of them is an article.
    """
    sources, collections = wanted.sources, dict(wanted.collections)
    named, renewed = sources, collections
    if wanted.only:
        named, renewed = (), {name: collections[name] for name in wanted.only}
        sources, collections = (), renewed
        if live:
            sources, collections = live.manifest.sources, {**live.manifest.collections, **renewed}
    found, addresses = find_all(named, renewed, wanted.exclude)
    infos = live.database.infos() if live and wanted.only else []
    files = _known_files(found.files, infos, wanted.only) if wanted.only else found.files
    fetched = Visit()
    if addresses:
        held, placed = _HeldPages(live, wanted), _placing(files, infos, wanted.only)
        fetched = (wanted.files_only and held.unvisited(addresses, placed)) or visit(
            addresses,
            held,
            wanted.web,
            folder=folder,
            placed=placed,
            report=lambda done, total: report("fetching", done, total),
            all_sources=not wanted.only,
            full=wanted.full,
        )
    read, skipped = _read(
        read_changed(
            files, _Known(None if wanted.full else live), wanted.limits, drafts=wanted.drafts
        ),
        lambda done: report("reading", done, len(files)),
    )
    if skipped:
        # A source that has vanished meanwhile (a disk that was taken out) is as missing as one that
        # was never there: what it held must not leave the index.
        find_all(named, renewed, wanted.exclude)
    drafts = [item for item in skipped if item.reason.startswith(DRAFT)]
    skipped = [item for item in skipped if item not in drafts]
    read += fetched.items
    skipped += fetched.skipped
    if not read:
        reasons = "; ".join(f"{item.source} {item.reason}" for item in skipped[:3])
        raise SourceError(f"no article could be read: {reasons}")
    if wanted.only and live:
        done = {file.id for file in files} | fetched.done
        read += _kept(live, infos, wanted.only, done)
    return Gathered(
        sorted(read, key=lambda item: info_of(item).id),
        tuple(skipped),
        sources,
        collections,
        readers_version(),
        fetched,
        (*found.left_out, *drafts),
    )


_Placed = Callable[[list[SourceFile]], list[SourceFile]]


def _placing(
    files: Sequence[SourceFile], infos: Sequence[ArticleInfo], only: Collection[str]
) -> _Placed:
    """What gives pages ids that neither ``files`` nor other articles in the index have."""

    def placed(pages: list[SourceFile]) -> list[SourceFile]:
        if only:
            return _known_files(pages, infos, only, {file.id for file in files})
        taken = {file.id for file in files}
        return [
            replace(page, id=distinct_id(page.id, page.source, taken)) if page.id in taken else page
            for page in with_unique_ids(pages)
        ]

    return placed


class _Known:
    """The articles of a generation by the content that they were read from.

    Where other readers read them, none is known: these may make other articles of it.
    """

    def __init__(self, live: Generation | None) -> None:
        self._live = live
        self._by_content: dict[str, ArticleInfo] = {}
        self._by_id: dict[str, tuple[ArticleInfo, str]] = {}
        if live and live.manifest.readers == readers_version():
            for info, content in live.database.contents():
                if content:
                    self._by_content[content] = info
                    self._by_id[info.id] = info, content

    def __call__(self, file: SourceFile, content: str) -> Article | ArticleInfo | None:
        """The article of ``file``, if it was read before."""
        info, read_from = self._by_id.get(file.id, (None, None))
        place = file.source, file.collections
        if info and read_from == content and place == (info.source, info.collections):
            return info
        # Moved, or put into another collection: its text need not be read again.
        moved = self._by_content.get(content)
        article = self._live.database.article(moved.id) if self._live and moved else None
        if article is None:
            return None
        here = replace(article.info, id=file.id, source=file.source, collections=file.collections)
        return replace(article, info=here)


class _HeldPages:
    """The articles of a generation that were read from the web, by their addresses."""

    def __init__(self, live: Generation | None, wanted: Wanted) -> None:
        self._live = live
        self._only = wanted.only
        same_readers = live is not None and live.manifest.readers == readers_version()
        self._is_current = same_readers and not wanted.full
        contents = live.database.contents() if live else []
        self._pages = {
            info.source: (info, content) for info, content in contents if is_address(info.source)
        }
        self.renewed = frozenset(
            address
            for address, (info, _) in self._pages.items()
            if not wanted.only or not set(wanted.only).isdisjoint(info.collections)
        )

    def addresses(self) -> Collection[str]:
        return self._pages.keys()

    def info(self, address: str) -> ArticleInfo | None:
        return self._pages[address][0] if address in self._pages else None

    def content(self, address: str) -> str | None:
        return self._pages[address][1] if address in self._pages else None

    def current(self, address: str) -> str | None:
        return self.content(address) if self._is_current else None

    def unvisited(self, addresses: Mapping[str, tuple[str, ...]], placed: _Placed) -> Visit | None:
        """The pages as they are; ``None`` where these addresses have to be visited."""
        if not self._live or not self._is_current:
            return None
        sources, collections = self._live.manifest.sources, self._live.manifest.collections
        if self._only:
            sources, collections = (), {name: collections.get(name, ()) for name in self._only}
        if addresses != addresses_among(sources, collections):
            return None
        infos = [self._pages[address][0] for address in sorted(self.renewed)]
        files = placed([page_file(info.source, "html", info.collections) for info in infos])
        items = [in_place(self, file, info) for info, file in zip(infos, files, strict=True)]
        return Visit(items, done=frozenset(file.id for file in files))

    def article(self, info: ArticleInfo) -> Article:
        article = self._live.database.article(info.id) if self._live else None
        if article is None:
            raise AssertionError("only what is in the live generation is taken out of it")
        return article


def _known_files(
    files: Sequence[SourceFile],
    infos: Sequence[ArticleInfo],
    only: Collection[str],
    others: Collection[str] = (),
) -> list[SourceFile]:
    """``files`` under the ids that they have in the index, and in the other collections too.

    Args:
        others: Ids that are taken besides.
    """
    known = {_place(info.source): info for info in infos}
    taken = {info.id for info in infos} | set(others)
    renewed = []
    for file in files:
        info = known.get(_place(file.source if is_address(file.source) else file.path))
        if info:
            members = {*file.collections, *_others(info, only)}
            new = replace(file, id=info.id, source=info.source, collections=tuple(sorted(members)))
        elif file.id in taken:
            new = replace(file, id=distinct_id(file.id, file.source, taken))
        else:
            new = file
        taken.add(new.id)
        renewed.append(new)
    return renewed


def _place(source: str | Path) -> str:
    text = str(source)
    return text if is_address(text) else os.path.realpath(source)


def _kept(
    live: Generation, infos: Sequence[ArticleInfo], only: Collection[str], read: Collection[str]
) -> list[Article | ArticleInfo]:
    kept: list[Article | ArticleInfo] = []
    left = [info for info in infos if info.id not in read]
    leaving = [info for info in left if info.collections and not _others(info, only)]
    # Which of them ``sources`` name as well, the index does not know.
    named = _named(live.manifest.sources) if leaving else set()
    gone = {info.id for info in leaving if _place(info.source) not in named}
    for info in left:
        others = _others(info, only)
        if info.id in gone:
            continue
        if others == info.collections:
            kept.append(info)
        elif article := live.database.article(info.id):
            kept.append(replace(article, info=replace(info, collections=others)))
    return kept


def _named(sources: Sequence[str]) -> set[str]:
    """The files of those ``sources`` that can be found now, and the addresses among them."""
    named: set[str] = set()
    for source in sources:
        with contextlib.suppress(SourceError):
            if is_address(source):
                named.add(checked(source))
                continue
            named |= {os.path.realpath(file.path) for file in find_sources((source,)).files}
    return named


def _others(info: ArticleInfo, only: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in info.collections if name not in only)


def _read(
    found: Iterable[Article | ArticleInfo | Skipped], report: Callable[[int], None]
) -> tuple[list[Article | ArticleInfo], list[Skipped]]:
    items: list[Article | ArticleInfo] = []
    skipped: list[Skipped] = []
    for number, item in enumerate(found, 1):
        report(number)
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            items.append(item)
    return items, skipped

"""Which articles the next generation holds: those that are read now, and those that stay."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from qabot.articles import (
    Limits,
    Skipped,
    SourceFile,
    distinct_id,
    find_files,
    read_changed,
    readers_version,
)
from qabot.errors import SourceError
from qabot.index import Generation, Manifest
from qabot.types import Article, ArticleInfo


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an index is to be built from.

    Attributes:
        sources: Files, folders and patterns that are in no collection.
        collections: Name → the sources of that collection.
        only: Collections to renew; what is in none of them stays as it is in the index. All is
            renewed where none is named.
        full: Whether to read anew what has not changed, too.
        limits: What one document may cost.
    """

    sources: tuple[str, ...]
    collections: Mapping[str, tuple[str, ...]]
    only: tuple[str, ...] = ()
    full: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The articles of the next generation, and what they were gathered from.

    Attributes:
        items: By id. Of an article that the live generation has just so, only what is shown of it.
        readers: The version of what read them.
    """

    items: list[Article | ArticleInfo]
    skipped: tuple[Skipped, ...]
    sources: tuple[str, ...]
    collections: dict[str, tuple[str, ...]]
    readers: str

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


def gather(wanted: Wanted, live: Generation | None, report: Callable[[int, int], None]) -> Gathered:
    """Read what is wanted and has changed, and take the rest out of the live generation.

    Args:
        report: Told how many files are read, of how many.

    Raises:
        SourceError: A source is missing, unreadable, or none of its documents is an article.
    """
    sources, collections = wanted.sources, dict(wanted.collections)
    kept: list[Article | ArticleInfo] = []
    files = _find(wanted)
    if wanted.only:
        renewed = {name: collections[name] for name in wanted.only}
        sources, collections = (), renewed
        if live:
            sources, collections = live.manifest.sources, {**live.manifest.collections, **renewed}
            infos = live.database.infos()
            files = _known_files(files, infos, wanted.only)
            kept = _kept(live, infos, wanted.only, {file.id for file in files})
    known = _Known(None if wanted.full else live)
    read, skipped = _read(read_changed(files, known, wanted.limits), len(files), report)
    if skipped:
        # A source that has vanished meanwhile (a disk that was taken out) is as missing as one that
        # was never there: what it held must not leave the index.
        _find(wanted)
    items = sorted([*kept, *read], key=_id)
    return Gathered(items, skipped, sources, collections, readers_version())


def _find(wanted: Wanted) -> list[SourceFile]:
    if wanted.only:
        return find_files((), {name: wanted.collections[name] for name in wanted.only})
    return find_files(wanted.sources, wanted.collections)


def _id(item: Article | ArticleInfo) -> str:
    return item.info.id if isinstance(item, Article) else item.id


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


def _known_files(
    files: Sequence[SourceFile], infos: Sequence[ArticleInfo], only: Collection[str]
) -> list[SourceFile]:
    """``files`` under the ids that they have in the index, and in the other collections too."""
    known = {os.path.realpath(info.source): info for info in infos}
    taken = {info.id for info in infos}
    renamed = []
    for file in files:
        info = known.get(os.path.realpath(file.path))
        if info:
            members = {*file.collections, *_others(info, only)}
            new = replace(file, id=info.id, source=info.source, collections=tuple(sorted(members)))
        elif file.id in taken:
            new = replace(file, id=distinct_id(file.id, file.source, taken))
        else:
            new = file
        taken.add(new.id)
        renamed.append(new)
    return renamed


def _kept(
    live: Generation, infos: Sequence[ArticleInfo], only: Collection[str], read: Collection[str]
) -> list[Article | ArticleInfo]:
    kept: list[Article | ArticleInfo] = []
    left = [info for info in infos if info.id not in read]
    leaving = [info for info in left if info.collections and not _others(info, only)]
    # Which of them ``sources`` name as well, the index does not know.
    named = _named(live.manifest.sources) if leaving else set()
    gone = {info.id for info in leaving if os.path.realpath(info.source) not in named}
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
    """The files of those ``sources`` that can be found now."""
    named: set[str] = set()
    for source in sources:
        with contextlib.suppress(SourceError):
            named |= {os.path.realpath(file.path) for file in find_files((source,))}
    return named


def _others(info: ArticleInfo, only: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in info.collections if name not in only)


def _read(
    found: Iterable[Article | ArticleInfo | Skipped],
    total: int,
    report: Callable[[int, int], None],
) -> tuple[list[Article | ArticleInfo], tuple[Skipped, ...]]:
    items: list[Article | ArticleInfo] = []
    skipped: list[Skipped] = []
    for number, item in enumerate(found, 1):
        report(number, total)
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            items.append(item)
    if not items:
        reasons = "; ".join(f"{item.source} {item.reason}" for item in skipped[:3])
        raise SourceError(f"no article could be read: {reasons}")
    return items, tuple(skipped)

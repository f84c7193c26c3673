"""Which articles the next generation holds: those that are read now, and those that stay."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from qabot.articles import Skipped, SourceFile, distinct_id, find_files, read_files
from qabot.errors import SourceError
from qabot.index import Generation
from qabot.types import Article, ArticleInfo


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an index is to be built from.

    Attributes:
        sources: Files, folders and patterns that are in no collection.
        collections: Name → the sources of that collection.
        only: Collections to renew; what is in none of them stays as it is in the index. All is
            renewed where none is named.
    """

    sources: tuple[str, ...]
    collections: Mapping[str, tuple[str, ...]]
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The articles of the next generation, by id, and what they were gathered from."""

    articles: list[Article]
    skipped: tuple[Skipped, ...]
    sources: tuple[str, ...]
    collections: dict[str, tuple[str, ...]]


def gather(wanted: Wanted, live: Generation | None, report: Callable[[int, int], None]) -> Gathered:
    """Read what is wanted, and take what stays out of the live generation.

    Args:
        report: Told how many files are read, of how many.

    Raises:
        SourceError: A source is missing, unreadable, or none of its documents is an article.
    """
    sources, collections = wanted.sources, dict(wanted.collections)
    kept: list[Article] = []
    if wanted.only:
        renewed = {name: collections[name] for name in wanted.only}
        files = find_files((), renewed)
        sources, collections = (), renewed
        if live:
            sources, collections = live.manifest.sources, {**live.manifest.collections, **renewed}
            infos = live.database.infos()
            files = _known_files(files, infos, wanted.only)
            kept = _kept(live, infos, wanted.only, {file.id for file in files})
    else:
        files = find_files(sources, collections)
    read, skipped = _read(files, report)
    articles = sorted([*kept, *read], key=lambda article: article.info.id)
    return Gathered(articles, skipped, sources, collections)


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
) -> list[Article]:
    kept = []
    for info in infos:
        others = _others(info, only)
        if info.id in read or (info.collections and not others):
            continue
        article = live.database.article(info.id)
        if article:
            kept.append(replace(article, info=replace(info, collections=others)))
    return kept


def _others(info: ArticleInfo, only: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in info.collections if name not in only)


def _read(
    files: Sequence[SourceFile], report: Callable[[int, int], None]
) -> tuple[list[Article], tuple[Skipped, ...]]:
    articles: list[Article] = []
    skipped: list[Skipped] = []
    for number, item in enumerate(read_files(files), 1):
        report(number, len(files))
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            articles.append(item)
    if not articles:
        reasons = "; ".join(f"{item.source} {item.reason}" for item in skipped[:3])
        raise SourceError(f"no article could be read: {reasons}")
    return articles, tuple(skipped)

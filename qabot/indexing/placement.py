"""Ids and collections of articles, and the articles that stay when only some are renewed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from qabot.articles import SourceFile, distinct_id, find_sources, with_unique_ids
from qabot.errors import SourceError
from qabot.index import AnyGeneration
from qabot.indexing.live_articles import Item
from qabot.types import ArticleInfo, Unchanged
from qabot.web import checked, is_address


def place_files(
    files: Sequence[SourceFile],
    infos: Sequence[ArticleInfo],
    only: Collection[str],
    taken: Collection[str] = (),
) -> list[SourceFile]:
    """Give files the ids that they have in the index, and the collections that are not renewed.

    Args:
        infos: The articles in the index.
        only: The collections that are renewed.
        taken: Further ids that are in use.
    """
    known = {_place(info.source): info for info in infos}
    used = {info.id for info in infos} | set(taken)
    placed = []
    for file in files:
        info = known.get(_place(file.source if is_address(file.source) else file.path))
        if info:
            members = {*file.collections, *_other_collections(info, only)}
            new = replace(file, id=info.id, source=info.source, collections=tuple(sorted(members)))
        elif file.id in used:
            new = replace(file, id=distinct_id(file.id, file.source, used))
        else:
            new = file
        used.add(new.id)
        placed.append(new)
    return placed


def place_pages(
    pages: list[SourceFile],
    files: Sequence[SourceFile],
    infos: Sequence[ArticleInfo],
    only: Collection[str],
) -> list[SourceFile]:
    """Give pages ids that neither ``files`` nor other articles in the index have.

    Args:
        infos, only: As in ``place_files``.
    """
    taken = {file.id for file in files}
    if only:
        return place_files(pages, infos, only, taken)
    return [
        replace(page, id=distinct_id(page.id, page.source, taken)) if page.id in taken else page
        for page in with_unique_ids(pages)
    ]


def kept_articles(
    live: AnyGeneration, infos: Sequence[ArticleInfo], only: Collection[str], read: Collection[str]
) -> list[Item]:
    """Return the articles that stay in the index when only some collections are renewed.

    Args:
        infos: The articles of the live generation.
        only: The collections that are renewed.
        read: Ids of the articles that the rebuild has dealt with.
    """
    left = [info for info in infos if info.id not in read]
    leaving = [info for info in left if info.collections and not _other_collections(info, only)]
    # The index does not record which of them ``sources`` name as well.
    named = _named(live.manifest.sources) if leaving else set()
    gone = {info.id for info in leaving if _place(info.source) not in named}
    kept: list[Item] = []
    for info in left:
        others = _other_collections(info, only)
        if info.id in gone:
            continue
        if others == info.collections:
            kept.append(Unchanged(info))
        elif article := live.database.article(info.id):
            kept.append(replace(article, info=replace(info, collections=others)))
    return kept


def _place(source: str | Path) -> str:
    text = str(source)
    return text if is_address(text) else os.path.realpath(source)


def _named(sources: Sequence[str]) -> set[str]:
    """Find the files and addresses that ``sources`` name now, as far as they can be found."""
    named: set[str] = set()
    for source in sources:
        with contextlib.suppress(SourceError):
            if is_address(source):
                named.add(checked(source))
                continue
            named |= {os.path.realpath(file.path) for file in find_sources((source,)).files}
    return named


def _other_collections(info: ArticleInfo, only: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in info.collections if name not in only)

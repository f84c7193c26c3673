"""Keep one of several pages that are the same article under several addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from qabot.indexing.live_articles import Item, LiveArticles
from qabot.types import Article, ArticleInfo


def canonical(items: Sequence[Item], live: LiveArticles) -> tuple[list[Item], set[str]]:
    """Keep one item of each article, in the collections of all its duplicates.

    Two items are one article if their texts are identical and their addresses differ only in
    parameters that track readers. (A page's address is the better one that it names on its own
    server, if it does.) Neither suffices alone: many sites name their home page as the better
    address of all pages, and what tracks readers on one site tells pages apart on another.

    Args:
        items: Articles that were read from the web.

    Returns:
        The items that are kept, in their order, and the sources of those that are not.
    """
    sharing: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        sharing[_without_tracking(item.info.url or item.info.source)].append(item)
    same: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for address, group in sharing.items():
        if len(group) > 1:
            for item in group:
                same[address, _article(item, live).text].append(item)
    collections = {}
    dropped: set[str] = set()
    for (address, _), group in same.items():
        first, *others = sorted(group, key=lambda item: _rank(item.info, address, live))
        names = sorted({name for item in group for name in item.info.collections})
        collections[first.info.source] = tuple(names)
        dropped.update(item.info.source for item in others)
    return [
        _in_collections(item, collections.get(item.info.source), live)
        for item in items
        if item.info.source not in dropped
    ], dropped


def _rank(info: ArticleInfo, address: str, live: LiveArticles) -> tuple[bool, bool, bool, int, str]:
    # Independent of the order of lists, so that every rebuild keeps the same one.
    unknown = live.page(info.source) is None
    named = info.source != address, info.source != info.url
    return *named, unknown, len(info.source), info.source


def _in_collections(item: Item, names: tuple[str, ...] | None, live: LiveArticles) -> Item:
    if names is None or names == item.info.collections:
        return item
    article = _article(item, live)
    return replace(article, info=replace(article.info, collections=names))


def _article(item: Item, live: LiveArticles) -> Article:
    return item if isinstance(item, Article) else live.article(item.info)


def _without_tracking(address: str) -> str:
    # Imported late: it comes with trafilatura, and only web pages need it.
    from courlan import normalize_url

    try:
        return normalize_url(address)
    except ValueError:
        return address

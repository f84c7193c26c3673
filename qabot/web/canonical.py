"""Pages that are the same article under several addresses: one of them stands for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from qabot.types import Article, ArticleInfo, info_of
from qabot.web.pages import Held

Item = Article | ArticleInfo


def without_doubles(items: Sequence[Item], held: Held) -> tuple[list[Item], set[str]]:
    """``items``, of which those that are one article are one, in the collections of all.

    They are one if their addresses (that of the page itself, where it names a better one on its
    server) are the same but for what tracks readers, and their texts are the same to the letter.
    Neither does alone: many a site names its home page as the better address of all pages, and
    what tracks readers on one site tells pages apart on another.

    Args:
        items: Articles that were read from the web, each with an address.

    Returns:
        The items in their order; and the sources of those that another one stands for.
    """
    sharing: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        sharing[_plain(info_of(item).url or info_of(item).source)].append(item)
    same: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for address, group in sharing.items():
        if len(group) > 1:
            for item in group:
                same[address, _article(item, held).text].append(item)
    standing = {}
    dropped: set[str] = set()
    for (address, _), group in same.items():
        first, *others = sorted(group, key=lambda item: _rank(info_of(item), address, held))
        names = sorted({name for item in group for name in info_of(item).collections})
        standing[info_of(first).source] = tuple(names)
        dropped.update(info_of(item).source for item in others)
    return [
        _in_collections(item, standing.get(info_of(item).source), held)
        for item in items
        if info_of(item).source not in dropped
    ], dropped


def _rank(info: ArticleInfo, address: str, held: Held) -> tuple[bool, bool, bool, int, str]:
    # Whatever order lists have, the same one stands for the others in every rebuild.
    unknown = held.info(info.source) is None
    named = info.source != address, info.source != info.url
    return *named, unknown, len(info.source), info.source


def _in_collections(item: Item, names: tuple[str, ...] | None, held: Held) -> Item:
    if names is None or names == info_of(item).collections:
        return item
    article = _article(item, held)
    return replace(article, info=replace(article.info, collections=names))


def _article(item: Item, held: Held) -> Article:
    return item if isinstance(item, Article) else held.article(item)


def _plain(address: str) -> str:
    # Imported late, as trafilatura is, which brings it.
    from courlan import normalize_url

    try:
        return normalize_url(address)
    except ValueError:
        return address

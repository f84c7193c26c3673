"""Find the article that a person names: by its id, by its place, or by how id or title begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os.path import normpath
from pathlib import Path

from qabot.errors import SourceError
from qabot.index import Articles
from qabot.types import Article, ArticleInfo

_OFFSETS = re.compile(r"(?::| · )\d+[–-]\d+$")


def find_article(database: Articles, name: str) -> Article:
    """The article that ``name`` means.

    Args:
        database: A generation's articles.
        name: An id; a path or address, as quotes name it, with or without a page and offsets; or
            the beginning of one id or title that fits no other article.

    Raises:
        SourceError: None or several fit.
    """
    article = database.article(name)
    if article is None:
        infos = database.infos()
        article = database.article(_placed_id(name, infos) or _matching_id(name, infos))
    if article is None:
        raise SourceError(f"no article {name!r}; `qabot articles` lists them")
    return article


def _placed_id(name: str, infos: Sequence[ArticleInfo]) -> str | None:
    """The id of the only article at a path or address."""
    here = Path.cwd()
    for place in (name, _OFFSETS.sub("", name)):
        address = place.partition("#")[0] if "://" in place else None
        path = None if address else normpath(here / place)
        fitting = [
            info.id
            for info in infos
            if (address and address in (info.url, info.source))
            or (path and "://" not in info.source and path == normpath(here / info.source))
        ]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _matching_id(name: str, infos: Sequence[ArticleInfo]) -> str:
    wanted = name.casefold()
    fitting = [
        info.id
        for info in infos
        if info.id.casefold().startswith(wanted) or info.title.casefold().startswith(wanted)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise SourceError(f"no article {name!r}; `qabot articles` lists them")
    raise SourceError(f"several articles begin with {name!r}: {', '.join(fitting[:5])}; name one")

"""Find the article that a person names by its id, or by how its id or title begins."""

from __future__ import annotations

from collections.abc import Sequence

from qabot.errors import SourceError
from qabot.index import Database
from qabot.types import Article, ArticleInfo


def find_article(database: Database, name: str) -> Article:
    """The article that ``name`` means.

    Args:
        database: A generation's articles.
        name: An id, or the beginning of one id or title that fits no other article.

    Raises:
        SourceError: None or several fit.
    """
    article = database.article(name) or database.article(_matching_id(name, database.infos()))
    if article is None:
        raise SourceError(f"no article {name!r}; `qabot articles` lists them")
    return article


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

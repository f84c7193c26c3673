"""The articles of the live generation, to be reused where nothing changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from qabot.articles import SourceFile, readers_version
from qabot.index import AnyGeneration
from qabot.types import Article, ArticleInfo, Unchanged
from qabot.web import is_address

Item = Article | Unchanged


class LiveArticles:
    """Finds articles of the live generation by what they were read from.

    Args:
        live: The live generation, if there is one.
        full: Nothing counts as unchanged.

    Attributes:
        manifest: What the generation was built from.
        is_current: The articles were read by the parsers of this version. Otherwise nothing counts
            as unchanged: these parsers may read something else.
    """

    def __init__(self, live: AnyGeneration | None, *, full: bool) -> None:
        self._live = live
        self.manifest = live.manifest if live else None
        self.is_current = bool(live and not full and live.manifest.readers == readers_version())
        self._pages: dict[str, tuple[ArticleInfo, str | None]] = {}
        self._by_id: dict[str, tuple[ArticleInfo, str]] = {}
        self._by_content: dict[str, ArticleInfo] = {}
        for info, content in live.database.contents() if live else ():
            if is_address(info.source):
                self._pages[info.source] = info, content
            if self.is_current and content:
                self._by_id[info.id] = info, content
                self._by_content[content] = info

    def read_before(self, file: SourceFile, content: str) -> Item | None:
        """Return the article of a file that was read before.

        Args:
            content: As ``Article.content``.
        """
        info, read_from = self._by_id.get(file.id, (None, None))
        place = file.source, file.collections
        if info and read_from == content and place == (info.source, info.collections):
            return Unchanged(info)
        # It was moved, or put into another collection: its text need not be read again.
        moved = self._by_content.get(content)
        if moved is None:
            return None
        here = replace(moved, id=file.id, source=file.source, collections=file.collections)
        return replace(self.article(moved), info=here)

    def placed(self, file: SourceFile, info: ArticleInfo) -> Item:
        """Return an article under the id and in the collections of ``file``."""
        if (file.id, file.collections) == (info.id, info.collections):
            return Unchanged(info)
        here = replace(info, id=file.id, collections=file.collections)
        return replace(self.article(info), info=here)

    def article(self, info: ArticleInfo) -> Article:
        """Return an article with its text."""
        article = self._live.database.article(info.id) if self._live else None
        if article is None:
            raise AssertionError("unchanged articles are in the live generation")
        return article

    # --- Pages of the web -------------------------------------------------------------------------

    @property
    def addresses(self) -> Collection[str]:
        """The addresses that articles were read from."""
        return self._pages.keys()

    def page(self, address: str) -> ArticleInfo | None:
        """Return the article that was read from an address."""
        return self._pages[address][0] if address in self._pages else None

    def content(self, address: str) -> str | None:
        """Return the ``Article.content`` of that article."""
        return self._pages[address][1] if address in self._pages else None

    def current(self, address: str) -> str | None:
        """Return the same, or ``None`` if the page has to be read again."""
        return self.content(address) if self.is_current else None

    def renewed(self, only: Collection[str]) -> frozenset[str]:
        """Return the addresses of articles in these collections; all if none is given."""
        return frozenset(
            address
            for address, (info, _) in self._pages.items()
            if not only or not set(only).isdisjoint(info.collections)
        )

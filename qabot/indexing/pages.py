"""Crawled pages → articles: new ones, kept ones, and why others are left out."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from qabot.articles import ReadingProcess, Skipped, SourceFile, read_page
from qabot.errors import ArticleError
from qabot.indexing.live_articles import Item, LiveArticles
from qabot.indexing.no_article import why_no_article
from qabot.types import ArticleInfo, Unchanged
from qabot.web import CrawlState, Gone, Options, Page, server_of

# Begins the content of an article whose text comes from a feed.
_FEED = "feed:"
# This many failures of one kind at one server are reported one by one.
_SHOWN = 3


class PageReader:
    """Reads pages one by one.

    Args:
        options: Say when an article that is gone leaves.
        renewed: The collections that are renewed. An article stays in its other collections.
        process: Reads documents and long pages; the caller closes it.

    Attributes:
        items: The articles.
        gone: Address → how often in a row it was gone; empty counts for pages that are there.
        indexed: Addresses whose content, as the crawl state has it, is that of an item.
        refused: Address → why its content, as the crawl state has it, is no article.
    """

    def __init__(
        self,
        state: CrawlState,
        live: LiveArticles,
        options: Options,
        renewed: Collection[str],
        process: ReadingProcess,
    ) -> None:
        self._state = state
        self._live = live
        self._options = options
        self._renewed = renewed
        self._process = process
        self._problems: list[Skipped] = []
        self._failed: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
        self.items: list[Item] = []
        self.gone: dict[str, Gone] = {}
        self.indexed: set[str] = set()
        self.refused: dict[str, str] = {}

    def read(self, page: Page, file: SourceFile) -> None:
        """Add a page to the items, or to the problems.

        Args:
            file: Its place in the index.
        """
        info = self._live.page(page.address)
        if page.state == "kept":
            if info:
                self.items.append(self._live.placed(file, info))
        elif page.state == "failed":
            self._fail(page, file, info)
        elif page.state == "gone":
            self._lose(page, file, info, page.reason)
        else:
            try:
                self._read(page, file, info)
            except ArticleError as error:
                # A page that holds no article any more: a maintenance notice, a login form.
                self.refused[page.address] = str(error)
                self._lose(page, file, info, str(error))

    def _read(self, page: Page, file: SourceFile, info: ArticleInfo | None) -> None:
        address = page.address
        known = self._state.known(address)
        if known is None or known.content is None:
            raise AssertionError("the content of a page that is there is known")
        if known.refused is not None:
            raise ArticleError(known.refused)
        if info and known.content == self._live.current(address):
            self.items.append(_dated(self._live.placed(file, info), page.published, self._live))
        else:
            body = self._state.body(address) or b""
            final = known.validators.final
            article = read_page(file, body, self._process, content=known.content, address=final)
            if file.format == "html" and (reason := why_no_article(article, body)):
                raise ArticleError(reason)
            # What left a feed keeps the date that it had there.
            published = page.published or (info.published if info else None)
            self.items.append(_dated(article, published, self._live))
        self.gone[address] = Gone()
        self.indexed.add(address)

    def _fail(self, page: Page, file: SourceFile, info: ArticleInfo | None) -> None:
        if self._read_feed(page, file, info):
            return
        if info:
            self.items.append(self._live.placed(file, info))
        if page.listed:
            server = server_of(page.address)
            self._failed[server, page.reason, info is not None].append(page.address)

    def _lose(self, page: Page, file: SourceFile, info: ArticleInfo | None, reason: str) -> None:
        known = self._state.known(page.address)
        before, options = known.gone if known else Gone(), self._options
        gone = self.gone[page.address] = before.again(time.time(), options.gone_hours)
        stays = info is not None and gone.times < options.gone_after
        if self._read_feed(page, file, None if not stays else info):
            return
        if info and stays:
            self.items.append(self._live.placed(file, info))
            apart = options.gone_hours
            reason += (
                f"; kept until that is so in {options.gone_after} rebuilds in a row"
                f"{f' at least {apart:g} hours apart' if apart else ''}, now {gone.times}"
            )
        elif info and (others := [c for c in file.collections if c not in self._renewed]):
            self.items.append(self._live.placed(replace(file, collections=tuple(others)), info))
            return
        if page.listed:
            self._problems.append(Skipped(page.address, reason, kept=stays))

    def _read_feed(self, page: Page, file: SourceFile, info: ArticleInfo | None) -> bool:
        """Use the text that a feed has of a page, if there is nothing better; return if it did."""
        held = self._live.content(page.address) or ""
        if not page.feed_page or (info and not held.startswith(_FEED)):
            return False
        content = _FEED + hashlib.sha256(page.feed_page).hexdigest()
        before = self._live.page(page.address)
        if before and content == self._live.current(page.address):
            self.items.append(self._live.placed(file, before))
            return True
        try:
            article = read_page(
                replace(file, format="html"),
                page.feed_page,
                self._process,
                content=content,
                address=page.address,
            )
        except ArticleError:
            return False
        self.items.append(article)
        return True

    def problems(self) -> list[Skipped]:
        """Return what was left out or kept, with reasons; one item for a failing server."""
        problems = list(self._problems)
        for (_, reason, kept), addresses in self._failed.items():
            ending = "; the article is kept as it was" if kept else ""
            if len(addresses) > _SHOWN:
                ending = f" (and the same for {len(addresses) - 1} more pages of this server)" + (
                    "; their articles are kept as they were" if kept else ""
                )
            shown = addresses[:1] if len(addresses) > _SHOWN else addresses
            problems += [Skipped(address, reason + ending, kept=kept) for address in shown]
        return problems


def _dated(item: Item, published: str | None, live: LiveArticles) -> Item:
    """Give an article that has no date the one that a list has of it."""
    if item.info.published or not published:
        return item
    article = live.article(item.info) if isinstance(item, Unchanged) else item
    return replace(article, info=replace(article.info, published=published))

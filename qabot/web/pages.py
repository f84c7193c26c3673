"""What is at pages → articles: those that are new, those that stay, and why others are left out."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Protocol

from qabot.articles import ReadingProcess, Skipped, SourceFile, read_page
from qabot.errors import ArticleError
from qabot.types import Article, ArticleInfo
from qabot.web.addresses import server_of
from qabot.web.crawl_state import Gone, Memory
from qabot.web.crawler import Document
from qabot.web.policy import Options

# Before the content of an article of which only the feed's text could be had.
_FEED = "feed:"
# So many failures of one kind at one server are told one by one.
_TOLD = 3


class Held(Protocol):
    """The articles of the live generation, by the addresses that they were read from."""

    def info(self, address: str) -> ArticleInfo | None:
        """The article of an address."""
        ...

    def content(self, address: str) -> str | None:
        """The ``Article.content`` of that article."""
        ...

    def current(self, address: str) -> str | None:
        """The same, or ``None`` where the article is to be read anew."""
        ...

    def article(self, info: ArticleInfo) -> Article:
        """An article with its text."""
        ...


def in_place(held: Held, file: SourceFile, info: ArticleInfo) -> Article | ArticleInfo:
    """An article of the live generation, in its place in the next one."""
    if (file.id, file.collections) == (info.id, info.collections):
        return info
    here = replace(info, id=file.id, collections=file.collections)
    return replace(held.article(info), info=here)


def merged(documents: Iterable[Document], memory: Memory) -> list[Document]:
    """``documents``, of which those that lead to one and the same page are one."""
    finals: dict[str, str] = {}
    found: dict[str, Document] = {}
    for document in documents:
        known = memory.known(document.address) if document.state == "there" else None
        final = known.validators.final if known else document.address
        first = found.get(finals.setdefault(final, document.address))
        if first is None:
            found[document.address] = document
        else:
            sources = tuple(dict.fromkeys([*first.sources, *document.sources]))
            found[first.address] = replace(first, sources=sources)
    return list(found.values())


class PageReader:
    """Reads pages one by one.

    Args:
        options: Say when an article that is gone leaves.
        renewed: The collections that are renewed; an article that others have, too, stays in those.
        process: Reads documents and long pages; the caller closes it.

    Attributes:
        items: Articles; of one that the live generation has just so, only what is shown of it.
        gone: Address → how often in a row it was gone; not at all where it was there.
        indexed: Addresses whose content, as the memory has it, is that of an item.
        refused: Address → why no article can be made of its content, as the memory has it.
    """

    def __init__(
        self,
        memory: Memory,
        held: Held,
        options: Options,
        renewed: Collection[str],
        process: ReadingProcess,
    ) -> None:
        self._memory = memory
        self._held = held
        self._options = options
        self._renewed = renewed
        self._process = process
        self._problems: list[Skipped] = []
        self._failed: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
        self.items: list[Article | ArticleInfo] = []
        self.gone: dict[str, Gone] = {}
        self.indexed: set[str] = set()
        self.refused: dict[str, str] = {}

    def read(self, document: Document, file: SourceFile) -> None:
        """Add what is at a page to the items, or to the problems.

        Args:
            file: Its place in the index.
        """
        info = self._held.info(document.address)
        if document.state == "kept":
            if info:
                self.items.append(in_place(self._held, file, info))
        elif document.state == "failed":
            self._fail(document, file, info)
        elif document.state == "gone":
            self._lose(document, file, info, document.reason)
        else:
            try:
                self._read(document, file, info)
            except ArticleError as error:
                # A page that holds no article any more: a maintenance notice, a login form.
                self.refused[document.address] = str(error)
                self._lose(document, file, info, str(error))

    def _read(self, document: Document, file: SourceFile, info: ArticleInfo | None) -> None:
        address = document.address
        known = self._memory.known(address)
        if known is None or known.content is None:
            raise AssertionError("what is there was read, and is remembered")
        if known.refused is not None:
            raise ArticleError(known.refused)
        if info and known.content == self._held.current(address):
            self.items.append(in_place(self._held, file, info))
        else:
            body = self._memory.body(address) or b""
            final = known.validators.final
            article = read_page(file, body, self._process, content=known.content, address=final)
            self.items.append(article)
        self.gone[address] = Gone()
        self.indexed.add(address)

    def _fail(self, document: Document, file: SourceFile, info: ArticleInfo | None) -> None:
        if self._read_feed(document, file, info):
            return
        if info:
            self.items.append(in_place(self._held, file, info))
        if document.listed:
            server = server_of(document.address)
            self._failed[server, document.reason, info is not None].append(document.address)

    def _lose(
        self, document: Document, file: SourceFile, info: ArticleInfo | None, reason: str
    ) -> None:
        known = self._memory.known(document.address)
        before, options = known.gone if known else Gone(), self._options
        gone = self.gone[document.address] = before.again(time.time(), options.gone_hours)
        stays = info is not None and gone.times < options.gone_after
        if self._read_feed(document, file, None if not stays else info):
            return
        if info and stays:
            self.items.append(in_place(self._held, file, info))
            apart = options.gone_hours
            reason += (
                f"; kept until that is so in {options.gone_after} rebuilds in a row"
                f"{f' at least {apart:g} hours apart' if apart else ''}, now {gone.times}"
            )
        elif info and (others := [c for c in file.collections if c not in self._renewed]):
            self.items.append(in_place(self._held, replace(file, collections=tuple(others)), info))
            return
        if document.listed:
            self._problems.append(Skipped(document.address, reason, kept=stays))

    def _read_feed(self, document: Document, file: SourceFile, info: ArticleInfo | None) -> bool:
        """Take what a feed holds of a page, if there is nothing better; whether that was done."""
        held = self._held.content(document.address) or ""
        if not document.page or (info and not held.startswith(_FEED)):
            return False
        content = _FEED + hashlib.sha256(document.page).hexdigest()
        before = self._held.info(document.address)
        if before and content == self._held.current(document.address):
            self.items.append(in_place(self._held, file, before))
            return True
        try:
            page = replace(file, format="html")
            article = read_page(
                page, document.page, self._process, content=content, address=document.address
            )
        except ArticleError:
            return False
        self.items.append(article)
        return True

    def problems(self) -> list[Skipped]:
        """What was left out or kept, and why; of a server that is down, one line for all."""
        told = list(self._problems)
        for (_, reason, kept), addresses in self._failed.items():
            ending = "; the article is kept as it was" if kept else ""
            if len(addresses) > _TOLD:
                ending = f" (and the same for {len(addresses) - 1} more pages of this server)" + (
                    "; their articles are kept as they were" if kept else ""
                )
            shown = addresses[:1] if len(addresses) > _TOLD else addresses
            told += [Skipped(address, reason + ending, kept=kept) for address in shown]
        return told

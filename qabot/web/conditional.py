"""Fetch an address only if it has changed, and record what was sent."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from qabot.articles import DOCUMENTS
from qabot.web.bodies import BodyError, Limit, too_large, unpacked
from qabot.web.content_types import LISTINGS, Kind, kind_of
from qabot.web.crawl_state import CrawlState, KnownPage
from qabot.web.fetcher import Fetcher
from qabot.web.freshness import is_current
from qabot.web.policy import Options
from qabot.web.responses import Fetched, Validators


@dataclass(frozen=True, slots=True)
class Found:
    """The state of an address.

    Attributes:
        state: ``there`` if its content is in the crawl state.
        reason: Why it is gone or failed.
        body: The content of a sitemap or feed.
    """

    state: Literal["there", "gone", "failed"]
    reason: str = ""
    kind: Kind | None = None
    body: bytes = b""


class ConditionalFetcher:
    """Fetches addresses that may have changed.

    Args:
        held: Address → the content that the live generation's article was read from.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        state: CrawlState,
        held: Mapping[str, str | None],
        options: Options,
    ) -> None:
        self._fetcher = fetcher
        self._state = state
        self._held = held
        self._options = options

    async def fetch(self, address: str, *, limit: int, changed: float | None = None) -> Found:
        """Find out what is at an address now.

        Args:
            limit: The most bytes; documents have a limit of their own.
            changed: Its last change in Unix seconds, if a list says so. What was fetched after
                that is not fetched again.
        """
        known = self._state.known(address)
        validators: Validators | None = None
        # If a server has nothing new, the old content must be available.
        if known and known.content and self._is_at_hand(address, known):
            if not known.gone.times and is_current(known.fetched, changed, time.time()):
                return self._same(address, known)
            validators = known.validators
        most = Limit(limit, self._options.document_bytes)
        fetched = await self._fetcher.fetch(address, limit=most, known=validators)
        if fetched.outcome == "read":
            return self._read(address, fetched)
        self._state.touch(address, confirmed=fetched.outcome == "same")
        if fetched.outcome == "same":
            return self._same(address, known)
        return Found(fetched.outcome, fetched.reason)

    def _is_at_hand(self, address: str, known: KnownPage) -> bool:
        # The content of a page that is no article is not needed again.
        content_held = self._held.get(address)
        return known.has_body or known.refused is not None or known.content == content_held

    def _same(self, address: str, known: KnownPage | None) -> Found:
        kind = known.kind if known else None
        body = self._state.body(address) if kind in LISTINGS else None
        return Found("there", "", kind, body or b"")

    def _read(self, address: str, fetched: Fetched) -> Found:
        try:
            body = unpacked(fetched.body, self._options.listing_bytes)
            kind = kind_of(body, fetched.type, fetched.validators.final)
            if kind not in LISTINGS:
                is_document = kind in DOCUMENTS
                most = self._options.document_bytes if is_document else self._options.page_bytes
                if len(body) > most:
                    raise too_large(most)
        except (BodyError, ValueError) as error:
            # There is something, but not an article: as good as gone.
            self._state.touch(address)
            return Found("gone", str(error))
        content = _content(kind, fetched.validators, body)
        self._state.keep(address, fetched.validators, kind, content, body)
        return Found("there", "", kind, body)


def _content(kind: Kind, validators: Validators, body: bytes) -> str:
    # The final address is shown with the article, so it is part of the content.
    digest = hashlib.sha256(f"{kind} {validators.final}\n".encode())
    digest.update(body)
    return digest.hexdigest()

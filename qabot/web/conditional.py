"""Ask for one address: only for what has changed, and remember what came."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from qabot.articles import DOCUMENTS
from qabot.web.bodies import BodyError, Limit, too_large, unpacked
from qabot.web.content_types import LISTINGS, Kind, kind_of
from qabot.web.crawl_state import Memory, Remembered
from qabot.web.fetcher import Fetcher
from qabot.web.freshness import is_current
from qabot.web.policy import Options
from qabot.web.responses import Fetched, Validators


@dataclass(frozen=True, slots=True)
class Found:
    """What is at an address.

    Attributes:
        state: ``there`` where its content is that of the memory.
        reason: Why it is gone or failed.
        kind: What it is.
        body: Of a sitemap or feed, all of it.
    """

    state: Literal["there", "gone", "failed"]
    reason: str = ""
    kind: Kind | None = None
    body: bytes = b""


class Asker:
    """Asks for addresses.

    Args:
        held: Address → the content that the live generation's article was read from.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        memory: Memory,
        held: Mapping[str, str | None],
        options: Options,
    ) -> None:
        self._fetcher = fetcher
        self._memory = memory
        self._held = held
        self._options = options

    async def ask(self, address: str, *, limit: int, changed: float | None = None) -> Found:
        """What is at ``address`` now.

        Args:
            limit: Bytes that it may have; a document has a limit of its own.
            changed: When it changed last, in Unix seconds, if a list says so: what was fetched
                after that need not be asked for.
        """
        known = self._memory.known(address)
        validators: Validators | None = None
        # Where a server has nothing new, what it had must be at hand.
        if known and known.content and self._is_at_hand(address, known):
            if not known.gone.times and is_current(known.fetched, changed, time.time()):
                return self._same(address, known)
            validators = known.validators
        most = Limit(limit, self._options.document_bytes)
        fetched = await self._fetcher.fetch(address, limit=most, known=validators)
        if fetched.outcome == "read":
            return self._read(address, fetched)
        self._memory.touch(address, confirmed=fetched.outcome == "same")
        if fetched.outcome == "same":
            return self._same(address, known)
        return Found(fetched.outcome, fetched.reason)

    def _is_at_hand(self, address: str, known: Remembered) -> bool:
        # Of what no article can be made, all that matters is known.
        content_held = self._held.get(address)
        return known.has_body or known.refused is not None or known.content == content_held

    def _same(self, address: str, known: Remembered | None) -> Found:
        kind = known.kind if known else None
        body = self._memory.body(address) if kind in LISTINGS else None
        return Found("there", "", kind, body or b"")

    def _read(self, address: str, fetched: Fetched) -> Found:
        try:
            body = unpacked(fetched.body, self._options.listing_bytes)
            kind = kind_of(body, fetched.type)
            if kind not in LISTINGS:
                is_document = kind in DOCUMENTS
                most = self._options.document_bytes if is_document else self._options.page_bytes
                if len(body) > most:
                    raise too_large(most)
        except (BodyError, ValueError) as error:
            # There is something, but no article: as good as gone.
            self._memory.touch(address)
            return Found("gone", str(error))
        content = _content(kind, fetched.validators, body)
        self._memory.keep(address, fetched.validators, kind, content, body)
        return Found("there", "", kind, body)


def _content(kind: Kind, validators: Validators, body: bytes) -> str:
    # The address that it was read from is shown with it, so it takes part.
    digest = hashlib.sha256(f"{kind} {validators.final}\n".encode())
    digest.update(body)
    return digest.hexdigest()

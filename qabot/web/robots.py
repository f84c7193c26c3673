"""The rules of robots.txt: what may be read, and how fast (RFC 9309)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protego import Protego


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one server.

    Attributes:
        parsed: Its robots.txt; ``None`` if there is none, which allows everything.
        problem: Why it could not be read, which forbids everything.
    """

    parsed: Protego | None = None
    problem: str = ""

    @classmethod
    def read(cls, body: bytes) -> Rules:
        """Parse a robots.txt; it is UTF-8 and may contain anything."""
        from protego import Protego

        return cls(Protego.parse(body.decode("utf-8", "replace").removeprefix("\ufeff")))

    def allow(self, address: str, user_agent: str) -> bool:
        """Tell whether an address may be read."""
        return self.parsed is None or self.parsed.can_fetch(address, user_agent)

    def delay(self, user_agent: str) -> float:
        """Return the seconds between requests that the server asks for."""
        return (self.parsed and self.parsed.crawl_delay(user_agent)) or 0.0

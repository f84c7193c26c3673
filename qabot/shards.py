"""Which of a large bot's connections one process has."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?/(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shards:
    """Some shards of a bot. Discord puts each server into one, and direct messages into the first.

    Attributes:
        first, last: The numbers of those of this process, from 0.
        count: How many there are, of all processes together.
    """

    first: int = 0
    last: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shards:
        """Read ``0-3/8``, the first four of eight, or ``4/8``.

        Raises:
            ValueError: It is nothing like that.
        """
        match = _WRITTEN.fullmatch(text.strip())
        if match:
            first, count = int(match[1]), int(match[3])
            last = first if match[2] is None else int(match[2])
            if first <= last < count:
                return cls(first, last, count)
        raise ValueError(
            f"not some of the shards, from 0 on, and how many there are, such as 0-3/8: {text!r}"
        )

    @property
    def numbers(self) -> range:
        """Those of this process."""
        return range(self.first, self.last + 1)

    def have(self, guild_id: int) -> bool:
        """Tell if a Discord server is in one of them."""
        return (guild_id >> 22) % self.count in self.numbers

"""Name a generation: its number, and an id that no other generation ever has.

Numbers count up within one folder and begin again where the folder is made anew; ids are drawn at
random. ``CURRENT`` names the live generation by both, with a checksum; the generation's manifest
repeats both, and its folder the number. So a flipped bit, two exchanged folders or a folder put
in the place of another are refused, and an engine that is open notices an index that was removed
and built again, moved, or reached through a link that now points elsewhere.

Each name below is checked against what it names::

    CURRENT ── number, id ──▶ manifest.json ── size, SHA-256 ──▶ every file
                              (its own SHA-256)

Segments, when they come, are one more step of the same chain, and nothing above changes::

    CURRENT ── number, id ──▶ generations/9/manifest.json
                              │  encoder, subspace, counts
                              ├─ id, SHA-256 ──▶ segments/3f…/segment.json ─ size, SHA-256 ▶ files
                              ├─ id, SHA-256 ──▶ segments/a0…/segment.json ── …
                              └─ size, SHA-256 ──▶ gone-3f….bits   articles of 3f… that have left

- A segment is a folder named by its id. It is written once, synced and renamed into place as a
  generation is now; it has no number, since its place in the manifest orders it. A row of the
  index is a row of a segment plus the rows of the segments before it.
- A generation keeps no rows of its own: only the manifest and, for each segment, the set of
  articles that have left. Publishing stays one replacement of ``CURRENT``; rollback, too.
- A reader locks the manifest, as now. A rebuild removes a generation that nobody reads, then the
  segments that no manifest names any more. It holds ``LOCK``, so nobody adds a name meanwhile.
- Encoder and language subspace belong to the generation: all its segments have the same. Counts
  that rank (how many passages, how many hold a word) are sums over the segments.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

_LINE = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{32}) ([0-9a-f]{16})\n", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identity:
    """The name of a generation.

    Attributes:
        number: Counts up within one index folder, from 1.
        id: 32 random hex digits.
    """

    number: int
    id: str

    @classmethod
    def new(cls, number: int) -> Identity:
        """The identity of a generation that is about to be written."""
        return cls(number, secrets.token_hex(16))

    @classmethod
    def parse(cls, line: str) -> Identity:
        """Read what ``line`` wrote.

        Raises:
            ValueError: It is something else.
        """
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError("no number, id and checksum")
        identity = cls(int(match[1]), match[2])
        if match[3] != identity._checksum:
            raise ValueError("changed since it was written")
        return identity

    @property
    def line(self) -> str:
        """The content of ``CURRENT``."""
        return f"{self.number} {self.id} {self._checksum}\n"

    @property
    def _checksum(self) -> str:
        return hashlib.sha256(f"{self.number} {self.id}".encode()).hexdigest()[:16]

"""The rows of one generation on a Milvus server.

Rows bear the first generation that has them (``since``) and the first that has them no more
(``until``). What a generation holds never changes: rebuilds add rows that are of later ones, and
end others later.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from qabot.errors import DamagedIndexError
from qabot.index.manifest import Manifest
from qabot.index.milvus.server import LIGHT, Level, Row, Server
from qabot.index.milvus.tables import Tables
from qabot.index.open_file import REMEDY

# Seconds after which every server of a cluster has taken in what was written: by default they lag
# five at most. That counts from when this process saw it published, or, more cautiously as clocks
# differ, from when the rebuild says so.
_SETTLED, _SETTLED_ELSEWHERE = 10.0, 60.0


class Snapshot:
    """Reads rows; calls are safe from several threads.

    Attributes:
        condition: What the rows of the generation meet.
        place: Where it is, as messages name it.

    Raises:
        UnreachableIndexError: Of any call, where the server does not answer.
    """

    def __init__(self, server: Server, tables: Tables, manifest: Manifest) -> None:
        self.server, self.tables = server, tables
        self.place = server.address.text
        number = manifest.generation
        self.condition = f"since <= {number} and until > {number}"
        published = datetime.fromisoformat(manifest.created).timestamp()
        left = _SETTLED_ELSEWHERE - max(0.0, time.time() - published)
        self._settled = time.monotonic() + min(_SETTLED, left)

    @property
    def level(self) -> Level:
        """How recent the server's answers have to be."""
        return "Strong" if time.monotonic() < self._settled else "Bounded"

    def of(
        self, table: str, field: str, values: Sequence[int], fields: Sequence[str]
    ) -> Iterator[Row]:
        """Yield the rows whose ``field`` has one of these values, in any order."""
        yield from self.server.of(
            table, field, values, fields, condition=self.condition, level=self.level
        )

    def every(self, table: str, condition: str, fields: Sequence[str]) -> Iterator[Row]:
        """Yield the rows that meet a condition, rising by key.

        Args:
            fields: With one text at most.
        """
        yield from self.server.every(
            table, f"{self.condition} and {condition}", fields, batch=LIGHT, level=self.level
        )

    def passages(self, rows: Sequence[int], fields: Sequence[str]) -> list[Row]:
        """Fields of some passages, in the order of ``rows``.

        Raises:
            DamagedIndexError: One is not there.
        """
        some = self.of(self.tables.passages, "row", rows, ["row", *fields])
        found = {row["row"]: row for row in some}
        try:
            return [found[row] for row in rows]
        except KeyError as error:
            raise self.lacks(f"passage {error}") from error

    def lacks(self, what: str) -> DamagedIndexError:
        """The error where a row is not there."""
        return DamagedIndexError(f"{self.place}: holds no {what}; {REMEDY}")

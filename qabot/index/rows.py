"""Number the passages of all segments through: rows of an index are those of its segments in turn.

Rows of articles that have left the index keep their numbers until their segment is merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from qabot.index.vectors import Mask, RowArray


class Rows:
    """Finds the segment of a row.

    Args:
        sizes: How many passages each segment holds, those that have left included.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.begins: list[int] = self._edges[:-1].tolist()
        """The first row of each segment."""

    def __len__(self) -> int:
        return int(self._edges[-1])

    def place(self, row: int) -> tuple[int, int]:
        """The segment of a row, and the row there."""
        segment = int(self._edges.searchsorted(row, "right")) - 1
        return segment, row - self.begins[segment]

    def split(self, rows: RowArray) -> Iterator[tuple[int, RowArray | slice, RowArray]]:
        """Yield each segment that has any of ``rows``: its number, which of them, rows there.

        Where ``rows`` rise, each has a slice of them, and nothing is sorted.
        """
        if len(self.begins) == 1:
            yield 0, slice(0, len(rows)), rows
            return
        order = None if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
        edges = (rows if order is None else rows[order]).searchsorted(self._edges).tolist()
        for segment, (first, stop) in enumerate(pairwise(edges)):
            if first < stop:
                where = slice(first, stop) if order is None else np.sort(order[first:stop])
                yield segment, where, rows[where] - self.begins[segment]

    def parts(self, mask: Mask) -> list[Mask]:
        """Cut a mask of all rows into those of the segments."""
        return [mask[first:stop] for first, stop in pairwise(self._edges.tolist())]

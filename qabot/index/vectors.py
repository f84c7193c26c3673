"""Exact nearest neighbours of passage vectors: the one importer of faiss.

Scores are cosines, higher is better, since every vector has length 1. Exhaustive search is exact,
and at the sizes that one machine embeds it takes a few milliseconds: nothing approximate is used.
faiss is imported when vectors are touched: a rebuild that changes nothing needs none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
RowArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
"""The rows that count: bool ``(passages,)``."""


def write_vectors(path: Path, vectors: FloatArray) -> None:
    """Write ``vectors``, float32 ``(passages, dimension)`` of length 1, as a faiss index.

    Raises:
        OSError: The file cannot be written.
    """
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, np.float32))
    # Through a Python file: given a path, faiss only prints that closing it failed on a full disk.
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]


class SegmentVectors:
    """Passage vectors of one segment, read from a file that ``write_vectors`` wrote.

    Raises:
        ValueError: The file is no such index.
    """

    def __init__(self, path: Path) -> None:
        import faiss

        try:
            # Through a Python file: faiss takes no path whose bytes are not UTF-8.
            with path.open("rb") as file:
                reader = faiss.PyCallbackIOReader(file.read)  # type: ignore[attr-defined]
                index = faiss.read_index(reader)
        except (RuntimeError, OSError) as error:
            raise ValueError(f"faiss cannot read it ({error})") from error
        if not isinstance(index, faiss.IndexFlatIP):
            raise ValueError(f"{type(index).__name__}, not IndexFlatIP")
        self._index = index
        self.dimension: int = index.d

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self, query: FloatArray, count: int, allowed: Mask | None = None
    ) -> tuple[FloatArray, RowArray]:
        """The ``count`` nearest passages of one query vector ``(dimension,)``.

        Args:
            allowed: The rows to search; all of them where not given.

        Returns:
            Cosines, falling, and passage rows, both as long as ``count`` or all there are to
            search.
        """
        count = min(count, len(self) if allowed is None else int(allowed.sum()))
        if count == 0:  # faiss takes no such question.
            return np.empty(0, np.float32), np.empty(0, np.int64)
        if allowed is None:
            scores, rows = self._index.search(query[None, :], count)
        else:
            import faiss

            bits = np.packbits(allowed, bitorder="little")
            # The types are those of C++; faiss's Python wrappers take arrays and keywords.
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            only = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            scores, rows = self._index.search(query[None, :], count, params=only)
        return scores[0], rows[0]

    def vectors(self, rows: RowArray) -> FloatArray:
        """The vectors of ``rows``: float32 ``(len(rows), dimension)``."""
        found: FloatArray = self._index.reconstruct_batch(rows)
        return found

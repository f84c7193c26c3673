"""Nearest neighbours of passage vectors, in one segment: the one importer of faiss.

Scores are cosines, higher is better, since every vector has length 1. A segment of ordinary size is
searched exhaustively, in memory, by NumPy alone. A large one has an index of faiss's beside its
vectors: product quantisation (Jégou, Douze and Schmid, 2011) with four bits for two numbers, all of
which are compared in registers (André, Kermarrec and Le Scouarnec, 2015). It scores so roughly that
more are taken than are wanted, and scored with the vectors themselves afterwards (``joined``).
Inverted lists and graphs compare fewer, but whether they find the nearest depends on how questions
and passages lie; comparing all codes of a million passages takes a few milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qabot.index.vector_file import VectorFile, widened

FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]
RowArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
"""The rows that count: bool ``(passages,)``."""

# Comparing so many vectors takes some 2 ms. Sizes of segments fall by half, so all that are not
# larger take 5 ms.
EXACT = 16_000
# Numbers that share a code of four bits. docs/scaling.md has what other kinds of index give.
_TOGETHER = 2
_TRAINED, _LEAST_TRAINED = 20_000, 16
# Among so few rows of a segment, reading their vectors is as fast as comparing codes.
_FEW = 300
_GROUP = 10_000
# To find the best of many scores, these are laid out in so many columns for each that is wanted.
_COLUMNS = 8


def write_codes(path: Path, vectors: HalfArray) -> None:
    """Write a faiss index of ``vectors``, float16 ``(passages, dimension)`` of length 1.

    Raises:
        OSError: The file cannot be written.
    """
    import faiss

    dimension = vectors.shape[1]
    parts = dimension // _TOGETHER if dimension % _TOGETHER == 0 else dimension
    # With one inverted list, which is what takes filters.
    kind = f"IVF1,PQ{parts}x4fs"
    index: Any = faiss.index_factory(dimension, kind, faiss.METRIC_INNER_PRODUCT)
    for clustering in (index.cp, index.pq.cp):
        clustering.min_points_per_centroid = 1  # Else it prints a warning.
    chosen = np.random.default_rng(0).permutation(len(vectors))[:_TRAINED]
    chosen = np.resize(np.sort(chosen), max(len(chosen), _LEAST_TRAINED))
    index.train(vectors[chosen].astype(np.float32))
    for at in range(0, len(vectors), _GROUP):
        index.add(vectors[at : at + _GROUP].astype(np.float32))
    # Through a Python file: given a path, faiss only prints that closing it failed on a full disk.
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]


class SegmentVectors:
    """Searches the passage vectors of one segment.

    Args:
        stored: The vectors, float16.
        codes: What ``write_codes`` made of them. Where not given, search is exact.

    Attributes:
        exact: Its scores are those of the vectors themselves.
        dimension: The length of a vector.

    Raises:
        ValueError: There is no such index in ``codes``.
        DamagedIndexError: The vectors cannot be read.
    """

    def __init__(self, stored: VectorFile, codes: Path | None = None) -> None:
        self._stored = stored
        self.dimension = stored.shape[1]
        self.exact = codes is None
        self._all = widened(stored[:]) if codes is None else None
        self._index: Any = None if codes is None else _read(codes, stored.shape)

    def search(
        self,
        query: FloatArray,
        count: int,
        allowed: Mask | None = None,
        least: float | None = None,
    ) -> tuple[FloatArray, RowArray]:
        """Find the nearest passages of one query vector ``(dimension,)``.

        Args:
            allowed: The rows to search; all of them where not given.
            least: Of the passages that score this or less, any may be left out, and where codes
                are compared, the others come in any order and number.

        Returns:
            Cosines, falling, and passage rows: ``count`` of each, or all there are to search.

        Raises:
            DamagedIndexError: The vectors cannot be read.
        """
        held = len(self._stored) if allowed is None else int(np.count_nonzero(allowed))
        count = min(count, held)
        if count == 0:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        if self._all is not None:
            # Not "@": BLAS uses all cores, which wait long where other processes use them, too.
            scores = np.vecdot(self._all, query)
            among = None if allowed is None else np.flatnonzero(allowed)
            return _best(scores if among is None else scores[among], among, count)
        if allowed is not None and held <= max(_FEW, count):
            among = np.flatnonzero(allowed)
            return _best(np.vecdot(self.vectors(among), query), among, count)
        return self._look_through(query, count, allowed, least)

    def _look_through(
        self, query: FloatArray, count: int, allowed: Mask | None, least: float | None
    ) -> tuple[FloatArray, RowArray]:
        """Compare all codes; as ``search``, but scores are rough."""
        import faiss

        limits: Any = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            # The types are those of C++; faiss's Python wrappers take arrays and keywords.
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            limits = faiss.SearchParametersIVF(sel=selector)  # type: ignore[call-arg]
        if least is not None:  # Much less to keep than the best ``count`` of each segment.
            _, scores, rows = self._index.range_search(query[np.newaxis], least, params=limits)
            return scores, rows
        (scores,), (rows,) = self._index.search(query[np.newaxis], count, params=limits)
        if (rows < 0).any():  # faiss finds nothing where all score alike, as for a zero vector.
            every = np.arange(len(self._stored)) if allowed is None else np.flatnonzero(allowed)
            found = rows[rows >= 0]
            rows = np.append(found, np.setdiff1d(every, found)[: count - len(found)])
            return _best(np.vecdot(self.vectors(rows), query), rows, count)
        return scores, rows

    def vectors(self, rows: RowArray) -> FloatArray:
        """The vectors of ``rows``: float32 ``(len(rows), dimension)``.

        Raises:
            DamagedIndexError: They cannot be read.
        """
        return widened(self._stored[rows]) if self._all is None else self._all[rows]


def _best(scores: FloatArray, rows: RowArray | None, count: int) -> tuple[FloatArray, RowArray]:
    """The ``count`` highest scores, falling, and their rows; row numbers where not given."""
    best = highest(scores, count)
    return scores[best], best if rows is None else rows[best]


def highest(scores: FloatArray, count: int) -> RowArray:
    """The places of the ``count`` highest scores, falling; of those that are alike, the first."""
    among = np.arange(len(scores))
    if 0 < count < len(scores):
        among = np.flatnonzero(scores >= least_of(scores, count))
    return among[np.argsort(-scores[among], kind="stable")][:count]


def least_of(scores: NDArray[np.floating[Any]], count: int) -> float:
    """The lowest of the ``count`` highest scores, of which there are as many at least."""
    columns = _COLUMNS * count
    if len(scores) >= 2 * columns:
        # So many columns reach what the best of the columns reach; what is below is not sorted.
        rows = scores[: len(scores) // columns * columns].reshape(-1, columns)
        best = rows.max(axis=0)
        scores = scores[scores >= np.partition(best, -count)[-count]]
    return float(np.partition(scores, -count)[-count])


def _read(path: Path, shape: tuple[int, int]) -> Any:
    import faiss

    try:
        # Through a Python file: faiss takes no path whose bytes are not UTF-8.
        with path.open("rb") as file:
            reader = faiss.PyCallbackIOReader(file.read)  # type: ignore[attr-defined]
            index = faiss.read_index(reader)
    except (RuntimeError, OSError) as error:
        raise ValueError(f"faiss cannot read it ({error})") from error
    if not isinstance(index, faiss.IndexIVFPQFastScan):
        raise ValueError(f"{type(index).__name__}, not IndexIVFPQFastScan")
    if (index.ntotal, index.d, index.metric_type) != (*shape, faiss.METRIC_INNER_PRODUCT):
        raise ValueError(f"{path.name}: does not fit the vectors")
    return index

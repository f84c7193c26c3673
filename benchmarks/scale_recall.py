"""How much of an exact search a large index finds, for ``benchmarks.scale``."""

from __future__ import annotations

import time

import numpy as np

from qabot.encoders import FloatArray
from qabot.index import Generation
from qabot.index.vectors import Mask, RowArray

BEST, NEAREST = 10, 200
_SHARES = (0.1, 0.01, 0.001)
_WARM_UP = 10


def recalls(generation: Generation, vectors: FloatArray, found: list[RowArray]) -> dict[str, float]:
    """Compare the nearest passages with those of exact search, also under filters."""
    figures: dict[str, float] = {}
    nearest = Exact(generation, vectors).nearest
    for count in (BEST, NEAREST):
        shares = [
            np.isin(known[:count], rows).mean() for known, rows in zip(nearest, found, strict=True)
        ]
        figures[f"vectors, recall@{count}"] = float(np.mean(shares))
    held = len(generation.rows)
    for share in _SHARES:
        allowed = np.zeros(generation.begins[-1] + generation.manifest.segments[-1].passages, bool)
        chosen = np.random.default_rng(3).permutation(held)[: max(1, int(held * share))]
        allowed[generation.rows[chosen]] = True
        nearest = Exact(generation, vectors, allowed).nearest
        shares, times = [], []
        for vector, known in zip(vectors, nearest, strict=True):
            begun = time.perf_counter()
            rows = generation.vectors.search(vector, NEAREST, allowed)[1]
            times.append((time.perf_counter() - begun) * 1000)
            shares.append(np.isin(known[:BEST], rows).mean())
        figures[f"vectors among {share:.1%}, ms"] = float(np.median(times[_WARM_UP:]))
        figures[f"vectors among {share:.1%}, recall@10"] = float(np.mean(shares))
    return figures


class Exact:
    """Stands in for ``Generation.vectors``: what an exact search finds for known questions.

    Attributes:
        nearest: The rows nearest to each of ``questions``, nearest first.
    """

    def __init__(
        self, generation: Generation, questions: FloatArray, allowed: Mask | None = None
    ) -> None:
        self._generation, self._questions = generation, questions
        rows = generation.rows if allowed is None else np.flatnonzero(allowed)
        scores = np.empty((len(questions), len(rows)), np.float32)
        for at in range(0, len(rows), 50_000):
            some = generation.stored_vectors(rows[at : at + 50_000]).astype(np.float32)
            scores[:, at : at + 50_000] = questions @ some.T
        count = min(NEAREST, len(rows))
        self.nearest: list[RowArray] = []
        for line in scores:
            best = np.argpartition(line, -count)[-count:]
            self.nearest.append(rows[best[np.argsort(-line[best], kind="stable")]])

    def search(
        self, query: FloatArray, count: int, _: Mask | None = None
    ) -> tuple[FloatArray, RowArray]:
        """Find the nearest passages of a known question."""
        place = int((self._questions @ query).argmax())
        rows = self.nearest[place][:count]
        return self.vectors(rows) @ query, rows

    def cosines(
        self, query: FloatArray, rows: RowArray, _: tuple[FloatArray, RowArray]
    ) -> FloatArray:
        """The cosines of ``rows`` and a query."""
        return self.vectors(rows) @ query

    def vectors(self, rows: RowArray) -> FloatArray:
        """Read the vectors of ``rows``."""
        return self._generation.stored_vectors(rows).astype(np.float32)

"""qabot's own reader: multilingual-e5-small, trained on to point at answers (``training/``).

Its network comes with qabot, without word embeddings: those are the packaged encoder's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from qabot.encoders.base import FloatArray
from qabot.encoders.e5_words import WordEmbeddings
from qabot.encoders.onnx import open_session
from qabot.encoders.pieces import FILE, FIRST, LAST, PAD, load_pieces
from qabot.reader.base import best_span, blocks_of, trimmed
from qabot.types import Reading

NAME = "qabot-reader"
_GRAPH = "reader.onnx"
_HIDDEN = 384
# What it was trained on; longer texts are cut.
_MOST_QUESTION, _MOST_TOKENS = 64, 256
# Windows of about one length go together: padding costs as much as text.
_BATCH = 3


class PackagedReader:
    """The reader that qabot comes with; calls are safe from several threads.

    Args:
        folder: The unpacked folder of the packaged encoder.
        threads: Cores for one call; all of them where not given.
        graph: Another network of its kind.

    Raises:
        EncoderError: A file is missing or damaged.
    """

    name = NAME

    def __init__(
        self, folder: Path, *, threads: int | None = None, graph: Path | None = None
    ) -> None:
        self._words = WordEmbeddings(folder, _HIDDEN)
        self._pieces = folder / FILE
        self._graph = graph or _packaged_graph()
        self._session = open_session(self._graph, threads)

    @property
    def digest(self) -> str:
        """Names the network: the beginning of its file's SHA-256."""
        return hashlib.sha256(self._graph.read_bytes()).hexdigest()[:12]

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """The best span of each window, in order; an empty one where a window has no text."""
        pieces = load_pieces(self._pieces)
        head = [FIRST, *pieces.ids([question])[0][:_MOST_QUESTION], LAST, LAST]
        room = _MOST_TOKENS - len(head) - 1
        spans = [pieces.spans(window)[:room] for window in windows]
        rows = [[*head, *(identity for identity, _, _ in window), LAST] for window in spans]
        readings = [Reading(0, 0, -np.inf)] * len(windows)
        order = sorted((n for n, window in enumerate(spans) if window), key=lambda n: len(rows[n]))
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            for number, scores in zip(batch, self._scores([rows[n] for n in batch]), strict=True):
                window = spans[number]
                first = len(head)
                blocks = blocks_of(windows[number], [place for _, place, _ in window])
                start, end, margin = best_span(scores, first, blocks)
                begin, stop = window[start - first][1], window[end - first - 1][2]
                readings[number] = Reading(*trimmed(windows[number], begin, stop), margin)
        return readings

    def _scores(self, rows: list[list[int]]) -> FloatArray:
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), PAD, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        feed = {"words": self._words.rows(ids), "attention_mask": mask}
        scores: FloatArray = self._session.run(None, feed)[0]
        return scores


def _packaged_graph() -> Path:
    return Path(str(resources.files("qabot.reader").joinpath(_GRAPH)))

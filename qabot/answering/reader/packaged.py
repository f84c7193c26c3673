"""qabot's own reader: multilingual-e5-small, trained on to point at answers (``training/``).

Its network comes with qabot, without word embeddings: those are the packaged encoder's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np

from qabot.answering.reader.base import Window, best_span, blocks_of, trimmed
from qabot.encoders.base import FloatArray, usable_cores
from qabot.encoders.e5.words import WordEmbeddings
from qabot.encoders.onnx import open_session
from qabot.encoders.sentencepiece import FILE, FIRST, LAST, load_tokenizer
from qabot.types import AnswerSpan

NAME = "qabot-reader"
_GRAPH = "reader.onnx"
_HIDDEN = 384
# What it was trained on; longer texts are cut.
_MOST_QUESTION, _MOST_CONTEXT, _MOST_TOKENS = 48, 32, 256


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
        self._vocabulary = folder / FILE
        self._graph = graph or _packaged_graph()
        # Each window has a core to itself: cores that share one wait for each other at every step.
        # It is read by itself, too: in int8, what else is in a batch changes the scores a little.
        self.batch_size = threads or usable_cores()
        self._session = open_session(self._graph, 1)
        self._pool = ThreadPoolExecutor(self.batch_size, "reader")

    @property
    def digest(self) -> str:
        """Names the network: the beginning of its file's SHA-256."""
        return hashlib.sha256(self._graph.read_bytes()).hexdigest()[:12]

    def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
        """The best span of each window, in order; an empty one where a window has no text."""
        tokenizer = load_tokenizer(self._vocabulary)
        head = [FIRST, *tokenizer.ids([question])[0][:_MOST_QUESTION], LAST, LAST]

        def read_one(window: Window) -> AnswerSpan:
            text = window.text
            first = [*head, *tokenizer.ids([window.context])[0][:_MOST_CONTEXT], LAST]
            spans = tokenizer.spans(text)[: _MOST_TOKENS - len(first) - 1]
            if not spans:
                return AnswerSpan(0, 0, -np.inf, -np.inf)
            scores = self._scores([*first, *(identity for identity, _, _ in spans), LAST])
            blocks = blocks_of(text, [place for _, place, _ in spans])
            start, end, margin = best_span(scores, len(first), blocks)
            begin, stop = spans[start - len(first)][1], spans[end - len(first) - 1][2]
            return AnswerSpan(*trimmed(text, begin, stop), margin, float(scores[0, 2]))

        return list(self._pool.map(read_one, windows))

    def _scores(self, ids: list[int]) -> FloatArray:
        """Of each token as start and end, and of the first as "answers": ``(tokens, 3)``."""
        row = np.array([ids], np.int64)
        feed = {"words": self._words.rows(row), "attention_mask": np.ones_like(row)}
        scores: FloatArray = self._session.run(None, feed)[0][0]
        return scores


def _packaged_graph() -> Path:
    return Path(str(resources.files("qabot.answering.reader").joinpath(_GRAPH)))

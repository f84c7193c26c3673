"""The packaged model as it answers: questions have a network of their own, passages the wheel's.

The network for questions is the encoder's, trained on so that questions land near the passages that
answer them in other words (``training.questions``). Passages keep their vectors, so an index does
not depend on it, and a process that only asks loads no network for passages.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from qabot.encoders.base import FloatArray, normalize
from qabot.encoders.e5.graph_files import GRAPH
from qabot.encoders.e5.words import WordEmbeddings
from qabot.encoders.onnx import OnnxEncoder, open_session
from qabot.encoders.onnx_folder import network_stamps
from qabot.encoders.sentencepiece import FIRST, LAST
from qabot.encoders.tokenization import open_tokenizer

_QUESTIONS = "question.onnx"
_NETWORK = "bert"
_PROMPT = "query: "
# Longer questions are cut; more of one hardly changes its vector.
_MOST_TOKENS = 126


class PackagedEncoder:
    """multilingual-e5-small with its network for questions; calls are safe from several threads.

    Args:
        folder: The unpacked model folder.
        name: What people call the model.
        fingerprint: What its passages' vectors were made by.
        dimension: Length of a vector.
        threads: Cores for one call; all of them where not given.

    Raises:
        EncoderError: A file is missing or damaged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        fingerprint: str,
        dimension: int,
        threads: int | None = None,
    ) -> None:
        self.name, self.fingerprint, self.dimension = name, fingerprint, dimension
        self._folder, self._threads = folder, threads
        self._tokenizer = open_tokenizer(folder, _NETWORK)
        self._words = WordEmbeddings(folder, dimension)
        self._stamps = network_stamps(folder / "onnx" / GRAPH)
        graph = resources.files("qabot.encoders.e5").joinpath(_QUESTIONS)
        self._session = open_session(Path(str(graph)), threads)
        self._documents: OnnxEncoder | None = None
        self._lock = threading.Lock()

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of questions: float32 ``(len(texts), dimension)``, of length 1."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, ids in enumerate(self._tokenizer.ids([_PROMPT + text for text in texts])):
            # One by one: in int8, what else is in a batch changes a vector a little.
            tokens = np.array([[FIRST, *ids[:_MOST_TOKENS], LAST]], np.int64)
            feed = {"words": self._words.rows(tokens), "attention_mask": np.ones_like(tokens)}
            vectors[row] = self._session.run(None, feed)[0][0].mean(axis=0)
        return normalize(vectors)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passages or sentences: float32 ``(len(texts), dimension)``, of length 1."""
        with self._lock:
            if self._documents is None:
                self._documents = OnnxEncoder(
                    self._folder,
                    name=self.name,
                    fingerprint=self.fingerprint,
                    threads=self._threads,
                    stamps=self._stamps,
                )
        return self._documents.encode_document(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of model tokens of each text, without special tokens and prompts."""
        return [len(ids) for ids in self._tokenizer.ids(texts)]

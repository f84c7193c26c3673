"""Embedding models on ONNX Runtime: the fast path, without torch."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qabot.encoders.base import REMEDY, FloatArray, document_prompt, normalize
from qabot.encoders.onnx_folder import FolderConfig, find_graph, folder_fingerprint
from qabot.encoders.tokenization import open_tokenizer
from qabot.errors import EncoderError
from qabot.text import first_line

if TYPE_CHECKING:
    import onnxruntime

# Padding is what a batch costs beyond its texts: they are sorted by length, and 16 beat 64 in every
# measurement on two cores.
_BATCH = 16
# What is computed here; a model folder may ask for more.
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class OnnxEncoder:
    """A sentence-transformers folder that holds an ONNX file, run by ONNX Runtime.

    Pooling, prompts and the longest input are read from the folder. Calls are safe from several
    threads at once.

    Args:
        folder: The model folder.
        name: The name to report; the folder's own where not given.
        fingerprint: Where the caller knows it already; else the files are hashed.
        threads: Cores to use for one call; all of them where not given.

    Raises:
        EncoderError: The folder lacks a file, or one of them cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        fingerprint: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.name = name or folder.name
        graph = find_graph(folder)
        if graph is None:
            raise EncoderError(f"{folder}: no ONNX file in it; name a sentence-transformers folder")
        config = FolderConfig(folder)
        self._tokenize = open_tokenizer(folder, config.network)
        self._prompts = config.prompts
        self._pooling = config.pooling
        self._max_tokens = config.max_tokens
        self._graph, self._threads = graph, threads or os.cpu_count() or 1
        self._session = open_session(graph, threads)
        self._bulk: onnxruntime.InferenceSession | None = None
        self._bulk_lock = threading.Lock()
        self._inputs = {item.name for item in self._session.get_inputs()}
        shape = self._session.get_outputs()[0].shape
        # The size of a vector is a mere name in some graphs.
        dimension = shape[-1] if isinstance(shape[-1], int) else config.dimension
        if not self._inputs <= _INPUTS or len(shape) != 3 or dimension is None:
            raise EncoderError(f"{graph}: not token ids in and a vector for each out; {REMEDY}")
        self.dimension = dimension
        self.fingerprint = fingerprint or folder_fingerprint(folder, graph, config)

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Encode questions: unit vectors, float32 ``(len(texts), dimension)``."""
        return self._encode([self._prompts.get("query", "") + text for text in texts])

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages or sentences: unit vectors, float32 ``(len(texts), dimension)``."""
        prompt = document_prompt(self._prompts)
        return self._encode([prompt + text for text in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the model's tokens of each text, without special tokens and prompts."""
        return [len(ids) for ids in self._tokenize.ids(texts)]

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        tokenize = self._tokenize
        room = self._max_tokens - 2
        ids = [[tokenize.first, *tokens[:room], tokenize.last] for tokens in tokenize.ids(texts)]
        vectors = np.empty((len(ids), self.dimension), np.float32)
        batches = list(_batches([len(tokens) for tokens in ids]))

        def encode(rows: list[int], session: onnxruntime.InferenceSession) -> None:
            vectors[rows] = self._run(session, [ids[row] for row in rows])

        if len(batches) < 2 or self._threads == 1:
            for rows in batches:
                encode(rows, self._session)
        else:
            bulk = self._bulk_session()
            with ThreadPoolExecutor(self._threads, "encoder") as pool:
                for _ in pool.map(lambda rows: encode(rows, bulk), batches):
                    pass
        return normalize(vectors)

    def _bulk_session(self) -> onnxruntime.InferenceSession:
        """One that computes on a single core, for many batches at once, each on its own.

        Cores that share a batch wait for each other at every step, far longer still where other
        processes use them too.
        """
        with self._bulk_lock:
            if self._bulk is None:
                self._bulk = open_session(self._graph, 1)
            return self._bulk

    def _run(self, session: onnxruntime.InferenceSession, batch: list[list[int]]) -> FloatArray:
        longest = max(map(len, batch))
        tokens = np.full((len(batch), longest), self._tokenize.pad, np.int64)
        mask = np.zeros((len(batch), longest), np.int64)
        for row, ids in enumerate(batch):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        known = {
            "input_ids": tokens,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(tokens),
        }
        feed = {name: known[name] for name in self._inputs}
        states: FloatArray = session.run(None, feed)[0]
        if self._pooling == "cls":
            return states[:, 0]
        weights = mask[..., None].astype(np.float32)
        pooled: FloatArray = (states * weights).sum(axis=1) / weights.sum(axis=1)
        return pooled


def open_session(graph: Path, threads: int | None) -> onnxruntime.InferenceSession:
    """ONNX Runtime's session of ``graph``, on ``threads`` cores or all.

    Raises:
        EncoderError: It cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own.
        raise EncoderError(f"{graph}: ONNX Runtime cannot load it ({first_line(error)})") from error


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Row numbers in batches of texts of about one length, longest first."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]

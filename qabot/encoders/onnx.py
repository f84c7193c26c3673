"""Embedding models on ONNX Runtime: fast, and without torch."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qabot.encoders.base import (
    DAMAGED,
    REMEDY,
    FloatArray,
    document_prompt,
    normalize,
    usable_cores,
)
from qabot.encoders.onnx_folder import (
    FolderConfig,
    Stamps,
    find_graph,
    folder_fingerprint,
    network_files,
    network_stamps,
)
from qabot.encoders.tokenization import open_tokenizer
from qabot.errors import EncoderError
from qabot.text import first_line

if TYPE_CHECKING:
    import onnxruntime

# Tokens of a batch, padding included. More would not stay in a core's cache; of fewer, each would
# cost more. Texts are sorted by length, since padding costs as much as text.
_BATCH_TOKENS = 256
# The inputs that are computed here.
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class OnnxEncoder:
    """A sentence-transformers folder with an ONNX file, run by ONNX Runtime.

    Pooling, prompts and the longest input are read from the folder. Thread-safe.

    Args:
        folder: The model folder.
        name: The name to report; by default, the folder's.
        fingerprint: The fingerprint if the caller knows it; else the files are hashed.
        threads: Cores for one call; by default, all.
        stamps: Those of the network when its files were compared with their checksums; by default,
            as they are now.

    Raises:
        EncoderError: A file of the folder is missing or cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        fingerprint: str | None = None,
        threads: int | None = None,
        stamps: Stamps | None = None,
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
        self._graph, self._threads = graph, threads or usable_cores()
        self._stamps = stamps or network_stamps(graph)
        self._session = self._open(threads)
        self._bulk: onnxruntime.InferenceSession | None = None
        self._bulk_lock = threading.Lock()
        self._inputs = {item.name for item in self._session.get_inputs()}
        shape = self._session.get_outputs()[0].shape
        # Some graphs only name the size of a vector.
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
        """Open a session that computes each batch on a single core, so that many run at once.

        Cores that share a batch wait for each other at every step, and far longer if other
        processes use them too.
        """
        with self._bulk_lock:
            if self._bulk is None:
                self._bulk = self._open(1)
            return self._bulk

    def _open(self, threads: int | None) -> onnxruntime.InferenceSession:
        session = open_session(self._graph, threads)
        if network_stamps(self._graph) != self._stamps:
            raise EncoderError(f"{self._graph}: changed while it is in use; start qabot again")
        return session

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
    """Open ``graph`` in ONNX Runtime, on ``threads`` cores or all.

    Its files are read here: ONNX Runtime would map those beside the graph into memory, and a mapped
    file that another program cuts short ends the process by SIGBUS.

    Raises:
        EncoderError: ONNX Runtime cannot load it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _default_threads()
    options.log_severity_level = 3
    try:
        weights = {path.name: path.read_bytes() for path in network_files(graph) if path != graph}
        options.add_external_initializers_from_files_in_memory(
            list(weights), list(weights.values()), list(map(len, weights.values()))
        )
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base.
        raise EncoderError(
            f"{graph}: ONNX Runtime cannot load it ({first_line(error)}); {DAMAGED}"
        ) from error


def _default_threads() -> int:
    """Return ONNX Runtime's 0 for all physical cores, unless this process may use only some."""
    cores = usable_cores()
    return cores if cores < (os.cpu_count() or 1) else 0


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield row numbers in batches of texts of similar length, longest first."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        stop = start + max(1, _BATCH_TOKENS // lengths[order[start]])
        yield order[start:stop]
        start = stop

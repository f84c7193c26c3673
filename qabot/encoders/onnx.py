"""Embedding models on ONNX Runtime: the fast path, without torch."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from qabot.encoders.base import FloatArray, document_prompt, normalize
from qabot.encoders.sentencepiece import FILE as PIECES
from qabot.encoders.sentencepiece import FIRST, LAST, PAD, load_pieces
from qabot.errors import EncoderError
from qabot.text import first_line

if TYPE_CHECKING:
    import onnxruntime

_Json = TypeVar("_Json", dict[str, Any], list[Any])

Tokenize = Callable[[Sequence[str]], list[list[int]]]
"""Texts → token ids of each, without special tokens."""

# Padding is what a batch costs beyond its texts: they are sorted by length, and 16 beat 64 in every
# measurement on two cores.
_BATCH = 16
_TOKENIZERS = "tokenizer.json"
# Networks whose vocabulary is XLM-R's, if there is a SentencePiece file: multilingual-e5 is a BERT.
# Others (CamemBERT) number the pieces of a file of the same name differently.
_XLM_R = ("bert", "xlm-roberta")
# What is computed here; a model folder may ask for more.
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_MODULES = {"Transformer", "Pooling", "Normalize"}
_REMEDY = "use it as sentence-transformers:FOLDER"


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
        config = _Config(folder)
        self._tokenize = _load_tokenizer(folder, config.network)
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
            raise EncoderError(f"{graph}: not token ids in and a vector for each out; {_REMEDY}")
        self.dimension = dimension
        self.fingerprint = fingerprint or _fingerprint(folder, graph, config)

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of questions: float32 ``(len(texts), dimension)``, of length 1."""
        return self._encode([self._prompts.get("query", "") + text for text in texts])

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passages or sentences: float32 ``(len(texts), dimension)``, of length 1."""
        prompt = document_prompt(self._prompts)
        return self._encode([prompt + text for text in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of model tokens of each text, without special tokens and prompts."""
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


class _Config:
    """What a sentence-transformers folder says about the use of its network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._check_modules()
        options = self._read("config_sentence_transformers.json", {})
        self.prompts: dict[str, str] = options.get("prompts") or {}
        self.dimension: int | None = None
        self.pooling = self._read_pooling()
        network = self._read("config.json", {})
        self.network: str | None = network.get("model_type")
        limits = [
            self._read("tokenizer_config.json", {}).get("model_max_length"),
            network.get("max_position_embeddings"),
        ]
        chosen = self._read("sentence_bert_config.json", {}).get("max_seq_length")
        self.max_tokens = int(chosen or min((n for n in limits if n and n > 0), default=512))

    def _check_modules(self) -> None:
        path = self._folder / "modules.json"
        for module in self._read(path.name, []):
            kind = module["type"].rsplit(".", 1)[-1]
            if kind not in _MODULES:
                raise EncoderError(f"{path}: the ONNX file leaves {kind} out; {_REMEDY}")

    def _read_pooling(self) -> str:
        name = "1_Pooling/config.json"
        content = self._read(name, {})
        self.dimension = content.get("embedding_dimension", content.get("word_embedding_dimension"))
        modes = content.get("pooling_mode") or [
            key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
            for key, on in content.items()
            if key.startswith("pooling_mode_") and on is True
        ]
        if isinstance(modes, str):
            modes = [modes]
        modes = modes or ["mean"]
        if modes not in (["mean"], ["cls"]):
            kinds = " and ".join(map(str, modes))
            raise EncoderError(
                f"{self._folder / name}: pooling is {kinds}, not mean or cls; {_REMEDY}"
            )
        if content.get("include_prompt") is False and any(self.prompts.values()):
            raise EncoderError(f"{self._folder / name}: pooling leaves prompts out; {_REMEDY}")
        return str(modes[0])

    def _read(self, name: str, missing: _Json) -> _Json:
        """What a file holds, or ``missing``; both of one type."""
        path = self._folder / name
        if not path.exists():
            return missing
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise EncoderError(f"{path}: cannot be read ({error})") from error
        if not isinstance(content, type(missing)):
            raise EncoderError(f"{path}: cannot be read (no JSON {type(missing).__name__})")
        return content


class _Tokenizer:
    """Token ids of a text; loads in the background, since that takes the longest of all.

    Attributes:
        first, last, pad: Ids of the special tokens round a text and behind it.
    """

    def __init__(self, load: Callable[[], Tokenize], first: int, last: int, pad: int) -> None:
        self.first, self.last, self.pad = first, last, pad
        pool = ThreadPoolExecutor(1, "tokenizer")
        self._loaded: Future[Tokenize] = pool.submit(load)
        pool.shutdown(wait=False)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        return self._loaded.result()(texts)


def find_graph(folder: Path) -> Path | None:
    """The ONNX file of a model folder: the quantised one if there are several, else ``None``."""
    names = ("onnx/model_qint8.onnx", "onnx/model.onnx", "model.onnx")
    known = [folder / name for name in names if (folder / name).is_file()]
    return known[0] if known else next(iter(sorted(folder.glob("onnx/*.onnx"))), None)


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


def _load_tokenizer(folder: Path, network: str | None) -> _Tokenizer:
    # XLM-R's SentencePiece file numbers its pieces one lower than the network does.
    if network in _XLM_R and (folder / PIECES).is_file():
        path = folder / PIECES
        return _Tokenizer(lambda: load_pieces(path).ids, FIRST, LAST, PAD)
    if (folder / _TOKENIZERS).is_file():
        return _load_tokenizers(folder / _TOKENIZERS)
    raise EncoderError(
        f"{folder}: no {_TOKENIZERS} in it; name a complete sentence-transformers folder"
    )


def _load_tokenizers(path: Path) -> _Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # The Rust library raises bare Exception.
        raise EncoderError(f"{path}: cannot be read ({first_line(error)})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    around = tokenizer.encode("").ids
    if len(around) != 2:
        raise EncoderError(f"{path}: not one special token before and one after a text; {_REMEDY}")

    def tokenize(texts: Sequence[str]) -> list[list[int]]:
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [item.ids for item in encoded]

    return _Tokenizer(lambda: tokenize, first=around[0], last=around[1], pad=0)


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Row numbers in batches of texts of about one length, longest first."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _fingerprint(folder: Path, graph: Path, config: _Config) -> str:
    digest = hashlib.sha256()
    # Large weights stand beside the graph: model.onnx_data, or model.onnx.data as torch names it.
    network = sorted(path for path in graph.parent.iterdir() if path.name.startswith(graph.name))
    for part in [*network, folder / PIECES, folder / _TOKENIZERS]:
        if part.is_file():
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    use = [config.prompts, config.pooling, config.max_tokens]
    digest.update(json.dumps(use, sort_keys=True).encode())
    return digest.hexdigest()

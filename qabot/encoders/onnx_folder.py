"""The configuration of a sentence-transformers folder with an ONNX file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

from qabot.encoders.base import DAMAGED, REMEDY
from qabot.encoders.tokenization import files_of
from qabot.errors import EncoderError

_Json = TypeVar("_Json", dict[str, Any], list[Any])

Stamps = dict[str, tuple[int, int, int]]
"""Name of a file → size in bytes, time of the last change in nanoseconds, inode."""

# The modules that are computed here.
_MODULES = {"Transformer", "Pooling", "Normalize"}


class FolderConfig:
    """The configuration of a folder.

    Attributes:
        prompts: Texts to put before a question or passage, by name.
        dimension: The size of a vector; ``None`` if the folder does not say.
        pooling: ``mean`` or ``cls``.
        network: The network's type, such as ``bert``; ``None`` if the folder does not say.
        max_tokens: The longest input, special tokens included.

    Raises:
        EncoderError: A file cannot be read, or asks for something that is not computed here.
    """

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
                raise EncoderError(f"{path}: the ONNX file leaves {kind} out; {REMEDY}")

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
                f"{self._folder / name}: pooling is {kinds}, not mean or cls; {REMEDY}"
            )
        if content.get("include_prompt") is False and any(self.prompts.values()):
            raise EncoderError(f"{self._folder / name}: pooling leaves prompts out; {REMEDY}")
        return str(modes[0])

    def _read(self, name: str, missing: _Json) -> _Json:
        """Read a JSON file of the type of ``missing``, which is returned if there is no file."""
        path = self._folder / name
        if not path.exists():
            return missing
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise EncoderError(f"{path}: cannot be read ({reason}); {DAMAGED}") from error
        if not isinstance(content, type(missing)):
            found = f"no JSON {type(missing).__name__}"
            raise EncoderError(f"{path}: cannot be read ({found}); {DAMAGED}")
        return content


def find_graph(folder: Path) -> Path | None:
    """Find the ONNX file of a model folder: the quantised one if there are several."""
    names = ("onnx/model_qint8.onnx", "onnx/model.onnx", "model.onnx")
    known = [folder / name for name in names if (folder / name).is_file()]
    return known[0] if known else next(iter(sorted(folder.glob("onnx/*.onnx"))), None)


def network_files(graph: Path) -> list[Path]:
    """List the graph, and the files beside it that hold large weights.

    They are named after it: model.onnx_data, or torch's model.onnx.data.
    """
    beside = (path for path in graph.parent.iterdir() if path.name.startswith(graph.name))
    return sorted(path for path in beside if path.is_file())


def network_stamps(graph: Path) -> Stamps:
    """Look at the size, time and inode of each of them.

    Raises:
        EncoderError: One cannot be looked at.
    """
    try:
        found = {path.name: path.stat() for path in network_files(graph)}
    except OSError as error:
        raise EncoderError(f"{graph}: cannot be read ({error.strerror}); {DAMAGED}") from error
    return {name: (it.st_size, it.st_mtime_ns, it.st_ino) for name, it in found.items()}


def folder_fingerprint(folder: Path, graph: Path, config: FolderConfig) -> str:
    """Hash everything that decides the vectors: weights, tokenizer, prompts, pooling, limits."""
    digest = hashlib.sha256()
    for part in [*network_files(graph), *files_of(folder)]:
        if part.is_file():
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    use = [config.prompts, config.pooling, config.max_tokens]
    digest.update(json.dumps(use, sort_keys=True).encode())
    return digest.hexdigest()

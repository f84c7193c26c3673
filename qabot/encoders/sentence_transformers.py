"""Any other embedding model, through sentence-transformers; on a GPU if there is one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qabot.encoders.base import FloatArray, document_prompt, normalize
from qabot.encoders.hub import local_folder
from qabot.errors import EncoderError
from qabot.text import first_line

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


_REMEDY = "name a model folder, or leave the setting out for the packaged model"


class SentenceTransformersEncoder:
    """A sentence-transformers model with its own prompts, pooling and precision.

    Args:
        name: A folder, or the name of a model in the local Hugging Face cache.

    Raises:
        EncoderError: There is no such model.
    """

    def __init__(self, name: str) -> None:
        self.name = name.rstrip("/").rsplit("/", 1)[-1]
        self._model = _load(name)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.fingerprint = _fingerprint(self._model)

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Encode questions: unit vectors, float32 ``(len(texts), dimension)``."""
        return self._unit(self._model.encode_query(list(texts), show_progress_bar=False))

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages or sentences: unit vectors, float32 ``(len(texts), dimension)``."""
        prompt = document_prompt(self._model.prompts)
        vectors = self._model.encode_document(list(texts), prompt=prompt, show_progress_bar=False)
        return self._unit(vectors)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the model's tokens of each text, without special tokens and prompts."""
        if not texts:
            return []
        encoded = self._model.tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def _unit(self, vectors: object) -> FloatArray:
        array = np.asarray(vectors, np.float32).reshape(-1, self.dimension)
        # Scores must be cosines, even if the model does not normalise.
        return normalize(array)


def _load(name: str) -> SentenceTransformer:
    folder = local_folder(name, f"sentence-transformers/{name}")
    if folder is None:
        raise EncoderError(
            f"encoder {name!r}: no such folder, nor a model in the local Hugging Face cache (qabot "
            f"downloads nothing); {_REMEDY}"
        )
    import sentence_transformers
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        return sentence_transformers.SentenceTransformer(folder, local_files_only=True)
    except Exception as error:  # Hub, file and configuration errors share no base.
        raise EncoderError(
            f"encoder {name!r}: sentence-transformers cannot load it ({first_line(error)}); "
            f"{_REMEDY}"
        ) from error


def _fingerprint(model: SentenceTransformer) -> str:
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if ".pooler." in name:
            continue  # Unused, and filled at random if the model lacks it.
        values = tensor.detach().cpu().contiguous()
        # Bytes, because NumPy has no bfloat16.
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().tobytes())
    # The modules say how the weights are used. The first is the network: its description changes
    # with the library's version and adds nothing to the weights.
    modules = [
        (type(module).__name__, _config(module) if place else {})
        for place, module in enumerate(model)
    ]
    use = [model.prompts, model.max_seq_length, modules]
    digest.update(json.dumps(use, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _config(module: object) -> dict[str, Any]:
    read = getattr(module, "get_config_dict", dict)
    config: dict[str, Any] = read()
    return config

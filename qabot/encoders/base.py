"""The interface of every embedding model, in sentence-transformers' own terms."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

REMEDY = "use it as sentence-transformers:FOLDER"
"""The way to use a model folder that ONNX Runtime cannot run here."""

DAMAGED = "check the file and its disk"
"""What to do about a file of a model that cannot be read."""


class Encoder(Protocol):
    """Turns texts into vectors whose dot products measure how close the meanings are."""

    @property
    def name(self) -> str:
        """The model's usual name (``multilingual-e5-small``)."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hex digest of everything that decides the vectors: weights, prompts, pooling.

        An index belongs to one fingerprint.
        """
        ...

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""
        ...

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Encode questions: unit vectors, float32 ``(len(texts), dimension)``."""
        ...

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages or sentences: unit vectors, float32 ``(len(texts), dimension)``."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the model's tokens of each text, without special tokens and prompts."""
        ...


def normalize(vectors: FloatArray) -> FloatArray:
    """Scale ``vectors`` ``(n, d)`` to length 1; zero vectors stay zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return unit


def usable_cores() -> int:
    """Return the number of cores that this process may use: a container may allow it only some."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def document_prompt(prompts: Mapping[str, str | None]) -> str:
    """Return the prompt that a model puts before passages, under any of its usual names.

    sentence-transformers knows these names too, but takes the first that exists, and it always
    adds an empty ``document``.
    """
    names = ("document", "passage", "corpus")
    return next((prompt for name in names if (prompt := prompts.get(name))), "")

"""What every embedding model offers, in sentence-transformers' own terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near they are in meaning."""

    @property
    def name(self) -> str:
        """What people call the model (``multilingual-e5-small``)."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest that changes with anything that changes vectors: weights, prompts, pooling.

        An index belongs to one fingerprint.
        """
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of questions: float32 ``(len(texts), dimension)``, of length 1."""
        ...

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passages or sentences: float32 ``(len(texts), dimension)``, of length 1."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of model tokens of each text, without special tokens and prompts."""
        ...


def normalize(vectors: FloatArray) -> FloatArray:
    """``vectors`` ``(n, d)`` scaled to length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return unit


def document_prompt(prompts: Mapping[str, str | None]) -> str:
    """What a model wants before a passage, by any of the names that models have for it.

    sentence-transformers has these names too, but takes the first that is there, and to it
    ``document`` always is, if only empty.
    """
    names = ("document", "passage", "corpus")
    return next((prompt for name in names if (prompt := prompts.get(name))), "")

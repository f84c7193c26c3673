"""What every embedding model offers, in sentence-transformers' own terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near they are in meaning.

    Attributes:
        name: What people call the model (``multilingual-e5-small``).
        fingerprint: Hex digest that changes with anything that changes vectors: weights, prompts,
            pooling. An index belongs to one fingerprint.
        dimension: Length of a vector.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def dimension(self) -> int: ...

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
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)

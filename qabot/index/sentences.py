"""Sentence vectors in 8 bits.

A vector is rounded to whole numbers, of which the largest is 127. Vectors have length 1, so that
says all of it: what comes back is scaled to length 1. A cosine changes by some 0.0005.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.base import FloatArray

Packed = NDArray[np.int8]
# Rows that are made numbers of four bytes at a time, so that they stay in the processor's cache.
_GROUP = 256
# Up to this size, a file is read whole: some 80,000 sentences, or 9,000 passages.
KEPT_SIZE = 32_000_000
_LARGEST = 127


def pack(vectors: FloatArray) -> Packed:
    """Round vectors, float32 ``(n, dimension)``, to 8 bits."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    scale = np.divide(_LARGEST, largest, out=np.zeros_like(largest), where=largest > 0)
    packed: Packed = np.rint(vectors * scale).astype(np.int8)
    return packed


def unpack(packed: Packed) -> FloatArray:
    """Make unit vectors, float32 ``(n, dimension)``, of what ``pack`` returned."""
    vectors = packed.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= np.where(lengths > 0, lengths, 1)[:, np.newaxis]  # Zero vectors stay zero.
    return vectors


def cosines(packed: Packed, query: FloatArray) -> FloatArray:
    """The cosines of packed vectors and a query of length 1: float32 ``(n,)``."""
    found = np.empty(len(packed), np.float32)
    for at in range(0, len(packed), _GROUP):
        some = packed[at : at + _GROUP].astype(np.float32)
        lengths = np.sqrt(np.vecdot(some, some))
        found[at : at + _GROUP] = some @ query / np.where(lengths > 0, lengths, 1)
    return found

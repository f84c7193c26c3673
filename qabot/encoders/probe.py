"""A question whose vector is known: it tells whether a model still computes what it did.

Checksums tell whether a model's files are the same. This tells whether they give the same numbers:
on this processor, with these libraries, loaded as they are now.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np

from qabot.encoders.base import Encoder, FloatArray

QUESTION = "Who built the old stone bridge?"
# Quantised models round a little differently on other processors. Damage and other models come
# nowhere near this.
_LEAST_COSINE = 0.9


def probe(encoder: Encoder) -> str:
    """The vector of ``QUESTION``, as text: float16 in base 64."""
    vector = encoder.encode_query([QUESTION])[0]
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()


def gives(encoder: Encoder, known: str) -> bool:
    """Check that ``encoder`` gives the vector that ``probe`` wrote as ``known``."""
    now = encoder.encode_query([QUESTION])[0]
    try:
        then: FloatArray = np.frombuffer(base64.b64decode(known), "<f2").astype(np.float32)
    except (binascii.Error, ValueError):
        return False
    if then.shape != now.shape:
        return False
    lengths = float(np.linalg.norm(then) * np.linalg.norm(now))
    # A model that knows no word of the question gives no direction, then as now.
    return float(then @ now) >= _LEAST_COSINE * lengths and bool(then.any()) == bool(now.any())

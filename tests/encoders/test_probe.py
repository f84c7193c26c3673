"""A question whose vector is known: another model, or a damaged one, gives another vector."""

from __future__ import annotations

import numpy as np
import pytest

from qabot.encoders import FloatArray
from qabot.encoders.onnx import OnnxEncoder
from qabot.encoders.probe import QUESTION, gives, probe
from tests.support import HashingEncoder


class Turned(HashingEncoder):
    """Gives the vectors of a ``HashingEncoder``, turned by an angle."""

    def __init__(self, cosine: float) -> None:
        super().__init__()
        self._cosine = cosine

    def encode_query(self, texts):
        vectors: FloatArray = super().encode_query(texts)
        other = np.zeros_like(vectors)
        # A direction in which no vector of the probe points.
        other[:, (vectors == 0).all(axis=0).argmax()] = np.linalg.norm(vectors, axis=1)
        rest = np.float32(np.sqrt(1 - self._cosine**2))
        return np.float32(self._cosine) * vectors + rest * other


class Silent(HashingEncoder):
    """Knows no word."""

    def encode_query(self, texts):
        return np.zeros((len(texts), self.dimension), np.float32)


@pytest.mark.parametrize(("cosine", "same"), [(1.0, True), (0.95, True), (0.85, False), (0, False)])
def test_vectors_may_differ_a_little(cosine: float, same: bool) -> None:
    assert same == gives(Turned(cosine), probe(HashingEncoder()))
    assert same == gives(HashingEncoder(), probe(Turned(cosine)))


def test_a_model_that_knows_no_word_of_it_still_knows_none() -> None:
    assert gives(Silent(), probe(Silent()))
    assert not gives(Silent(), probe(HashingEncoder()))
    assert not gives(HashingEncoder(), probe(Silent()))


@pytest.mark.parametrize("known", ["", "=", "AAAA", "no base 64", "é"])
def test_what_is_no_vector_is_not_given(known: str) -> None:
    assert not gives(HashingEncoder(), known)


def test_the_packaged_model_gives_it_again(e5: OnnxEncoder) -> None:
    assert gives(e5, probe(e5))
    shifted = np.roll(e5.encode_query([QUESTION])[0], 1)
    assert abs(float(shifted @ e5.encode_query([QUESTION])[0])) < 0.9

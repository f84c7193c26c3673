"""Take the language out of vectors, so that a question does not favour its own language.

A multilingual model keeps part of each vector for the language of the text. The vectors of the same
everyday sentences in many languages show which part: the averages of the languages differ by
nothing else. Removing the directions along which they differ is low-rank subtraction (LSAR; Xie et
al., "Discovering Low-rank Subspaces for Language-agnostic Multilingual Representations", EMNLP
2022). Unlike subtracting the mean of a text's language, it needs no language identification and
treats question and article alike, and so costs nothing where both are in one language.

What all texts have in common is subtracted too, in part: this model's vectors lie in a narrow cone,
and cosines spread out once they are centred.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np

from qabot.encoders.base import Encoder, FloatArray, normalize

# Chosen on XQuAD-R as the place where recall within one language and across languages, and mean
# average precision over one pool of languages, are all near their best (benchmarks/retrieval.py).
RANK = 24
COMMON = 0.65

_SAMPLES = "language_samples.tsv"
_ARRAYS = ("query_mean", "document_mean", "basis")

Kind = Literal["question", "statement"]


@dataclass(frozen=True, slots=True)
class LanguageSubspace:
    """What is subtracted from the vectors of one encoder.

    Attributes:
        query_mean: Average over languages of question vectors, float32 ``(dimension,)``.
        document_mean: The same of statements.
        basis: Orthonormal directions of language, float32 ``(rank, dimension)``.
    """

    query_mean: FloatArray
    document_mean: FloatArray
    basis: FloatArray

    def queries(self, vectors: FloatArray) -> FloatArray:
        """Question vectors ``(n, dimension)`` without their language, of length 1."""
        return self._remove(vectors, self.query_mean)

    def documents(self, vectors: FloatArray) -> FloatArray:
        """Passage or sentence vectors ``(n, dimension)`` without their language, of length 1."""
        return self._remove(vectors, self.document_mean)

    def _remove(self, vectors: FloatArray, mean: FloatArray) -> FloatArray:
        centred = vectors - np.float32(COMMON) * mean
        return normalize(centred - (centred @ self.basis.T) @ self.basis)

    def save(self, path: Path) -> None:
        """Write it to ``path`` (NumPy's ``.npz``)."""
        with path.open("wb") as file:
            np.savez(file, **{name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path) -> LanguageSubspace:
        """Read what ``save`` wrote.

        Raises:
            OSError, ValueError, KeyError: It is missing or damaged.
        """
        with np.load(path, allow_pickle=False) as arrays:
            return cls(*(arrays[name] for name in _ARRAYS))


def estimate(encoder: Encoder, encoded: Callable[[int], None] = lambda count: None) -> LanguageSubspace:
    """The subspace of ``encoder``, from the packaged sentences in 31 languages.

    Args:
        encoder: The model; it encodes about 1,500 short sentences.
        encoded: Told how many more are done, as they are.
    """
    means: dict[Kind, list[FloatArray]] = {"question": [], "statement": []}
    for samples in _samples().values():
        for kind, encode in (
            ("question", encoder.encode_query),
            ("statement", encoder.encode_document),
        ):
            means[kind].append(encode(samples[kind]).mean(axis=0))
            encoded(len(samples[kind]))
    questions, statements = np.stack(means["question"]), np.stack(means["statement"])
    query_mean, document_mean = questions.mean(axis=0), statements.mean(axis=0)
    deviations = np.concatenate([questions - query_mean, statements - document_mean])
    directions = np.linalg.svd(deviations, full_matrices=False)[2]
    # A model with few dimensions must keep most of them for the meaning.
    rank = min(RANK, encoder.dimension // 8)
    return LanguageSubspace(query_mean, document_mean, np.ascontiguousarray(directions[:rank]))


def sample_count() -> int:
    """How many sentences ``estimate`` encodes."""
    return sum(len(texts) for samples in _samples().values() for texts in samples.values())


@cache
def version() -> str:
    """Changes with the samples and the constants: vectors of two versions do not mix."""
    content = resources.files("qabot.encoders").joinpath(_SAMPLES).read_bytes()
    return hashlib.sha256(f"{RANK} {COMMON} ".encode() + content).hexdigest()[:16]


def _samples() -> dict[str, dict[Kind, list[str]]]:
    text = resources.files("qabot.encoders").joinpath(_SAMPLES).read_text("utf-8")
    samples: dict[str, dict[Kind, list[str]]] = {}
    for line in text.splitlines():
        if line.startswith(("#", "language\t")):
            continue
        language, kind, _, sentence = line.split("\t")
        known = samples.setdefault(language, {"question": [], "statement": []})
        known["question" if kind == "question" else "statement"].append(sentence)
    return samples


def cached(
    encoder: Encoder, folder: Path, encoded: Callable[[int], None] = lambda count: None
) -> LanguageSubspace:
    """The subspace of ``encoder`` from the cache ``folder``; estimated and kept where it is missing."""
    path = folder / f"language-subspace-{encoder.fingerprint[:16]}-{version()}.npz"
    try:
        return LanguageSubspace.load(path)
    except (OSError, ValueError, KeyError):
        subspace = estimate(encoder, encoded)
    # A cache that cannot be written costs some seconds the next time, and nothing else.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        work = path.with_suffix(f".{os.getpid()}.tmp")
        subspace.save(work)
        work.replace(path)
    return subspace

"""Take the language out of vectors, so that a question does not favour its own language.

A multilingual model keeps part of each vector for the language of the text. The vectors of the same
everyday sentences in many languages show which part: the averages of the languages differ by
nothing else. Removing the directions along which they differ is low-rank subtraction (LSAR; Xie et
al., "Discovering Low-rank Subspaces for Language-agnostic Multilingual Representations", EMNLP
2022). Unlike subtracting the mean of a text's language, it needs no language identification and
treats question and article alike, and so costs nothing where both are in one language.

The directions that are removed say which language a text is in, nearly always rightly: the nearest
average is its language.

What all texts have in common is subtracted too, in part: this model's vectors lie in a narrow cone,
and cosines spread out once they are centred.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.base import Encoder, FloatArray, normalize

# Chosen on XQuAD-R as the place where recall within one language and across languages, and mean
# average precision over one pool of languages, are all near their best (benchmarks/retrieval.py).
RANK = 24
COMMON = 0.65

_SAMPLES = "language_samples.tsv"
_ARRAYS = ("query_mean", "document_mean", "basis", "languages", "centres")
# Part of the version: raise it with any change to what is stored.
_LAYOUT = 3

Kind = Literal["question", "statement"]


@dataclass(frozen=True, slots=True)
class LanguageSubspace:
    """What is subtracted from the vectors of one encoder.

    Attributes:
        query_mean: Average over languages of question vectors, float32 ``(dimension,)``.
        document_mean: The same of statements.
        basis: Orthonormal directions of language, float32 ``(rank, dimension)``.
        languages: ISO 639-1 codes, an array of text ``(languages,)``.
        centres: Where each language's questions lie along the basis, float32
            ``(languages, rank)``.
    """

    query_mean: FloatArray
    document_mean: FloatArray
    basis: FloatArray
    languages: NDArray[np.str_]
    centres: FloatArray

    def queries(self, vectors: FloatArray) -> FloatArray:
        """Question vectors ``(n, dimension)`` without their language, of length 1."""
        return self._remove(vectors, self.query_mean)

    def documents(self, vectors: FloatArray) -> FloatArray:
        """Passage or sentence vectors ``(n, dimension)`` without their language, of length 1."""
        return self._remove(vectors, self.document_mean)

    def language(self, query: FloatArray) -> str | None:
        """The language of one question, from its vector ``(dimension,)`` as the model made it.

        Returns:
            ISO 639-1 code of the nearest of ``languages``; ``None`` where there are none, or no
            directions to tell them by.
        """
        if not self.centres.size:
            return None
        place = self.basis @ (query - self.query_mean)
        return str(self.languages[np.square(self.centres - place).sum(axis=1).argmin()])

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
            OSError, ValueError: It is missing or damaged.
        """
        try:
            # Opened here: np.load would leave a file open that is no whole archive.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                subspace = cls(*(arrays[name] for name in _ARRAYS))
        except OSError:
            raise
        except Exception as error:  # zipfile and NumPy raise a dozen kinds of it.
            raise ValueError(f"no language subspace: {error}") from error
        shapes = {subspace.query_mean.shape, subspace.document_mean.shape, subspace.basis.shape[1:]}
        centres = (*subspace.languages.shape, *subspace.basis.shape[:1])
        if len(shapes) > 1 or centres != subspace.centres.shape:
            raise ValueError("no language subspace: its arrays do not fit together")
        return subspace


def estimate(
    encoder: Encoder, encoded: Callable[[int], None] = lambda count: None
) -> LanguageSubspace:
    """The subspace of ``encoder``, from the packaged sentences in 31 languages.

    Args:
        encoder: The model; it encodes about 1,500 short sentences.
        encoded: Told how many more are done, as they are.
    """
    encoders: dict[Kind, Callable[[Sequence[str]], FloatArray]] = {
        "question": encoder.encode_query,
        "statement": encoder.encode_document,
    }
    means: dict[Kind, list[FloatArray]] = {"question": [], "statement": []}
    languages = samples()
    for texts in languages.values():
        for kind, encode in encoders.items():
            means[kind].append(encode(texts[kind]).mean(axis=0))
            encoded(len(texts[kind]))
    questions, statements = np.stack(means["question"]), np.stack(means["statement"])
    query_mean, document_mean = questions.mean(axis=0), statements.mean(axis=0)
    deviations = np.concatenate([questions - query_mean, statements - document_mean])
    directions = np.linalg.svd(deviations, full_matrices=False)[2]
    # A model with few dimensions must keep most of them for the meaning.
    rank = min(RANK, encoder.dimension // 8)
    basis = np.ascontiguousarray(directions[:rank])
    return LanguageSubspace(
        query_mean=query_mean,
        document_mean=document_mean,
        basis=basis,
        languages=np.array(list(languages)),
        centres=(questions - query_mean) @ basis.T,
    )


def sample_count() -> int:
    """How many sentences ``estimate`` encodes."""
    return sum(len(texts) for kinds in samples().values() for texts in kinds.values())


@cache
def version() -> str:
    """Changes with the samples and the constants: vectors of two versions do not mix."""
    content = resources.files("qabot.encoders").joinpath(_SAMPLES).read_bytes()
    return hashlib.sha256(f"{_LAYOUT} {RANK} {COMMON} ".encode() + content).hexdigest()[:16]


def samples() -> dict[str, dict[Kind, list[str]]]:
    """Language → kind → the packaged sentences, parallel in all languages."""
    text = resources.files("qabot.encoders").joinpath(_SAMPLES).read_text("utf-8")
    found: dict[str, dict[Kind, list[str]]] = {}
    for line in text.splitlines():
        if line.startswith(("#", "language\t")):
            continue
        language, kind, _, sentence = line.split("\t")
        known = found.setdefault(language, {"question": [], "statement": []})
        known["question" if kind == "question" else "statement"].append(sentence)
    return found


def cached(
    encoder: Encoder, folder: Path, encoded: Callable[[int], None] = lambda count: None
) -> LanguageSubspace:
    """The subspace of ``encoder`` from the cache ``folder``; where missing, estimated and kept."""
    path = folder / f"language-subspace-{encoder.fingerprint[:16]}-{version()}.npz"
    try:
        return LanguageSubspace.load(path)
    except (OSError, ValueError):
        subspace = estimate(encoder, encoded)
    # A cache that cannot be written costs some seconds the next time, and nothing else.
    work = path.with_suffix(f".{os.getpid()}.tmp")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subspace.save(work)
            work.replace(path)
        finally:
            work.unlink(missing_ok=True)
    return subspace

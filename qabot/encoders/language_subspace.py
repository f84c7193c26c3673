"""Remove the language from vectors, so that a question does not favour its own language.

Part of a multilingual model's vector encodes the language of the text. The same everyday sentences
in many languages show which part: the averages per language differ in nothing else. Removing the
directions in which they differ is low-rank subtraction (LSAR; Xie et al., "Discovering Low-rank
Subspaces for Language-agnostic Multilingual Representations", EMNLP 2022). Unlike subtracting the
mean of a text's language, it needs no language identification, and treats question and article
alike, so it costs nothing if both are in one language.

The removed directions also identify the language of a text: its average is the nearest, nearly
always.

Part of the overall mean is subtracted as well: this model's vectors lie in a narrow cone, and
centring spreads their cosines.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.base import Encoder, FloatArray, normalize
from qabot.files import read_regular

# Chosen on XQuAD-R: recall within a language, recall across languages, and mean average precision
# over a pool of all languages are all near their best (benchmarks/retrieval.py).
RANK = 24
COMMON = 0.65

_SAMPLES = "language_samples.tsv"
_ARRAYS = ("query_mean", "document_mean", "basis", "languages", "centres")
# Part of the version: raise it when the stored arrays change.
_LAYOUT = 3

Kind = Literal["question", "statement"]


@dataclass(frozen=True, slots=True)
class LanguageSubspace:
    """The means and directions to subtract from the vectors of one encoder.

    Attributes:
        query_mean: The mean over languages of question vectors, float32 ``(dimension,)``.
        document_mean: The same for statements.
        basis: Orthonormal directions that encode language, float32 ``(rank, dimension)``.
        languages: ISO 639-1 codes, an array of text ``(languages,)``.
        centres: The mean of each language's questions in the basis, float32
            ``(languages, rank)``.
    """

    query_mean: FloatArray
    document_mean: FloatArray
    basis: FloatArray
    languages: NDArray[np.str_]
    centres: FloatArray

    def queries(self, vectors: FloatArray) -> FloatArray:
        """Remove the language from question vectors ``(n, dimension)``; unit vectors."""
        return self._remove(vectors, self.query_mean)

    def documents(self, vectors: FloatArray) -> FloatArray:
        """Remove the language from passage or sentence vectors ``(n, dimension)``; unit vectors."""
        return self._remove(vectors, self.document_mean)

    def language(self, query: FloatArray) -> str | None:
        """Identify the language of a question from the model's own vector ``(dimension,)``.

        Returns:
            The ISO 639-1 code of the nearest of ``languages``; ``None`` if there are no languages
            or no directions.
        """
        if not self.centres.size:
            return None
        place = self.basis @ (query - self.query_mean)
        return str(self.languages[np.square(self.centres - place).sum(axis=1).argmin()])

    def _remove(self, vectors: FloatArray, mean: FloatArray) -> FloatArray:
        centred = vectors - np.float32(COMMON) * mean
        return normalize(centred - (centred @ self.basis.T) @ self.basis)

    def save(self, path: Path | BinaryIO) -> None:
        """Write it to a file (NumPy's ``.npz``)."""
        with path.open("wb") if isinstance(path, Path) else nullcontext(path) as file:
            np.savez(file, **{name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path | BinaryIO) -> LanguageSubspace:
        """Read what ``save`` wrote.

        Raises:
            OSError, ValueError: The file is missing or damaged.
        """
        try:
            # Read here: np.load would leave a truncated archive open.
            file = io.BytesIO(read_regular(path)) if isinstance(path, Path) else path
            with np.load(file, allow_pickle=False) as arrays:
                subspace = cls(*(arrays[name] for name in _ARRAYS))
        except OSError:
            raise
        except Exception as error:  # zipfile and NumPy raise a dozen kinds of errors.
            raise ValueError(f"no language subspace: {error}") from error
        shapes = {subspace.query_mean.shape, subspace.document_mean.shape, subspace.basis.shape[1:]}
        centres = (*subspace.languages.shape, *subspace.basis.shape[:1])
        if len(shapes) > 1 or centres != subspace.centres.shape:
            raise ValueError("no language subspace: its arrays do not fit together")
        return subspace


def estimate(
    encoder: Encoder, encoded: Callable[[int], None] = lambda count: None
) -> LanguageSubspace:
    """Estimate the subspace of ``encoder`` from the packaged sentences in 31 languages.

    Args:
        encoder: Encodes about 1,500 short sentences.
        encoded: Called with the number of sentences just encoded.
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
    # A model with few dimensions needs most of them for the meaning.
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
    """Count the sentences that ``estimate`` encodes."""
    return sum(len(texts) for kinds in samples().values() for texts in kinds.values())


@cache
def version() -> str:
    """Hash the samples and constants: vectors of two versions must not be mixed."""
    content = resources.files("qabot.encoders").joinpath(_SAMPLES).read_bytes()
    return hashlib.sha256(f"{_LAYOUT} {RANK} {COMMON} ".encode() + content).hexdigest()[:16]


def samples() -> dict[str, dict[Kind, list[str]]]:
    """Read the packaged sentences, parallel in all languages: language → kind → sentences."""
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
    """Load the subspace of ``encoder`` from the cache ``folder``, or estimate and store it."""
    path = folder / f"language-subspace-{encoder.fingerprint[:16]}-{version()}.npz"
    try:
        return LanguageSubspace.load(path)
    except (OSError, ValueError):
        subspace = estimate(encoder, encoded)
    # If the cache cannot be written, the next call takes some seconds again.
    work = path.with_suffix(f".{os.getpid()}.tmp")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subspace.save(work)
            work.replace(path)
        finally:
            work.unlink(missing_ok=True)
    return subspace

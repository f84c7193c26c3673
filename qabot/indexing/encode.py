"""Encode new passages and their sentences, and copy the vectors of unchanged ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qabot.encoders import Encoder, FloatArray
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.index import Generation, GenerationWriter, write_vectors
from qabot.index import manifest as files
from qabot.index.vectors import RowArray
from qabot.indexing.encoding_plan import NEW, EncodingPlan, passage_input
from qabot.indexing.summary import Progress, Report

# Texts go to the encoder in groups of this size, so that progress shows and memory stays bounded.
_GROUP = 32 * (os.cpu_count() or 2)


@dataclass(frozen=True, slots=True)
class _Job:
    """A text to encode.

    Attributes:
        row: Where its vector belongs, in the passages' or in the sentences' array.
        whole: The text is a passage, not a sentence.
    """

    text: str
    row: int
    whole: bool


def write_encodings(
    writer: GenerationWriter,
    plan: EncodingPlan,
    old: Generation | None,
    *,
    encoder: Encoder,
    subspace: LanguageSubspace,
    report: Report,
) -> int:
    """Write the vectors of all passages and sentences; return the number of sentences.

    Args:
        old: The generation whose vectors are reused.
        subspace: What is taken out of every new vector.
    """
    origins = plan.origins
    bounds = _sentence_bounds(plan, old)
    np.save(writer.folder / files.SENTENCE_ROWS, bounds)
    vectors = np.zeros((plan.count, encoder.dimension), np.float32)
    sentences = writer.sentence_file(int(bounds[-1]), encoder.dimension)
    kept = np.flatnonzero(origins != NEW)
    if old and kept.size:
        vectors[kept] = old.vectors.vectors(origins[kept])
        for new, row, count in _runs(kept, origins[kept]):
            begin, end = old.sentence_rows[row], old.sentence_rows[row + count]
            sentences[bounds[new] : bounds[new + count]] = old.sentences[begin:end]
    for group, encoded in _encoded_groups(_jobs(plan, bounds), encoder, subspace, report):
        for job, vector in zip(group, encoded, strict=True):
            (vectors if job.whole else sentences)[job.row] = vector
    if isinstance(sentences, np.memmap):
        sentences.flush()
    write_vectors(writer.folder / files.VECTORS, vectors)
    return int(bounds[-1])


def _sentence_bounds(plan: EncodingPlan, old: Generation | None) -> NDArray[np.int64]:
    """The first sentence of each passage, and the number of all: shape ``(passages + 1,)``."""
    origins = plan.origins
    counts = np.zeros(plan.count, np.int64)
    if old:
        kept = np.flatnonzero(origins != NEW)
        counts[kept] = np.diff(old.sentence_rows)[origins[kept]]
    for row, _, passage in plan.missing():
        counts[row] = len(passage.sentences)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _jobs(plan: EncodingPlan, bounds: NDArray[np.int64]) -> list[_Job]:
    jobs: list[_Job] = []
    for row, title, passage in plan.missing():
        jobs.append(_Job(passage_input(title, passage), row, whole=True))
        jobs += [
            _Job(passage.text[start:end], int(bounds[row]) + number, whole=False)
            for number, (start, end) in enumerate(passage.sentences)
        ]
    return jobs


def _runs(rows: RowArray, origins: RowArray) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of rows that are consecutive in both arrays: row, origin, length."""
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(origins) != 1)) + 1
    edges = [0, *breaks.tolist(), len(rows)]
    for first, stop in pairwise(edges):
        yield int(rows[first]), int(origins[first]), stop - first


def _encoded_groups(
    jobs: list[_Job], encoder: Encoder, subspace: LanguageSubspace, report: Report
) -> Iterator[tuple[list[_Job], FloatArray]]:
    """Encode texts of similar length together, longest first; progress counts characters."""
    if not jobs:
        return
    jobs.sort(key=lambda job: len(job.text), reverse=True)
    total, done, passages = sum(len(job.text) for job in jobs), 0, 0
    for start in range(0, len(jobs), _GROUP):
        report(Progress("encoding", done, total, passages))
        group = jobs[start : start + _GROUP]
        yield group, subspace.documents(encoder.encode_document([job.text for job in group]))
        done += sum(len(job.text) for job in group)
        passages += sum(job.whole for job in group)
    report(Progress("encoding", total, total, passages))

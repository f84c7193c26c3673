"""Encode new passages and their sentences, and copy the vectors of unchanged ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qabot.encoders import Encoder, FloatArray
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.index import Generation, SegmentWriter, write_vectors
from qabot.index import manifest as files
from qabot.index.vectors import RowArray
from qabot.indexing.encoding_plan import NEW, EncodingPlan, SegmentPlan, passage_input
from qabot.indexing.summary import Progress, Report
from qabot.types import ArticleInfo, Passage

# Texts go to the encoder in groups of this size, so that progress shows and memory stays bounded.
_GROUP = 32 * (os.cpu_count() or 2)
# Passages whose vectors are copied at a time, for the same reason.
_COPIED = 1000


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


class Encoding:
    """Encodes the segments of one generation, one after the other.

    Args:
        old: The generation whose vectors are reused.
        subspace: What is taken out of every new vector.
        report: Called with the progress, which counts the characters of all segments.
    """

    def __init__(
        self,
        plan: EncodingPlan,
        old: Generation | None,
        *,
        encoder: Encoder,
        subspace: LanguageSubspace,
        report: Report,
    ) -> None:
        self._old = old
        self._encoder, self._subspace = encoder, subspace
        self._report = report
        self._total = sum(
            len(text)
            for segment in plan.written
            for _, info, passage in segment.missing()
            for text in _texts(info, passage)
        )
        self._done = self._passages = 0

    def write(self, writer: SegmentWriter, plan: SegmentPlan) -> int:
        """Write the vectors of a segment's passages and sentences; return how many sentences."""
        origins, old, dimension = plan.origins, self._old, self._encoder.dimension
        bounds = _sentence_bounds(plan, old)
        np.save(writer.folder / files.SENTENCE_ROWS, bounds)
        vectors = np.zeros((plan.count, dimension), np.float32)
        sentences = writer.sentence_file(int(bounds[-1]), dimension)
        if old:
            _copy(old, origins, vectors, sentences, bounds)
        for group, encoded in self._encoded(_jobs(plan, bounds)):
            for job, vector in zip(group, encoded, strict=True):
                (vectors if job.whole else sentences)[job.row] = vector
        if isinstance(sentences, np.memmap):
            sentences.flush()
        write_vectors(writer.folder / files.VECTORS, vectors)
        return int(bounds[-1])

    def _encoded(self, jobs: list[_Job]) -> Iterator[tuple[list[_Job], FloatArray]]:
        """Encode texts of similar length together, longest first."""
        jobs.sort(key=lambda job: len(job.text), reverse=True)
        for start in range(0, len(jobs), _GROUP):
            self._tell()
            group = jobs[start : start + _GROUP]
            texts = [job.text for job in group]
            yield group, self._subspace.documents(self._encoder.encode_document(texts))
            self._done += sum(map(len, texts))
            self._passages += sum(job.whole for job in group)
        if jobs:
            self._tell()

    def _tell(self) -> None:
        self._report(Progress("encoding", self._done, self._total, self._passages))


def _copy(
    old: Generation,
    origins: RowArray,
    vectors: FloatArray,
    sentences: NDArray[np.float16],
    bounds: RowArray,
) -> None:
    """Copy the vectors of the passages that have an origin."""
    kept = np.flatnonzero(origins != NEW)
    for at in range(0, len(kept), _COPIED):
        some = kept[at : at + _COPIED]
        vectors[some] = old.vectors.vectors(origins[some])
        found, starts = old.sentences.of(origins[some])
        for place, row in enumerate(some.tolist()):
            sentences[bounds[row] : bounds[row + 1]] = found[starts[place] : starts[place + 1]]


def _sentence_bounds(plan: SegmentPlan, old: Generation | None) -> RowArray:
    """The first sentence of each passage, and the number of all: shape ``(passages + 1,)``."""
    origins = plan.origins
    counts = np.zeros(plan.count, np.int64)
    if old:
        kept = np.flatnonzero(origins != NEW)
        counts[kept] = old.sentences.counts(origins[kept])
    for row, _, passage in plan.missing():
        counts[row] = len(passage.sentences)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _texts(info: ArticleInfo, passage: Passage) -> list[str]:
    """The texts of a passage to encode: itself first, then its sentences."""
    sentences = [passage.text[start:end] for start, end in passage.sentences]
    return [passage_input(info.title, passage), *sentences]


def _jobs(plan: SegmentPlan, bounds: RowArray) -> list[_Job]:
    jobs: list[_Job] = []
    for row, info, passage in plan.missing():
        whole, *sentences = _texts(info, passage)
        jobs.append(_Job(whole, row, whole=True))
        first = int(bounds[row])
        jobs += [_Job(text, place, whole=False) for place, text in enumerate(sentences, first)]
    return jobs

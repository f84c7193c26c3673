"""Encode new passages and their sentences, and copy the vectors of unchanged ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from qabot.encoders import Encoder, FloatArray
from qabot.encoders.base import usable_cores
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.encoders.workers import Workers
from qabot.index import EncodedTexts, Generation, SegmentWriter
from qabot.index import manifest as files
from qabot.index.sentences import Packed, pack
from qabot.index.vectors import HalfArray, Mask, RowArray
from qabot.indexing.encoding_plan import NEW, EncodingPlan, SegmentPlan, passage_input
from qabot.indexing.summary import Progress, Report
from qabot.types import ArticleInfo, Passage

# Texts go to the encoder in groups of this size, so that progress shows and memory stays bounded.
GROUP = 32 * usable_cores()
# Passages whose vectors are copied at a time, and texts whose tokens are counted, for that reason.
_COPIED, _COUNTED = 1000, 1000


class Encoding:
    """Encodes the segments of one generation, one after the other.

    Args:
        old: The generation whose vectors are reused.
        subspace: What is taken out of every new vector.
        encoded: What a killed rebuild has encoded; takes in what this one encodes.
        report: Called with the progress, which counts the characters of all segments.
        workers: Encode all of it beforehand, on other machines.

    Attributes:
        resumed: The number of passages that a killed rebuild had encoded.

    Raises:
        EncoderError: The workers cannot encode.
    """

    def __init__(
        self,
        plan: EncodingPlan,
        old: Generation | None,
        *,
        encoder: Encoder,
        subspace: LanguageSubspace,
        encoded: EncodedTexts,
        report: Report,
        workers: Workers | None = None,
    ) -> None:
        self._old = old
        self._encoder, self._subspace, self._encoded = encoder, subspace, encoded
        self._report = report
        self._total = sum(
            len(text)
            for segment in plan.written
            for _, info, passage in segment.missing()
            for text in texts_of(info, passage)
        )
        self._done = self._passages = self.resumed = 0
        # What others have encoded beforehand counts then, not when it is written.
        self._ahead = Progress("encoding", 0, self._total)
        if workers and plan.encoded:
            self._encode_ahead(plan, workers)

    def _encode_ahead(self, plan: EncodingPlan, workers: Workers) -> None:
        """Encode all new texts elsewhere, in the groups in which they would be encoded here."""
        wholes: Counter[str] = Counter()
        often: Counter[str] = Counter()
        for segment in plan.written:
            for _, info, passage in segment.missing():
                texts = texts_of(info, passage)
                wholes[texts[0]] += 1
                often.update(texts)
        groups: list[list[str]] = []
        for group in _groups(self._longest_first(list(often))):
            known = self._encoded.find(group)
            self._count_ahead([group[place] for place in known], often, wholes)
            self.resumed += sum(wholes[group[place]] for place in known)
            if new := [text for place, text in enumerate(group) if place not in known]:
                groups.append(new)
        for place, vectors in workers.encode(self._encoder, groups):
            self._encoded.add(groups[place], self._subspace.documents(vectors).astype(np.float16))
            self._count_ahead(groups[place], often, wholes)
        self._encoded.flush()

    def _count_ahead(self, texts: list[str], often: Counter[str], wholes: Counter[str]) -> None:
        done = self._ahead.done + sum(len(text) * often[text] for text in texts)
        passages = self._ahead.passages + sum(wholes[text] for text in texts)
        self._ahead = replace(self._ahead, done=done, passages=passages)
        self._tell()

    def write(self, writer: SegmentWriter, plan: SegmentPlan) -> int:
        """Write the vectors of a segment's passages and sentences; return how many sentences."""
        origins, old, dimension = plan.origins, self._old, self._encoder.dimension
        bounds = _sentence_bounds(plan, old)
        np.save(writer.folder / files.SENTENCE_ROWS, bounds)
        vectors = np.zeros((plan.count, dimension), np.float16)
        sentences = writer.sentence_file(int(bounds[-1]), dimension)
        if old:
            _copy(old, origins, vectors, sentences, bounds)
        self._encode(plan, bounds, vectors, sentences)
        if isinstance(sentences, np.memmap):
            sentences.flush()
        writer.write_vectors(vectors)
        return int(bounds[-1])

    def _encode(
        self, plan: SegmentPlan, bounds: RowArray, vectors: HalfArray, sentences: Packed
    ) -> None:
        """Encode texts of similar length together, longest first; each distinct text once."""
        texts, of_passages, of_sentences = self._distinct(plan, bounds)
        for start in range(0, len(texts), GROUP):
            self._tell()
            group = texts[start : start + GROUP]
            found, known = self.vectors(group)
            # As they would come back from the file of encoded texts, in any case.
            packed = pack(found.astype(np.float32))
            rows, which = of_passages.having(start, start + len(group))
            vectors[rows] = found[which]
            self._passages += len(rows)
            self._resume(int(known[which].sum()))
            self._done += sum(len(group[place]) for place in which.tolist())
            rows, which = of_sentences.having(start, start + len(group))
            sentences[rows] = packed[which]
            self._done += sum(len(group[place]) for place in which.tolist())
        if texts:
            self._tell()

    def _distinct(
        self, plan: SegmentPlan, bounds: RowArray
    ) -> tuple[list[str], _Numbers, _Numbers]:
        """Collect the texts to encode, longest first; numbers of passages', and of sentences'."""
        numbers: dict[str, int] = {}
        passages, sentences = np.full(plan.count, NEW), np.full(int(bounds[-1]), NEW)
        for row, info, passage in plan.missing():
            whole, *parts = [
                numbers.setdefault(text, len(numbers)) for text in texts_of(info, passage)
            ]
            passages[row] = whole
            sentences[bounds[row] : bounds[row + 1]] = parts
        texts = self._longest_first(list(numbers))
        place = np.empty(len(texts) + 1, np.int64)
        place[[numbers[text] for text in texts]], place[NEW] = np.arange(len(texts)), NEW
        return texts, _Numbers(place[passages]), _Numbers(place[sentences])

    def _longest_first(self, texts: list[str]) -> list[str]:
        """Sort by tokens: by characters, scripts would mix, and a fifth of a group be padding."""
        counts: list[int] = []
        for start in range(0, len(texts), _COUNTED):
            counts += self._encoder.count_tokens(texts[start : start + _COUNTED])
        order = sorted(range(len(texts)), key=counts.__getitem__, reverse=True)
        return [texts[place] for place in order]

    def vectors(self, texts: list[str]) -> tuple[HalfArray, Mask]:
        """The vectors of texts, and which of them were known."""
        found = np.empty((len(texts), self._encoder.dimension), np.float16)
        known = np.zeros(len(texts), np.bool_)
        for place, vector in self._encoded.find(texts).items():
            found[place], known[place] = vector, True
        new = [text for text, is_known in zip(texts, known, strict=True) if not is_known]
        if new:
            encoded = self._subspace.documents(self._encoder.encode_document(new))
            found[~known] = encoded
            self._encoded.add(new, found[~known])
        return found, known

    def passages(self, passages: list[list[str]]) -> list[FloatArray]:
        """Encode passages that are kept elsewhere than in a segment.

        Args:
            passages: For each its text, and those of its sentences (``texts_of``).

        Returns:
            The vectors of each: float32 ``(1 + sentences, dimension)``.
        """
        if not passages:
            return []
        wholes = Counter(texts[0] for texts in passages)
        often = Counter(text for texts in passages for text in texts)
        texts = self._longest_first(list(often))
        made: dict[str, HalfArray] = {}
        for group in _groups(texts):
            self._tell()
            found, known = self.vectors(group)
            made |= zip(group, found, strict=True)
            self._done += sum(len(text) * often[text] for text in group)
            self._passages += sum(wholes[text] for text in group)
            self._resume(sum(wholes[group[place]] for place in np.flatnonzero(known)))
        self._tell()
        return [np.array([made[text] for text in own], np.float32) for own in passages]

    def _tell(self) -> None:
        done = max(self._done, self._ahead.done)
        passages = max(self._passages, self._ahead.passages)
        self._report(Progress("encoding", done, self._total, passages))

    def _resume(self, passages: int) -> None:
        """Count passages that a killed rebuild had encoded."""
        if not self._ahead.done:
            self.resumed += passages


def _groups(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), GROUP):
        yield texts[start : start + GROUP]


class _Numbers:
    """The numbers of texts, by row; finds the rows of texts."""

    def __init__(self, numbers: RowArray) -> None:
        self._rows = np.argsort(numbers, kind="stable")
        self._rising = numbers[self._rows]

    def having(self, first: int, stop: int) -> tuple[RowArray, RowArray]:
        """The rows of texts from ``first`` to ``stop``, and each one's number from ``first`` on."""
        begin, end = self._rising.searchsorted([first, stop])
        return self._rows[begin:end], self._rising[begin:end] - first


def _copy(
    old: Generation, origins: RowArray, vectors: HalfArray, sentences: Packed, bounds: RowArray
) -> None:
    """Copy the vectors of the passages that have an origin."""
    kept = np.flatnonzero(origins != NEW)
    for at in range(0, len(kept), _COPIED):
        some = kept[at : at + _COPIED]
        vectors[some] = old.stored_vectors(origins[some])
        found, starts = old.sentences.packed(origins[some])
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


def texts_of(info: ArticleInfo, passage: Passage) -> list[str]:
    """The texts of a passage to encode: itself first, then its sentences."""
    sentences = [passage.text[start:end] for start, end in passage.sentences]
    return [passage_input(info.title, passage), *sentences]

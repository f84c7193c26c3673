"""Write a new generation: vectors, articles, words and manifest."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from qabot.encoders import Encoder, language_subspace
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.encoders.probe import gives, probe
from qabot.encoders.workers import Workers
from qabot.errors import IndexMismatchError
from qabot.index import (
    AnyGeneration,
    EncodedTexts,
    EncoderStamp,
    Generation,
    GenerationWriter,
    Manifest,
    SegmentStamp,
    SegmentWriter,
    StoredArticle,
    write_database,
    write_lexical,
)
from qabot.index import manifest as files
from qabot.index.manifest import stamps
from qabot.index.vectors import RowArray
from qabot.indexing.collect import Collected
from qabot.indexing.encode import Encoding
from qabot.indexing.encoding_plan import NEW, EncodingPlan, SegmentPlan, passage_input, size_of
from qabot.indexing.passages import CHUNKER_VERSION
from qabot.indexing.summary import Progress, Report

_STEPS = 2


def stamp(encoder: Encoder) -> EncoderStamp:
    """Describe an encoder as the manifest of an index does."""
    return EncoderStamp(
        encoder.name, encoder.fingerprint, encoder.dimension, language_subspace.version()
    )


def write_generation(
    writer: GenerationWriter,
    plan: EncodingPlan,
    old: Generation | None,
    collected: Collected,
    *,
    encoder: Encoder,
    cache: Path,
    report: Report,
    workers: Workers | None = None,
) -> int:
    """Write the next generation and publish it.

    Returns:
        How many passages a killed rebuild had encoded.

    Args:
        old: The live generation, if its vectors can be reused.
        cache: Folder where the language subspace is kept between indexes.

    Raises:
        IndexMismatchError: The encoder gives other vectors than those that would be reused.
    """
    known = probe_of(encoder, plan, old)
    if old:
        _compare(old, plan)
    subspace = subspace_of(encoder, old, cache, report)
    subspace.save(writer.folder / files.SUBSPACE)
    segments = list(plan.kept)
    steps = _STEPS * len(plan.written) + 1
    kept = EncodedTexts(writer.index, stamp_of_vectors(encoder, known, subspace))
    with contextlib.closing(kept):
        encoding = Encoding(
            plan,
            old,
            encoder=encoder,
            subspace=subspace,
            encoded=kept,
            report=report,
            workers=workers,
        )
        for segment in plan.written:
            begin = _STEPS * (len(segments) - len(plan.kept))

            def tell(done: int, begin: int = begin) -> None:
                report(Progress("writing", begin + done, steps))

            segments.append(_write_segment(writer.segment(), segment, old, encoding, tell))
    manifest = manifest_of(writer.number, plan, collected, encoder, known)
    own = stamps(writer.folder, files.FILES)
    writer.publish(replace(manifest, files=own, segments=tuple(segments)))
    report(Progress("writing", steps, steps))
    return encoding.resumed


def manifest_of(
    number: int, plan: EncodingPlan, collected: Collected, encoder: Encoder, known: str
) -> Manifest:
    """Describe generation ``number``, without files and segments.

    Args:
        known: The vector of a known question.
    """
    return Manifest(
        generation=number,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        sources=collected.sources,
        collections=collected.collections,
        encoder=stamp(encoder),
        chunker=CHUNKER_VERSION,
        readers=collected.readers,
        articles=plan.articles,
        passages=plan.passages,
        languages=dict(sorted(Counter(info.language for info in collected.infos).items())),
        files={},
        segments=(),
        probe=known,
    )


def stamp_of_vectors(encoder: Encoder, known: str, subspace: LanguageSubspace) -> str:
    """Name all that decides the vectors that are written."""
    digest = hashlib.sha256(json.dumps([asdict(stamp(encoder)), known]).encode())
    for removed in (subspace.document_mean, subspace.basis):
        digest.update(removed.tobytes())
    return digest.hexdigest()


def _write_segment(
    writer: SegmentWriter,
    plan: SegmentPlan,
    old: Generation | None,
    encoding: Encoding,
    report: Callable[[int], None],
) -> SegmentStamp:
    """Write a segment.

    Args:
        report: Called with the number of steps done.
    """
    sentences = encoding.write(writer, plan)
    report(0)
    before = [segment.folder for segment in old.segments] if old else []
    databases = {place: folder / files.DATABASE for place, folder in enumerate(before)}
    write_database(writer.folder / files.DATABASE, plan.articles, databases)
    report(1)
    _write_words(writer.folder / files.LEXICAL, plan, old)
    report(2)
    return writer.stamp(articles=len(plan.articles), passages=plan.count, sentences=sentences)


def _write_words(path: Path, plan: SegmentPlan, old: Generation | None) -> None:
    """Write the lexical index of a segment; words of unchanged articles are taken over."""
    moved: dict[int, RowArray] = {}
    row = 0
    for item in plan.articles:
        if isinstance(item, StoredArticle) and old:
            held = old.segments[item.segment].stamp.passages
            rows = moved.setdefault(item.segment, np.full(held, -1))
            rows[item.first : item.first + item.count] = np.arange(row, row + item.count)
        row += size_of(item)
    texts = (
        (row, info.language, passage_input(info.title, passage))
        for row, info, passage in plan.written()
    )
    taken = [
        (old.segments[place].folder / files.LEXICAL, rows) for place, rows in moved.items() if old
    ]
    write_lexical(path, texts, plan.count, taken)


def _compare(old: Generation, plan: EncodingPlan) -> None:
    """Compare every byte that will be copied: damage would get a checksum that fits it."""
    places: set[int] = set()
    for segment in plan.written:
        places |= {item.segment for item in segment.articles if isinstance(item, StoredArticle)}
        places |= old.places(segment.origins[segment.origins != NEW])
    for place in places:
        old.segments[place].compare()


def probe_of(encoder: Encoder, plan: EncodingPlan, old: AnyGeneration | None) -> str:
    """The vector of a known question; checked, if new vectors will stand beside reused ones."""
    if old is None:
        return probe(encoder)
    if plan.encoded and not gives(encoder, old.manifest.probe):
        raise IndexMismatchError(
            f"{old.place}: {encoder.name} gives other vectors now than when the index was made; "
            "run `qabot rebuild --full`"
        )
    return old.manifest.probe


def subspace_of(
    encoder: Encoder, old: AnyGeneration | None, cache: Path, report: Report
) -> LanguageSubspace:
    """Take over the language subspace, or estimate it."""
    if old:
        return old.subspace
    done, total = 0, language_subspace.sample_count()

    def encoded(count: int) -> None:
        nonlocal done
        done += count
        report(Progress("preparing", done, total))

    return language_subspace.cached(encoder, cache, encoded)

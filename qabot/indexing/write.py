"""Write a new generation: vectors, articles, words and manifest."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from qabot.encoders import Encoder, language_subspace
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.encoders.probe import gives, probe
from qabot.errors import DamagedIndexError, IndexMismatchError
from qabot.index import (
    Database,
    EncoderStamp,
    Generation,
    GenerationWriter,
    Manifest,
    write_database,
    write_lexical,
)
from qabot.index import manifest as files
from qabot.indexing.collect import Collected
from qabot.indexing.encode import write_encodings
from qabot.indexing.encoding_plan import EncodingPlan, passage_input
from qabot.indexing.passages import CHUNKER_VERSION
from qabot.indexing.summary import Progress, Report

_STEPS = 3


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
) -> None:
    """Write the next generation and publish it.

    Args:
        old: The live generation, if its vectors can be reused.
        cache: Folder where the language subspace is kept between indexes.

    Raises:
        IndexMismatchError: The encoder gives other vectors than those that would be reused.
    """
    known = _probe(encoder, plan, old)
    subspace = _subspace(encoder, old, cache, report)
    subspace.save(writer.folder / files.SUBSPACE)
    sentences = write_encodings(
        writer, plan, old, encoder=encoder, subspace=subspace, report=report
    )
    report(Progress("writing", 0, _STEPS))
    before = old.folder / files.DATABASE if old else None
    write_database(writer.folder / files.DATABASE, plan.articles, before)
    report(Progress("writing", 1, _STEPS))
    _write_words(writer.folder)
    report(Progress("writing", 2, _STEPS))
    writer.publish(
        Manifest(
            generation=writer.number,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sources=collected.sources,
            collections=collected.collections,
            encoder=stamp(encoder),
            chunker=CHUNKER_VERSION,
            readers=collected.readers,
            articles=len(plan.articles),
            passages=plan.count,
            sentences=sentences,
            languages=dict(sorted(Counter(info.language for info in collected.infos).items())),
            files=writer.stamps(),
            probe=known,
        )
    )
    report(Progress("writing", _STEPS, _STEPS))


def _write_words(folder: Path) -> None:
    """Write the lexical index of the database that is already there."""
    with contextlib.closing(Database(folder / files.DATABASE)) as written:
        write_lexical(
            folder / files.LEXICAL,
            (
                (row, info.language, passage_input(info.title, passage))
                for row, (passage, info) in enumerate(written.all_passages())
            ),
        )


def _probe(encoder: Encoder, plan: EncodingPlan, old: Generation | None) -> str:
    """The vector of a known question; checked, if new vectors will stand beside reused ones."""
    if old is None:
        return probe(encoder)
    if any(True for _ in plan.missing()) and not gives(encoder, old.manifest.probe):
        raise IndexMismatchError(
            f"{old.folder}: {encoder.name} gives other vectors now than when the index was made; "
            "run `qabot rebuild --full`"
        )
    return old.manifest.probe


def _subspace(
    encoder: Encoder, old: Generation | None, cache: Path, report: Report
) -> LanguageSubspace:
    if old:
        path = old.folder / files.SUBSPACE
        try:
            return LanguageSubspace.load(path)
        except (OSError, ValueError) as error:
            raise DamagedIndexError(
                f"{path}: cannot be read ({error}); run `qabot rebuild --full`"
            ) from error
    done, total = 0, language_subspace.sample_count()

    def encoded(count: int) -> None:
        nonlocal done
        done += count
        report(Progress("preparing", done, total))

    return language_subspace.cached(encoder, cache, encoded)

"""Articles → passages → vectors → a new generation, reusing all that has not changed."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from qabot.articles import Limits, Skipped
from qabot.encoders import Encoder, FloatArray, language_subspace
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import NoIndexError, UnusableIndexError
from qabot.index import (
    Database,
    EncoderStamp,
    Generation,
    GenerationWriter,
    IndexStore,
    Manifest,
    write_database,
    write_lexical,
    write_vectors,
)
from qabot.index import manifest as files
from qabot.index.vectors import RowArray
from qabot.indexing.collect import Gathered, Wanted, gather
from qabot.indexing.passages import CHUNKER_VERSION
from qabot.indexing.plan import NEW, Plan, passage_input, plan_next
from qabot.web import Options

Stage = Literal["fetching", "reading", "preparing", "encoding", "writing"]
# Texts go to the encoder in groups of this size, so that progress shows and memory stays bounded.
_GROUP = 32 * (os.cpu_count() or 2)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is.

    Attributes:
        done, total: In units of the stage: pages, files, sample sentences, characters, files
            written.
        passages: Passages encoded so far.
    """

    stage: Stage
    done: int
    total: int
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a rebuild did.

    Attributes:
        generation: Number of the live generation afterwards.
        changed: Whether a new generation was published.
        articles, passages: How many the index holds.
        reused: Passages whose vectors were taken over.
        encoded: Passages that were encoded.
        removed: Articles that the index held before and holds no more.
        skipped: Documents that could not be read, with reasons.
        seconds: Wall time.
        left_out: Files of other types and what is excluded, with reasons.
        warnings: What could not be read of articles that were, each on one line.
    """

    generation: int
    changed: bool
    articles: int
    passages: int
    reused: int
    encoded: int
    removed: int
    skipped: tuple[Skipped, ...]
    seconds: float
    left_out: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


Report = Callable[[Progress], None]


def rebuild(
    store: IndexStore,
    encoder: Encoder,
    sources: Sequence[str],
    *,
    collections: Mapping[str, Sequence[str]] = MappingProxyType({}),
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    cache: Path,
    full: bool = False,
    files_only: bool = False,
    web: Options | None = None,
    limits: Limits | None = None,
    drafts: bool = False,
    report: Report = lambda progress: None,
) -> Summary:
    """Make the index hold what its sources hold now, and publish it.

    Args:
        store: The index folder; its lock is held throughout.
        encoder: The embedding model. Where the live generation is another model's, all is encoded.
        sources: Files, folders, patterns and web addresses that are in no collection.
        collections: Name → sources of that collection.
        only: Names of collections; articles that are in none of these stay as they are in the
            index. All sources and collections are read where none is named.
        exclude: Patterns of files and folders that are not read.
        cache: Where the encoder's language subspace is kept between indexes.
        full: Encode everything, and publish even if nothing changed.
        files_only: Leave articles of the web as they are in the index, unless its sources have
            other addresses.
        web: How web addresses are fetched; as by default where not given.
        limits: What one document may cost; the defaults where not given.
        drafts: Whether to read what says that it is not to be published yet.
        report: Called often with how far it is.

    Raises:
        SourceError: A source is missing, unreadable, or none of its documents is an article.
        UnusableIndexError: Only some collections are named, and the others cannot be taken over.
        RebuildRunningError: Another rebuild runs.
        StorageError: The index folder cannot be written.
    """
    started = time.perf_counter()
    named = {name: tuple(group) for name, group in collections.items()}
    wanted = Wanted(
        tuple(sources),
        named,
        tuple(only),
        full,
        files_only,
        tuple(exclude),
        web or Options(),
        limits or Limits(),
        drafts,
    )
    with store.rebuild() as writer, _live(store, needed=bool(only)) as live:
        gathered = gather(
            wanted,
            live,
            store.folder,
            lambda stage, done, total: report(Progress(stage, done, total)),
        )
        old = live if live and not full and _is_reusable(live, encoder) else None
        if old and gathered.is_live(old.manifest):
            gathered.visit.remember()
            return _nothing_changed(old.manifest, gathered, started)
        plan = plan_next(gathered.items, live, old, encoder.count_tokens)
        changed = not old or plan.differs or gathered.differs(old.manifest)
        number = old.manifest.generation if old else 0
        if changed:
            _write(writer, plan, old, gathered, encoder=encoder, cache=cache, report=report)
            number = writer.number
        gathered.visit.remember()
        known = set(live.database.article_digests()) if live else set()
    missing = sum(1 for _ in plan.missing())
    return Summary(
        generation=number,
        changed=changed,
        articles=len(plan.articles),
        passages=plan.count,
        reused=plan.count - missing,
        encoded=missing,
        removed=len(known - {info.id for info in gathered.infos}),
        skipped=gathered.skipped,
        seconds=time.perf_counter() - started,
        left_out=gathered.left_out,
        warnings=gathered.warnings,
    )


def _nothing_changed(live: Manifest, gathered: Gathered, started: float) -> Summary:
    return Summary(
        generation=live.generation,
        changed=False,
        articles=live.articles,
        passages=live.passages,
        reused=live.passages,
        encoded=0,
        removed=0,
        skipped=gathered.skipped,
        seconds=time.perf_counter() - started,
        left_out=gathered.left_out,
        warnings=gathered.warnings,
    )


@contextlib.contextmanager
def _live(store: IndexStore, *, needed: bool) -> Iterator[Generation | None]:
    """The live generation, if there is one; one that cannot be opened is none, if not needed."""
    live = None
    try:
        live = store.open(whole=False)
    except NoIndexError:
        pass
    except UnusableIndexError:
        if needed:
            raise
    try:
        yield live
    finally:
        if live is not None:
            live.close()


def _is_reusable(live: Generation, encoder: Encoder) -> bool:
    """Whether the vectors of ``live`` can be taken over."""
    return live.manifest.encoder == stamp(encoder) and live.manifest.chunker == CHUNKER_VERSION


def stamp(encoder: Encoder) -> EncoderStamp:
    """What the manifest of an index says of the encoder that made it."""
    return EncoderStamp(
        encoder.name, encoder.fingerprint, encoder.dimension, language_subspace.version()
    )


def _write(
    writer: GenerationWriter,
    plan: Plan,
    old: Generation | None,
    gathered: Gathered,
    *,
    encoder: Encoder,
    cache: Path,
    report: Report,
) -> None:
    subspace = _subspace(encoder, old, cache, report)
    subspace.save(writer.folder / files.SUBSPACE)
    sentence_rows = _encode(writer, plan, old, encoder=encoder, subspace=subspace, report=report)
    steps = 3
    report(Progress("writing", 0, steps))
    before = old.folder / files.DATABASE if old else None
    write_database(writer.folder / files.DATABASE, plan.articles, before)
    report(Progress("writing", 1, steps))
    with contextlib.closing(Database(writer.folder / files.DATABASE)) as written:
        write_lexical(
            writer.folder / files.LEXICAL,
            (
                (row, info.language, passage_input(info.title, passage))
                for row, (passage, info) in enumerate(written.all_passages())
            ),
        )
    report(Progress("writing", 2, steps))
    writer.publish(
        Manifest(
            generation=writer.number,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sources=gathered.sources,
            collections=gathered.collections,
            encoder=stamp(encoder),
            chunker=CHUNKER_VERSION,
            readers=gathered.readers,
            articles=len(plan.articles),
            passages=plan.count,
            sentences=sentence_rows,
            languages=dict(sorted(Counter(info.language for info in gathered.infos).items())),
            files=writer.stamps(),
        )
    )
    report(Progress("writing", steps, steps))


def _subspace(
    encoder: Encoder, old: Generation | None, cache: Path, report: Report
) -> LanguageSubspace:
    if old:
        return LanguageSubspace.load(old.folder / files.SUBSPACE)
    done, total = 0, language_subspace.sample_count()

    def encoded(count: int) -> None:
        nonlocal done
        done += count
        report(Progress("preparing", done, total))

    return language_subspace.cached(encoder, cache, encoded)


def _encode(
    writer: GenerationWriter,
    plan: Plan,
    old: Generation | None,
    *,
    encoder: Encoder,
    subspace: LanguageSubspace,
    report: Report,
) -> int:
    """Write the vectors of passages and sentences; the number of sentences."""
    origins = plan.origins
    kept = np.flatnonzero(origins != NEW)
    counts = np.zeros(plan.count, np.int64)
    if old:
        counts[kept] = np.diff(old.sentence_rows)[origins[kept]]
    for row, _, passage in plan.missing():
        counts[row] = len(passage.sentences)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    np.save(writer.folder / files.SENTENCE_ROWS, bounds)
    vectors = np.zeros((plan.count, encoder.dimension), np.float32)
    sentences = writer.sentence_file(int(bounds[-1]), encoder.dimension)
    if old and kept.size:
        vectors[kept] = old.vectors.vectors(origins[kept])
        for new, row, count in _runs(kept, origins[kept]):
            begin, end = old.sentence_rows[row], old.sentence_rows[row + count]
            sentences[bounds[new] : bounds[new + count]] = old.sentences[begin:end]
    jobs: list[tuple[str, int, bool]] = []
    for row, title, passage in plan.missing():
        jobs.append((passage_input(title, passage), row, True))
        jobs += [
            (passage.text[start:end], int(bounds[row]) + number, False)
            for number, (start, end) in enumerate(passage.sentences)
        ]
    for group, encoded in _encoded_groups(jobs, encoder, subspace, report):
        for (_, row, whole), vector in zip(group, encoded, strict=True):
            (vectors if whole else sentences)[row] = vector
    if isinstance(sentences, np.memmap):
        sentences.flush()
    write_vectors(writer.folder / files.VECTORS, vectors)
    return int(bounds[-1])


def _runs(rows: RowArray, origins: RowArray) -> Iterator[tuple[int, int, int]]:
    """The runs of rows that follow one another here and there: row, origin, length."""
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(origins) != 1)) + 1
    edges = [0, *breaks.tolist(), len(rows)]
    for first, stop in pairwise(edges):
        yield int(rows[first]), int(origins[first]), stop - first


def _encoded_groups(
    jobs: list[tuple[str, int, bool]],
    encoder: Encoder,
    subspace: LanguageSubspace,
    report: Report,
) -> Iterator[tuple[list[tuple[str, int, bool]], FloatArray]]:
    """Encode texts of about one length together, longest first; progress counts characters."""
    jobs.sort(key=lambda job: len(job[0]), reverse=True)
    total, done, passages = sum(len(text) for text, _, _ in jobs), 0, 0
    for start in range(0, len(jobs), _GROUP):
        report(Progress("encoding", done, total, passages))
        group = jobs[start : start + _GROUP]
        yield group, subspace.documents(encoder.encode_document([text for text, _, _ in group]))
        done += sum(len(text) for text, _, _ in group)
        passages += sum(whole for _, _, whole in group)
    report(Progress("encoding", total, total, passages))

"""Articles → passages → vectors → a new generation, reusing all that has not changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from qabot.articles import Limits, Skipped
from qabot.encoders import Encoder, FloatArray, language_subspace
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import NoIndexError, UnusableIndexError
from qabot.gathering import Gathered, Wanted, gather
from qabot.index import (
    EncoderStamp,
    Generation,
    GenerationWriter,
    IndexedArticle,
    IndexStore,
    Manifest,
    write_database,
    write_lexical,
    write_vectors,
)
from qabot.index import manifest as files
from qabot.passages import CHUNKER_VERSION, split_article
from qabot.types import Article, ArticleInfo, Passage
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
        plan = _plan(gathered, live, old, encoder)
        changed = not old or plan.differs or gathered.differs(old.manifest)
        number = old.manifest.generation if old else 0
        if changed:
            _write(writer, plan, old, gathered, encoder=encoder, cache=cache, report=report)
            number = writer.number
        gathered.visit.remember()
        known = set(live.database.article_digests()) if live else set()
    return Summary(
        generation=number,
        changed=changed,
        articles=len(plan.articles),
        passages=plan.count,
        reused=plan.count - len(plan.missing),
        encoded=len(plan.missing),
        removed=len(known - {item.article.info.id for item in plan.articles}),
        skipped=gathered.skipped,
        seconds=time.perf_counter() - started,
        left_out=gathered.left_out,
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


@dataclass(slots=True)
class _Plan:
    """What the new generation will hold.

    Attributes:
        reused: New passage row → the live generation's row with the same vectors.
        missing: New passage rows that must be encoded.
        differs: Whether it would hold anything else than the live one.
    """

    articles: list[IndexedArticle] = field(default_factory=list)
    reused: dict[int, int] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    count: int = 0
    differs: bool = False

    def passages(self) -> Iterator[tuple[Article, Passage]]:
        for item in self.articles:
            for passage in item.passages:
                yield item.article, passage


def _plan(
    gathered: Gathered, live: Generation | None, old: Generation | None, encoder: Encoder
) -> _Plan:
    known = old.database.article_digests() if old else {}
    rows = dict(old.database.passage_digests()) if old else {}
    plan = _Plan(differs=len(known) != len(gathered.items))
    for item in gathered.items:
        article = item if isinstance(item, Article) else _stored(live, item)
        if old and known.get(article.info.id) == article.digest:
            passages = [passage for _, passage in old.database.passages(article.info.id)]
        else:
            plan.differs = True
            passages = split_article(article, encoder.count_tokens)
        digests = [_digest(article, passage) for passage in passages]
        for digest in digests:
            if digest in rows:
                plan.reused[plan.count] = rows[digest]
            else:
                plan.missing.append(plan.count)
            plan.count += 1
        plan.articles.append(IndexedArticle(article, tuple(passages), tuple(digests)))
    return plan


def _stored(live: Generation | None, info: ArticleInfo) -> Article:
    article = live.database.article(info.id) if live else None
    if article is None:
        raise AssertionError("only what is in the live generation is taken out of it")
    return article


def passage_input(title: str, passage: Passage) -> str:
    """What is encoded for a passage: its title and headings stand before it.

    A passage says "the foundation" where its title says which one; on XQuAD-R that is worth half a
    point of recall within a language and up to a whole one across (benchmarks/retrieval.py).
    """
    # A text file's first heading is its title, and a section's first passage begins with its own.
    headings = [
        heading
        for heading in passage.headings
        if heading != title and not passage.text.startswith(heading)
    ]
    return "\n".join([title, *headings, passage.text])


def _digest(article: Article, passage: Passage) -> str:
    parts = [passage_input(article.info.title, passage), passage.sentences]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _write(
    writer: GenerationWriter,
    plan: _Plan,
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
    write_database(writer.folder / files.DATABASE, plan.articles)
    report(Progress("writing", 1, steps))
    write_lexical(
        writer.folder / files.LEXICAL,
        (
            (row, article.info.language, passage_input(article.info.title, passage))
            for row, (article, passage) in enumerate(plan.passages())
        ),
    )
    report(Progress("writing", 2, steps))
    languages = Counter(item.article.info.language for item in plan.articles)
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
            languages=dict(sorted(languages.items())),
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
    plan: _Plan,
    old: Generation | None,
    *,
    encoder: Encoder,
    subspace: LanguageSubspace,
    report: Report,
) -> int:
    """Write the vectors of passages and sentences; the number of sentences."""
    passages = list(plan.passages())
    counts = [len(passage.sentences) for _, passage in passages]
    bounds = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
    np.save(writer.folder / files.SENTENCE_ROWS, bounds)
    vectors = np.zeros((len(passages), encoder.dimension), np.float32)
    sentences = writer.sentence_file(int(bounds[-1]), encoder.dimension)
    if old and plan.reused:
        _take_over(plan.reused, old, vectors, sentences, bounds)
    jobs: list[tuple[str, int, bool]] = []
    for row in plan.missing:
        article, passage = passages[row]
        jobs.append((passage_input(article.info.title, passage), row, True))
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


def _take_over(
    reused: dict[int, int],
    old: Generation,
    vectors: FloatArray,
    sentences: np.ndarray[tuple[int, int], np.dtype[np.float16]],
    bounds: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    vectors[list(reused)] = old.vectors.vectors(np.fromiter(reused.values(), np.int64))
    for new, row in reused.items():
        begin, end = old.sentence_rows[row], old.sentence_rows[row + 1]
        sentences[bounds[new] : bounds[new + 1]] = old.sentences[begin:end]


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

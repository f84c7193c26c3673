"""Articles → passages → vectors → a new generation, reusing what has not changed."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qabot.encoders import Encoder
from qabot.encoders.workers import Workers
from qabot.errors import NoIndexError, UnreachableIndexError, UnusableIndexError
from qabot.index import AnyGeneration, Generation, GenerationWriter, Manifest, Store
from qabot.indexing.collect import Collected, collect
from qabot.indexing.encoding_plan import EncodingPlan, plan_encoding
from qabot.indexing.passages import CHUNKER_VERSION
from qabot.indexing.plan import IndexPlan
from qabot.indexing.summary import Report, Summary
from qabot.indexing.write import stamp, write_generation
from qabot.web import record_crawl

if TYPE_CHECKING:
    from qabot.index.milvus.writer import MilvusWriter

# New objects between two looks for garbage.
_ALLOCATED = 100_000


def rebuild(
    store: Store,
    encoder: Encoder,
    plan: IndexPlan,
    report: Report = lambda progress: None,
    workers: Workers | None = None,
) -> Summary:
    """Make the index hold what its sources hold now, and publish it.

    Args:
        store: The index; its lock is held throughout.
        encoder: The embedding model. If another model made the live generation, all is encoded.
        report: Called often with the progress.
        workers: Encode passages and sentences instead of ``encoder``, with the same model.

    Raises:
        EncoderError: The workers cannot encode.
        SourceError: A source is missing or unreadable, or no document is an article.
        UnusableIndexError: Only some collections are named, and the others cannot be reused; or
            the encoder gives other vectors now than those that would be reused.
        RebuildRunningError: Another rebuild is running.
        StorageError: The index folder cannot be written.
    """
    started = time.perf_counter()
    with (
        _seldom_collected(),
        store.rebuild() as writer,
        _live(store, needed=bool(plan.only)) as live,
    ):
        collected = collect(plan, live, store.folder, report)
        old = live if live and not plan.full and _is_reusable(live, encoder) else None
        if old and collected.is_live(old.manifest):
            _record(store, collected)
            return _nothing_changed(old.manifest, collected, started, writer.removed)
        known = live.database.article_ids() if live else set()
        again = writer.writes_all_after(_number(old))
        new = plan_encoding(collected.items, live, old, encoder.count_tokens, again=again)
        changed = not old or new.differs or collected.differs(old.manifest)
        resumed = 0
        if changed:
            resumed = writer.write(
                _Writing(new, old, collected, encoder, plan.cache, report, workers)
            )
        _record(store, collected)
    encoded = new.encoded
    return Summary(
        generation=old.manifest.generation if old and not changed else writer.number,
        changed=changed,
        articles=new.articles,
        passages=new.passages,
        reused=new.passages - encoded,
        encoded=encoded,
        removed=len(known - {info.id for info in collected.infos}),
        skipped=collected.skipped,
        seconds=time.perf_counter() - started,
        left_out=collected.left_out,
        warnings=collected.warnings,
        leftovers=writer.removed,
        resumed=resumed,
    )


@dataclass(frozen=True, slots=True)
class _Writing:
    """The next generation, to be written as its index is kept (``contracts.Writing``)."""

    plan: EncodingPlan
    old: AnyGeneration | None
    collected: Collected
    encoder: Encoder
    cache: Path
    report: Report
    workers: Workers | None

    def segments(self, writer: GenerationWriter) -> int:
        """Write it into a folder."""
        return write_generation(
            writer,
            self.plan,
            self.old if isinstance(self.old, Generation) else None,
            self.collected,
            encoder=self.encoder,
            cache=self.cache,
            report=self.report,
            workers=self.workers,
        )

    def rows(self, writer: MilvusWriter) -> int:
        """Write it to a server."""
        from qabot.indexing.write_rows import write_rows

        return write_rows(
            writer,
            self.plan,
            None if isinstance(self.old, Generation) else self.old,
            self.collected,
            encoder=self.encoder,
            cache=self.cache,
            report=self.report,
            workers=self.workers,
        )


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """Have Python look for garbage less often.

    What is listed of a hundred thousand articles stays until the end. To look through it again and
    again took a third of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATED, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _number(generation: AnyGeneration | None) -> int:
    return generation.manifest.generation if generation else 0


def _nothing_changed(
    live: Manifest, collected: Collected, started: float, leftovers: int
) -> Summary:
    return Summary(
        generation=live.generation,
        changed=False,
        articles=live.articles,
        passages=live.passages,
        reused=live.passages,
        encoded=0,
        removed=0,
        skipped=collected.skipped,
        seconds=time.perf_counter() - started,
        left_out=collected.left_out,
        warnings=collected.warnings,
        leftovers=leftovers,
    )


def _record(store: Store, collected: Collected) -> None:
    if collected.crawl:
        record_crawl(store.folder, collected.crawl)


@contextlib.contextmanager
def _live(store: Store, *, needed: bool) -> Iterator[AnyGeneration | None]:
    """Open the live generation, if there is one.

    Args:
        needed: Raise the error if it cannot be opened; otherwise go on without it.
    """
    live: AnyGeneration | None = None
    try:
        live = store.open(whole=False)
    except NoIndexError:
        pass
    except UnreachableIndexError:
        raise
    except UnusableIndexError:
        if needed:
            raise
    try:
        yield live
    finally:
        if live is not None:
            live.close()


def _is_reusable(live: AnyGeneration, encoder: Encoder) -> bool:
    """Tell if the vectors of ``live`` can be reused."""
    return live.manifest.encoder == stamp(encoder) and live.manifest.chunker == CHUNKER_VERSION

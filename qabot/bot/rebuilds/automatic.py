"""Automatic rebuilds: at the start, after files changed, and at an interval."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qabot.bot.rebuilds.runner import Outcome, RebuildRunner
from qabot.errors import QabotError, UsageError
from qabot.indexing.watch import Reason, Watched, due
from qabot.settings import FILE, Settings, load_settings

if TYPE_CHECKING:
    from qabot.answering.engine import Engine

SECONDS_BETWEEN_TRIES = 30.0
"""Pause while another process rebuilds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The time of the next automatic rebuild.

    Attributes:
        on_change: True if a changed file starts one.
        at: The latest time, in seconds since 1970.
    """

    on_change: bool = False
    at: float | None = None


class AutomaticRebuilds:
    """Starts a rebuild whenever one is due.

    Args:
        rebuilds: Runs them.
        settings: When they are due.

    Attributes:
        schedule: When the next one is due; an empty one means never.
    """

    def __init__(self, rebuilds: RebuildRunner, engine: Engine, settings: Settings) -> None:
        self._rebuilds = rebuilds
        self._engine = engine
        self._settings = settings
        self._stop = threading.Event()
        self._stopping = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._watched = Watched(())
        self.schedule = Schedule()

    def start(self) -> None:
        """Begin if the settings ask for it and rebuilds are offered."""
        settings = self._settings
        if not self._rebuilds.is_offered or not (settings.watch or settings.rebuild_interval):
            return
        arguments = (asyncio.get_running_loop(), settings.watch, settings.rebuild_interval)
        # It waits there for good, and must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, args=arguments, name="due", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End the waiting; end a running rebuild before this."""
        self._stop.set()
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop, watch: bool, every: timedelta | None) -> None:
        """Rebuild whenever it is due, until stopped; runs in the thread."""
        try:
            try:
                self._follow(loop, watch, every)
            except UsageError as error:
                _log.error("%s", error)
                if every:
                    self._follow(loop, watch=False, every=every)
        except Exception:  # noqa: BLE001 (the bot goes on answering)
            _log.exception("automatic rebuilds have ended")
        self.schedule = Schedule()

    def _follow(
        self, loop: asyncio.AbstractEventLoop, watch: bool, every: timedelta | None
    ) -> None:
        for reason in due(self._sources, watch=watch, every=every, stop=self._stop):
            asyncio.run_coroutine_threadsafe(self._rebuild(reason), loop).result()
            self.schedule = Schedule(watch, time.time() + every.total_seconds() if every else None)

    async def _rebuild(self, reason: Reason) -> None:
        """Rebuild once no other process does."""
        while not self._stop.is_set():
            # Saving a file is no reason to ask a server for all its pages.
            files_only = reason.cause == "change"
            outcome = await self._rebuilds.run(None, files_only=files_only)
            if not outcome.is_elsewhere:
                _report(reason, outcome)
                return
            _log.info("another process rebuilds; trying again in %d s", SECONDS_BETWEEN_TRIES)
            self.schedule = Schedule(at=time.time() + SECONDS_BETWEEN_TRIES)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SECONDS_BETWEEN_TRIES)

    def _sources(self) -> Watched:
        """Return what the next rebuild will read; reads files."""
        settings = self._settings
        # If this fails, the rebuild says why; the old paths are still watched.
        with contextlib.suppress(QabotError, OSError):
            manifest = self._engine.manifest()
            groups = (manifest.sources, *manifest.collections.values(), (settings.uploads,))
            self._watched = Watched(
                sources=tuple(source for group in groups for source in group),
                # As the rebuild will read them, since they may have changed.
                exclude=load_settings().exclude,
                files=(FILE,),
                ignored=(settings.index,),
            )
        return self._watched


def _report(reason: Reason, outcome: Outcome) -> None:
    """Log what a rebuild did; failures are logged already."""
    summary = outcome.summary
    if summary is None:
        return
    done = f"generation {summary.generation}" if summary.changed else "nothing new"
    left_out = f", {len(summary.skipped)} documents left out" if summary.skipped else ""
    _log.info("rebuilt (%s): %s, %d articles%s", reason, done, summary.articles, left_out)

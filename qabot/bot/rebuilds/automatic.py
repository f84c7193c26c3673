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

from qabot.bot.rebuilds.runner import RebuildRunner
from qabot.errors import QabotError, RebuildError, UsageError
from qabot.index_address import folder_of
from qabot.indexing.repeat import Repeater
from qabot.indexing.summary import Summary
from qabot.indexing.watch import Reason
from qabot.settings import FILE, Settings
from qabot.web import is_address

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
        self._thread: threading.Thread | None = None
        self._paths: tuple[str, ...] = ()
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
        Repeater(
            lambda _, files_only: self._rebuild(loop, files_only=files_only),
            self._sources,
            _Log(self, watch, every),
            self._stop,
            ignored=(str(folder_of(self._settings.index)),),
            retry_seconds=SECONDS_BETWEEN_TRIES,
        ).run(watch=watch, every=every)

    def _rebuild(self, loop: asyncio.AbstractEventLoop, *, files_only: bool) -> Summary:
        running = self._rebuilds.run(None, files_only=files_only)
        outcome = asyncio.run_coroutine_threadsafe(running, loop).result()
        if isinstance(outcome.error, QabotError):
            raise outcome.error
        if outcome.summary is None:
            raise RebuildError(str(outcome.error))
        return outcome.summary

    def _sources(self) -> tuple[str, ...]:
        """Return the paths that the next rebuild reads, and the settings file."""
        # If this fails, the rebuild says why; the old paths are still watched.
        with contextlib.suppress(QabotError, OSError):
            manifest = self._engine.manifest()
            groups = (manifest.sources, *manifest.collections.values())
            named = (source for group in groups for source in group if not is_address(source))
            self._paths = (*named, self._settings.uploads, FILE)
        return self._paths


class _Log:
    """Logs automatic rebuilds, and plans the next one."""

    def __init__(self, rebuilds: AutomaticRebuilds, watch: bool, every: timedelta | None) -> None:
        self._rebuilds = rebuilds
        self._watch = watch
        self._every = every

    def rebuilt(self, reason: Reason, summary: Summary, *, files_only: bool) -> None:  # noqa: ARG002
        """Log a rebuild."""
        done = f"generation {summary.generation}" if summary.changed else "nothing new"
        left_out = f", {len(summary.skipped)} documents left out" if summary.skipped else ""
        _log.info("rebuilt (%s): %s, %d articles%s", reason, done, summary.articles, left_out)
        self._plan_next()

    def failed(self, reason: Reason, error: QabotError) -> None:  # noqa: ARG002
        """Plan the next one; the failure is logged already."""
        self._plan_next()

    def waits(self) -> None:
        """Log that another process rebuilds."""
        _log.info("another process rebuilds; trying again in %d s", SECONDS_BETWEEN_TRIES)
        self._rebuilds.schedule = Schedule(at=time.time() + SECONDS_BETWEEN_TRIES)

    def _plan_next(self) -> None:
        at = time.time() + self._every.total_seconds() if self._every else None
        self._rebuilds.schedule = Schedule(self._watch, at)

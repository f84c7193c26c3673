"""Runs the bot's rebuilds, one at a time, off the event loop. Other modules report on them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from qabot.bot.store.uploads import Uploads
from qabot.bot.threads import run_in
from qabot.errors import QabotError, RebuildRunningError, SourceError

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.indexing.summary import Progress, Report, Summary

SOMEBODY = 0
"""Stands for a person who was forgotten."""

_log = logging.getLogger(__name__)


class Rebuild(Protocol):
    """A call that brings the index up to date, such as a ``RebuildProcess``; runs in a thread."""

    def __call__(self, sources: Sequence[str], report: Report, *, files_only: bool) -> Summary:
        """Rebuild from ``sources``.

        Args:
            files_only: Leave articles from the web as they are.
        """
        ...

    def stop(self) -> None:
        """End a running rebuild; the index stays whole."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a rebuild.

    Attributes:
        ended: Seconds since 1970.
        summary: ``None`` if the rebuild failed.
        error: The reason for a failure.
        by: Id of the person who asked for it, or ``SOMEBODY``; ``None`` for an automatic one.
    """

    ended: float
    summary: Summary | None = None
    error: Exception | None = None
    by: int | None = None

    @property
    def is_elsewhere(self) -> bool:
        """True if nothing was done because another process rebuilds."""
        return isinstance(self.error, RebuildRunningError)


@dataclass(slots=True, eq=False)
class _Asking:
    by: int | None


class RebuildRunner:
    """Runs rebuilds.

    Args:
        rebuild: Does the work; ``None`` if Discord may not ask for it.

    Attributes:
        is_offered: True if there is something to run.
        latest: Progress of the running rebuild.
        last: Outcome of the last one since the bot was started.
    """

    def __init__(self, rebuild: Rebuild | None, engine: Engine, uploads: Uploads) -> None:
        self._rebuild = rebuild
        self._engine = engine
        self._uploads = uploads
        self._lock = asyncio.Lock()
        # It may take hours: buttons need the other threads.
        self._thread = ThreadPoolExecutor(1, "qabot-rebuild")
        self._stopped = False
        # Those who asked for the rebuilds that run or wait.
        self._asking: list[_Asking] = []
        self.is_offered = rebuild is not None
        self.latest: Progress | None = None
        self.last: Outcome | None = None

    @property
    def is_running(self) -> bool:
        """True while a rebuild runs."""
        return self._lock.locked()

    async def run(
        self,
        by: int | None,
        report: Callable[[Progress], None] = lambda progress: None,
        *,
        files_only: bool = False,
    ) -> Outcome:
        """Bring the index up to date once no other rebuild of the bot runs.

        Args:
            by: Id of the person who asks for it.
            report: Called often, in a thread, with the progress.
            files_only: Leave articles from the web as they are.
        """
        asking = _Asking(by)
        self._asking.append(asking)
        try:
            async with self._lock:
                self.latest = None
                summary, error = None, None
                try:
                    summary = await run_in(self._thread, lambda: self._run(report, files_only))
                except Exception as caught:  # noqa: BLE001 (every failure is reported and logged)
                    error = caught
                    self._log_failure(error)
                outcome = Outcome(time.time(), summary, error, asking.by)
                if not outcome.is_elsewhere:
                    self.last = outcome
                return outcome
        finally:
            self._asking.remove(asking)

    def forget(self, user_id: int) -> None:
        """Forget that a person asked for the last rebuild, or for one that runs or waits."""
        for asking in self._asking:
            if asking.by == user_id:
                asking.by = SOMEBODY
        if self.last is not None and self.last.by == user_id:
            self.last = replace(self.last, by=SOMEBODY)

    def stop(self) -> None:
        """End a running rebuild; the index stays whole."""
        self._stopped = True
        if self._rebuild is not None:
            # A child process that nobody waits for would keep this one from ending.
            self._rebuild.stop()

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, report: Callable[[Progress], None], files_only: bool) -> Summary:
        """Rebuild from the index's own sources and the articles added in Discord."""
        if self._rebuild is None:
            raise AssertionError("nobody asks for a rebuild that is not offered")

        def note(progress: Progress) -> None:
            self.latest = progress
            report(progress)

        manifest = self._engine.manifest()
        sources = self._uploads.sources(manifest.sources)
        if not sources and not self._engine.collections():
            raise SourceError(
                "no article would be left; the index stays as it is until one is added"
            )
        return self._rebuild(sources, note, files_only=files_only)

    def _log_failure(self, error: Exception) -> None:
        if self._stopped or isinstance(error, RebuildRunningError):
            return
        if isinstance(error, QabotError):
            _log.error("a rebuild failed: %s", error)
        else:
            _log.error("a rebuild failed", exc_info=error)

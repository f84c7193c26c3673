"""Rebuilds that nobody asks for: at the start, when files have changed, and at an interval."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from qabot.bot.rebuilds.runner import Outcome
from qabot.errors import QabotError, UsageError
from qabot.indexing.watch import Reason, Watched, due
from qabot.settings import FILE, load_settings

if TYPE_CHECKING:
    from qabot.bot.client import Bot

SECONDS_BETWEEN_TRIES = 30.0
"""How long is waited where another process rebuilds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """When the next rebuild is due.

    Attributes:
        on_change: When files have changed.
        at: At this time at the latest, in seconds since 1970.
    """

    on_change: bool = False
    at: float | None = None


class Renewing:
    """Rebuilds when one is due, as the settings say.

    Args:
        bot: Whose ``rebuilding`` is run.

    Attributes:
        plan: When the next one is due; never where it says nothing.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._stop = threading.Event()
        self._stopping = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._watched = Watched(())
        self.plan = Plan()

    def start(self) -> None:
        """Begin, if the settings say so and rebuilds are offered."""
        settings = self._bot.settings
        if self._bot.rebuild is None or not (settings.watch or settings.rebuild_interval):
            return
        arguments = (asyncio.get_running_loop(), settings.watch, settings.rebuild_interval)
        # It waits there for good, and must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, args=arguments, name="due", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End it; a rebuild that runs is to be ended before."""
        self._stop.set()
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop, watch: bool, every: timedelta | None) -> None:
        """Rebuild whenever one is due, until stopped; runs in the thread."""
        try:
            try:
                self._follow(loop, watch, every)
            except UsageError as error:
                _log.error("%s", error)
                if every:
                    self._follow(loop, watch=False, every=every)
        except Exception:  # noqa: BLE001 (whatever it is, the bot answers on)
            _log.exception("the bot no longer rebuilds by itself")
        self.plan = Plan()

    def _follow(
        self, loop: asyncio.AbstractEventLoop, watch: bool, every: timedelta | None
    ) -> None:
        for reason in due(self._sources, watch=watch, every=every, stop=self._stop):
            asyncio.run_coroutine_threadsafe(self._rebuild(reason), loop).result()
            self.plan = Plan(watch, time.time() + every.total_seconds() if every else None)

    async def _rebuild(self, reason: Reason) -> None:
        """Rebuild, as soon as no other process does."""
        while not self._stop.is_set():
            # Saving a file is no reason to ask a server for all its pages.
            files_only = reason.cause == "change"
            outcome = await self._bot.rebuilding.rebuild(None, files_only=files_only)
            if not outcome.is_elsewhere:
                _report(reason, outcome)
                return
            _log.info("another process rebuilds; trying again in %d s", SECONDS_BETWEEN_TRIES)
            self.plan = Plan(at=time.time() + SECONDS_BETWEEN_TRIES)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SECONDS_BETWEEN_TRIES)

    def _sources(self) -> Watched:
        """What the next rebuild will read; reads files."""
        settings = self._bot.settings
        # Where that cannot be told, the rebuild says why; what was watched is watched on.
        with contextlib.suppress(QabotError, OSError):
            manifest = self._bot.engine.manifest()
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
    """Log what came of a rebuild; that it failed is logged already."""
    summary = outcome.summary
    if summary is None:
        return
    done = f"generation {summary.generation}" if summary.changed else "nothing new"
    left_out = f", {len(summary.skipped)} documents left out" if summary.skipped else ""
    _log.info("rebuilt (%s): %s, %d articles%s", reason, done, summary.articles, left_out)

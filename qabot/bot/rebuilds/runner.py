"""The bot's rebuilds, one at a time, off the event loop; who says what of them is elsewhere."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qabot.bot.protocols import Progress
from qabot.errors import QabotError, RebuildRunningError, SourceError

if TYPE_CHECKING:
    from qabot.bot.client import Bot

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rebuild came to.

    Attributes:
        ended: When, in seconds since 1970.
        summary: What it did (``qabot.indexing.rebuild.Summary``); ``None`` where it failed.
        error: Why it failed.
        by: Id of the person who asked for it; ``None`` where nobody did.
    """

    ended: float
    summary: Any = None
    error: Exception | None = None
    by: int | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether nothing was done because another process rebuilds."""
        return isinstance(self.error, RebuildRunningError)


class Rebuilding:
    """Runs the bot's rebuilds.

    Args:
        bot: Whose ``rebuild`` is run.

    Attributes:
        latest: How far the one that runs is.
        last: What the last one came to, since the bot was started.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._lock = asyncio.Lock()
        self._stopped = False
        self.latest: Progress | None = None
        self.last: Outcome | None = None

    @property
    def runs(self) -> bool:
        """Whether a rebuild is running."""
        return self._lock.locked()

    async def rebuild(
        self,
        by: int | None,
        tell: Callable[[Progress], None] = lambda progress: None,
        *,
        files_only: bool = False,
    ) -> Outcome:
        """Bring the index up to date as soon as no other rebuild of the bot is running.

        Args:
            by: Id of the person who asks for it.
            tell: Called in a thread, often, with how far it is.
            files_only: Leave articles of the web as they are.
        """
        async with self._lock:
            self.latest = None
            summary, error = None, None
            try:
                summary = await asyncio.to_thread(self._rebuild, tell, files_only)
            except Exception as caught:  # noqa: BLE001 (whatever it is, it is told and logged)
                error = caught
                self._report(error)
            outcome = Outcome(time.time(), summary, error, by)
            if not outcome.is_elsewhere:
                self.last = outcome
            return outcome

    def stop(self) -> None:
        """End a rebuild that runs, if it can be ended; the index stays as it was."""
        self._stopped = True
        # A process that nobody waits for any more would keep this one from ending.
        stop = getattr(self._bot.rebuild, "stop", None)
        if stop is not None:
            stop()

    def _rebuild(self, tell: Callable[[Progress], None], files_only: bool) -> Any:
        """Bring the index up to date with its sources and with what was added in Discord."""
        rebuild = self._bot.rebuild
        if rebuild is None:
            raise AssertionError("nobody asks for a rebuild that is not offered")

        def note(progress: Progress) -> None:
            self.latest = progress
            tell(progress)

        manifest = self._bot.engine.manifest()
        sources = self._bot.uploads.sources(manifest.sources)
        if not sources and not self._bot.engine.collections():
            raise SourceError(
                "no article would be left; the index stays as it is until one is added"
            )
        return rebuild(sources, note, files_only=files_only)

    def _report(self, error: Exception) -> None:
        if self._stopped or isinstance(error, RebuildRunningError):
            return
        if isinstance(error, QabotError):
            _log.error("a rebuild failed: %s", error)
        else:
            _log.error("a rebuild failed", exc_info=error)

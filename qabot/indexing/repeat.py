"""Rebuild again and again, as files change and time passes: one loop for all surfaces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from qabot.errors import QabotError, RebuildRunningError
from qabot.indexing.summary import Summary
from qabot.indexing.watch import Reason, due


class Listener(Protocol):
    """Told what becomes of each rebuild that is due."""

    def rebuilt(self, reason: Reason, summary: Summary, *, files_only: bool) -> None:
        """A rebuild is done."""
        ...

    def failed(self, reason: Reason, error: QabotError) -> None:
        """A rebuild failed; the next reason leads to another one."""
        ...

    def waits(self) -> None:
        """Another process rebuilds; this rebuild is tried again later."""
        ...


@dataclass(frozen=True, slots=True)
class Repeater:
    """Rebuilds whenever it is due.

    Attributes:
        rebuild: Rebuilds; with ``files_only``, web articles stay as they are. Raises QabotError.
        paths: Returns the files, folders and patterns to watch; they may change.
        listener: Told what becomes of each rebuild.
        stop: Ends the loop within half a second, or after the rebuild that is running.
        ignored: Folders in which changes do not count: the index.
        retry_seconds: How long to wait while another process rebuilds.
    """

    rebuild: Callable[[Reason, bool], Summary]
    paths: Callable[[], Iterable[str]]
    listener: Listener
    stop: threading.Event
    ignored: Sequence[str]
    retry_seconds: float

    def run(self, *, watch: bool, every: timedelta | None) -> None:
        """Rebuild at once, and whenever it is due, until stopped.

        Args:
            watch: Rebuild when files change.
            every: Rebuild at this interval, too.

        Raises:
            UsageError: The system cannot watch so many folders.
        """
        asked_servers = False
        for reason in due(
            self.paths, ignored=self.ignored, watch=watch, every=every, stop=self.stop
        ):
            # A saved file is no reason to ask servers for all their pages.
            files_only = reason.cause == "change" and asked_servers
            asked_servers |= self._rebuild(reason, files_only)

    def _rebuild(self, reason: Reason, files_only: bool) -> bool:
        """Rebuild as soon as no other process does; return whether it was done."""
        while not self.stop.is_set():
            try:
                summary = self.rebuild(reason, files_only)
            except RebuildRunningError:
                self.listener.waits()
                self.stop.wait(self.retry_seconds)
            except QabotError as error:
                self.listener.failed(reason, error)
                return False
            else:
                self.listener.rebuilt(reason, summary, files_only=files_only)
                return True
        return False

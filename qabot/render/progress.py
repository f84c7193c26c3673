"""Show a rebuild's progress: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qabot.indexing.summary import Progress, Report
from qabot.render.rebuild import STAGES, progress_json

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_OBJECTS = 0.5


@contextmanager
def reporting(*, quiet: bool = False, json: bool = False) -> Iterator[Report]:
    """Return a function that shows progress on standard error while the block runs.

    Args:
        quiet: Show nothing.
        json: Print ``Progress`` as JSON objects, one a line, even if quiet.
    """
    if json:
        yield _JsonReport()
    elif quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield _BarReport(bars)
    else:
        yield _LineReport()


def _bars() -> Bars:
    # Imported here: only a terminal needs it, and most rebuilds end before it would show anything.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class _BarReport:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._started = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if progress.stage not in self._tasks:
            self._started = time.monotonic()
            self._tasks[progress.stage] = self._bars.add_task(
                STAGES[progress.stage], total=None, rate=""
            )
        self._bars.update(
            self._tasks[progress.stage],
            completed=progress.done,
            total=progress.total or 1,
            rate=_rate(progress, time.monotonic() - self._started),
        )


class _LineReport:
    """Prints a line now and then while a stage takes long, and then one when it is done."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0
        self._started = 0.0
        self._took_long = False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage != self._stage:
            self._stage, self._started = progress.stage, now
            self._next, self._took_long = now + _SECONDS_BETWEEN_LINES, False
        if not (self._took_long if progress.done >= progress.total else now >= self._next):
            return
        self._next, self._took_long = now + _SECONDS_BETWEEN_LINES, True
        share = 100 * progress.done // max(progress.total, 1)
        rate = _rate(progress, now - self._started)
        sys.stderr.write(f"{STAGES[progress.stage]}: {share} %{'  ' + rate if rate else ''}\n")


class _JsonReport:
    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == self._stage and now < self._next:
            return
        self._stage, self._next = progress.stage, now + _SECONDS_BETWEEN_OBJECTS
        sys.stderr.write(f"{progress_json(progress)}\n")
        sys.stderr.flush()


def _rate(progress: Progress, seconds: float) -> str:
    if progress.stage != "encoding" or not progress.passages or seconds <= 0:
        return ""
    return f"{progress.passages / seconds:.1f} passages/s"

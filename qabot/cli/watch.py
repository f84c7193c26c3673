"""``rebuild --watch`` and ``--every``: rebuild until stopped, as files change and time passes.

Each rebuild runs in a process of its own. The waiting process stays at 60 MB however often it
rebuilds: neither a model nor an index stays in memory, and a rebuild that runs out of memory ends
alone.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from qabot.cli.rebuild_run import RebuildOptions
from qabot.errors import QabotError, UsageError
from qabot.index_address import folder_of
from qabot.indexing.repeat import Repeater
from qabot.indexing.subprocess import RebuildCommand
from qabot.indexing.watch import Reason
from qabot.processes import hide_secrets
from qabot.render.progress import reporting
from qabot.render.rebuild import left_out_line, skipped_line, summary_json, summary_line
from qabot.settings import FILE
from qabot.text import parse_interval, printable_line
from qabot.web import is_address

if TYPE_CHECKING:
    from qabot.articles import Skipped
    from qabot.indexing.plan import IndexPlan
    from qabot.indexing.summary import Summary
    from qabot.settings import Settings

# Pause between two tries while another process rebuilds.
_RETRY_SECONDS = 5.0
_SIGNAL_SECONDS = 0.2


def watch_sources(options: RebuildOptions) -> None:
    """Rebuild at once and whenever it is due, until SIGINT, SIGTERM or SIGHUP.

    These end a running rebuild; the index stays whole.

    Raises:
        QabotError: It cannot begin: a setting, a source or the interval is wrong, or nothing that
            is named can be watched.
    """
    # What is wrong from the beginning is a mistake that waiting does not repair.
    every = _interval(options.every) if options.every is not None else None
    settings, plan = options.plan()
    plan.find()
    if options.watch and not every and all(map(is_address, plan.named)):
        raise UsageError(
            "--watch: web addresses cannot be watched, and no file or folder is named; "
            "give --every 1h to ask them at an interval"
        )
    _Watch(options, settings, plan).run(every)


class _Watch:
    """Runs the rebuilds and prints a line about each.

    Args:
        plan: What the settings say to index at the start.
    """

    def __init__(self, options: RebuildOptions, settings: Settings, plan: IndexPlan) -> None:
        self._options = options
        self._settings = settings
        self._plan = plan
        self._full = options.full
        self._stop = threading.Event()
        self._command = RebuildCommand()
        self._log = _Log(json=options.json)
        self._waiting = False
        self._end = "stopped"

    def run(self, every: timedelta | None) -> None:
        """Rebuild until stopped by a signal.

        Raises:
            UsageError: The system cannot watch so many folders.
        """
        repeater = Repeater(
            self._rebuild,
            self._paths,
            self,
            self._stop,
            ignored=(str(folder_of(self._settings.index)),),
            retry_seconds=_RETRY_SECONDS,
        )

        def work() -> None:
            repeater.run(watch=self._options.watch, every=every)
            self._log.say(self._end)

        # In a thread: a signal's handler must not wait for a lock that its own thread may hold,
        # such as the event's.
        with _on_signals(self._interrupt), ThreadPoolExecutor(1) as thread:
            thread.submit(work).result()

    def _interrupt(self) -> None:
        self._stop.set()
        self._command.stop()

    def _rebuild(self, reason: Reason, files_only: bool) -> Summary:
        options = self._options
        arguments = options.arguments(full=self._full, files_only=options.files_only or files_only)
        # Later rebuilds are short: a line about each is enough unless somebody watches.
        quiet = options.json or (reason.cause != "start" and not sys.stderr.isatty())
        with reporting(quiet=quiet, json=options.progress) as report:
            return self._command.run(arguments, report)

    def _paths(self) -> tuple[str, ...]:
        """Return the paths to watch; the settings may have changed."""
        # The rebuild reports what is wrong with them.
        with contextlib.suppress(QabotError):
            _, self._plan = self._options.plan()
        return (*(source for source in self._plan.named if not is_address(source)), FILE)

    # --- The listener -----------------------------------------------------------------------------

    def rebuilt(self, reason: Reason, summary: Summary, *, files_only: bool) -> None:
        """Print what a rebuild did."""
        self._full = self._waiting = False
        self._log.report(reason, summary, files_only=self._options.files_only or files_only)
        self._announce(reason)

    def failed(self, reason: Reason, error: QabotError) -> None:
        """Print why a rebuild failed."""
        self._waiting = False
        # A terminal's Ctrl-C ends both processes, the rebuild perhaps first.
        if self._stop.wait(_SIGNAL_SECONDS):
            self._end = "stopped; the rebuild under way was ended, the index is whole"
        else:
            self._log.say(f"not rebuilt: {error}; tried again {self._next()}", sys.stderr)
            self._announce(reason)

    def waits(self) -> None:
        """Print, once, that another rebuild is running."""
        if not self._waiting:
            line = "another rebuild is running; waiting for it to end"
            self._log.say(line, sys.stderr)
        self._waiting = True

    def _announce(self, reason: Reason) -> None:
        if reason.cause == "start" and not self._stop.is_set():
            self._log.say(f"waiting: rebuilds {self._next()}; Ctrl-C ends it")

    def _next(self) -> str:
        """Say when the next rebuild comes."""
        options = self._options
        reasons = []
        if options.watch:
            alone = (options.files_only or not options.every) and any(
                map(is_address, self._plan.named)
            )
            reasons.append(f"when files change{', web addresses not' if alone else ''}")
        reasons += [f"every {options.every}"] if options.every else []
        return " and ".join(reasons)


class _Log:
    """Prints a line for each event, with the time.

    Args:
        json: Print each rebuild as a JSON object, and nothing else on standard output.
    """

    def __init__(self, *, json: bool) -> None:
        self._json = json
        # Reported problems, so that those that stay are not reported again.
        self._reported: set[Skipped] = set()

    def report(self, reason: Reason, summary: Summary, *, files_only: bool) -> None:
        """Print what a rebuild did."""
        if self._json:
            self._write(summary_json(summary), sys.stdout)
            return
        if summary.changed or reason.cause != "interval":
            self.say(f"{reason}: {summary_line(summary)}")
        if reason.cause == "start" and (line := left_out_line(summary)):
            self.say(line)
        for item in summary.skipped:
            if item not in self._reported:
                self.say(skipped_line(item), sys.stderr)
        unseen = {item for item in self._reported if files_only and is_address(item.source)}
        self._reported = unseen | set(summary.skipped)

    def say(self, line: str, stream: TextIO | None = None) -> None:
        """Print a line; on standard output unless given another stream."""
        if self._json and stream is None:
            return
        time = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        self._write(f"{time} {printable_line(hide_secrets(line))}", stream or sys.stdout)

    def _write(self, line: str, stream: TextIO) -> None:
        try:
            stream.write(f"{line}\n")
            stream.flush()
        except OSError as error:
            # The log may be on the same full disk as the index; the stream writes it later.
            if error.errno != errno.ENOSPC:
                raise


def _interval(text: str) -> timedelta:
    try:
        return parse_interval(text)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from error


@contextlib.contextmanager
def _on_signals(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end`` on SIGINT, SIGTERM and SIGHUP while the block runs."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [signal.signal(number, lambda *_: end()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

"""``rebuild --watch`` and ``--every``: rebuilds until stopped, as files change and time passes.

Each one runs in a process of its own. What waits keeps its 60 MB however often it rebuilds; neither
a model nor an index stays in memory in between, and a rebuild that runs out of memory ends alone.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from qabot.cli.inputs import settings_with
from qabot.cli.rebuild_run import (
    changed_line,
    content_of,
    left_out_line,
    skipped_line,
    summary_json,
)
from qabot.errors import QabotError, RebuildRunningError, UsageError
from qabot.indexing.subprocess import RebuildCommand
from qabot.indexing.watch import Reason, Watched, due
from qabot.render.progress import reporting
from qabot.settings import FILE
from qabot.text import parse_interval, printable_line
from qabot.web import find_all, is_address

if TYPE_CHECKING:
    from qabot.articles import Skipped
    from qabot.cli.rebuild_run import Content
    from qabot.indexing.rebuild import Summary
    from qabot.settings import Settings

# Between two looks whether another rebuild has ended.
_RETRY_SECONDS = 5.0
_SIGNAL_SECONDS = 0.2


class Repeater:
    """Rebuilds at once, and whenever it is due.

    Args:
        named: The arguments of ``rebuild``: sources or collections.
        index, encoder, exclude: Its flags, where given.
        watch: Whether changes of files are a reason for a rebuild.
        every: An interval that is one, too, such as ``15m``.
        full: Whether the first rebuild encodes everything again.
        files_only: Whether all rebuilds ask web servers only if an address is new, as those do in
            any case that are due because files changed.
        json: Whether each rebuild is told as a JSON object, on a line of its own.
        progress: Whether progress is told as JSON.

    Raises:
        QabotError: It cannot begin: a setting, a source or the interval is wrong, or nothing that
            it names can be watched.
    """

    def __init__(
        self,
        named: Sequence[str],
        *,
        index: str | None,
        encoder: str | None,
        exclude: Sequence[str],
        watch: bool,
        every: str | None,
        full: bool,
        files_only: bool,
        json: bool,
        progress: bool,
    ) -> None:
        self._named = tuple(named)
        self._flags = {"index": index, "encoder": encoder}
        self._exclude = tuple(exclude)
        self._watch = watch
        self._every = every
        self._interval = _interval(every) if every is not None else None
        self._full = full
        self._files_only = files_only
        self._json = json
        self._progress = progress
        self._stop = threading.Event()
        self._command = RebuildCommand()
        # Problems that were told: those that stay are not told again.
        self._told: set[Skipped] = set()
        self._asked_servers = False
        # What is wrong from the beginning is a mistake that no waiting repairs.
        settings, content = self._wanted()
        find_all(*content.read(), settings.exclude)
        self._watched = _watched(settings, content)
        if watch and not every and all(map(is_address, self._watched.sources)):
            raise UsageError(
                "--watch: web addresses cannot be watched, and no file or folder is named; "
                "give --every 1h to ask them at an interval"
            )

    def run(self) -> None:
        """Rebuild until SIGINT or SIGTERM, which end a rebuild that runs; the index stays whole.

        Raises:
            UsageError: The system cannot watch so many folders.
        """
        # In a thread, since a signal's handler must not wait for a lock that its own thread holds,
        # as the event's might be.
        with _on_signals(self._end), ThreadPoolExecutor(1) as thread:
            thread.submit(self._run).result()

    def _end(self) -> None:
        self._stop.set()
        self._command.stop()

    def _run(self) -> None:
        end = "stopped"
        reasons = due(self._followed, watch=self._watch, every=self._interval, stop=self._stop)
        for reason in reasons:
            # Saving a file is no reason to ask a server for all its pages.
            files_only = self._files_only or (reason.cause == "change" and self._asked_servers)
            try:
                summary = self._rebuild(reason, files_only=files_only)
            except QabotError as error:
                # A terminal's Ctrl-C ends both processes, the rebuild perhaps first.
                if self._stop.wait(_SIGNAL_SECONDS):
                    if isinstance(error, RebuildRunningError):
                        break
                    end = "stopped; the rebuild under way was dropped, the index is as it was"
                else:
                    self._tell(f"not rebuilt: {error}; tried again {self._next()}", sys.stderr)
            else:
                self._full = False
                self._asked_servers = True
                self._tell_summary(summary, reason, files_only=files_only)
            if reason.cause == "start" and not self._stop.is_set():
                self._tell(f"waiting: rebuilds {self._next()}; Ctrl-C ends it")
        self._tell(end)

    def _rebuild(self, reason: Reason, *, files_only: bool) -> Summary:
        """Rebuild as soon as no other rebuild runs."""
        arguments = [f"--{name}={value}" for name, value in self._flags.items() if value]
        arguments += [f"--exclude={pattern}" for pattern in self._exclude]
        arguments += ["--full"] if self._full else []
        arguments += ["--files-only"] if files_only else []
        waiting = False
        while True:
            try:
                # Later ones are short, and a line each is enough where nobody looks on.
                quiet = self._json or (reason.cause != "start" and not sys.stderr.isatty())
                with reporting(quiet=quiet, json=self._progress) as report:
                    return self._command.run([*arguments, "--", *self._named], report)
            except RebuildRunningError:
                if not waiting:
                    self._tell("another rebuild is running; waiting for it to end", sys.stderr)
                waiting = True
                if self._stop.wait(_RETRY_SECONDS):
                    raise

    def _wanted(self) -> tuple[Settings, Content]:
        settings = settings_with(
            **self._flags, sources=self._named or None, exclude=self._exclude or None
        )
        return settings, content_of(settings, self._named)

    def _followed(self) -> Watched:
        """What is to be watched now; the settings may have changed."""
        # What is wrong with them, the rebuild says.
        with contextlib.suppress(QabotError):
            self._watched = _watched(*self._wanted())
        return self._watched

    def _next(self) -> str:
        """When the next rebuild comes."""
        reasons = []
        if self._watch:
            alone = (self._files_only or not self._every) and any(
                map(is_address, self._watched.sources)
            )
            reasons.append(f"when files change{', web addresses not' if alone else ''}")
        reasons += [f"every {self._every}"] if self._every else []
        return " and ".join(reasons)

    def _tell_summary(self, summary: Summary, reason: Reason, *, files_only: bool) -> None:
        if self._json:
            self._write(summary_json(summary), sys.stdout)
            return
        if summary.changed:
            self._tell(f"{reason}: {changed_line(summary)}")
        elif reason.cause != "interval":
            self._tell(f"{reason}: nothing new, generation {summary.generation}")
        if reason.cause == "start" and (line := left_out_line(summary)):
            self._tell(line)
        for item in summary.skipped:
            if item not in self._told:
                self._tell(skipped_line(item), sys.stderr)
        unseen = {item for item in self._told if files_only and is_address(item.source)}
        self._told = unseen | set(summary.skipped)

    def _tell(self, line: str, stream: TextIO | None = None) -> None:
        """Print a line of the log."""
        if self._json and stream is None:
            return
        time = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        self._write(f"{time} {printable_line(line)}", stream or sys.stdout)

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


def _watched(settings: Settings, content: Content) -> Watched:
    sources, collections = content.read()
    return Watched(
        (*sources, *(source for group in collections.values() for source in group)),
        exclude=settings.exclude,
        files=(FILE,),
        ignored=(settings.index,),
    )


@contextlib.contextmanager
def _on_signals(end: Callable[[], None]) -> Iterator[None]:
    """Have SIGINT and SIGTERM do this while the block runs."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: end()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

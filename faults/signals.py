"""Commands that a signal ends, and a watch whose process is killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from faults.site import ASK, REBUILD, Campaign, Row, Site

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
COMMANDS = (REBUILD, ASK, ("doctor",))
_WATCH = ("rebuild", "articles", "--watch")
_INTERRUPTED = 130
_SECONDS_TO_END = 60.0


class _Process:
    """A ``qabot`` that imports what it needs while signals already come."""

    def __init__(self, site: Site, arguments: Sequence[str]) -> None:
        # A file: a pipe that nobody reads would hold it up.
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qabot", *arguments],
            cwd=site.folder,
            env=site.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._complaints,
        )
        self.pid = self._process.pid

    def handles_signals(self) -> None:
        """Wait until it has its own handlers: before that, it is only Python that starts."""
        while self._process.poll() is None and not _catches(self.pid, signal.SIGTERM):
            time.sleep(0.002)

    def lasts(self, seconds: float) -> bool:
        """Wait that long, or until it has ended; tell if it goes on."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def send(self, number: int) -> None:
        """Send it a signal; nothing happens where it has ended."""
        self._process.send_signal(number)

    def end(self) -> tuple[int, str, float]:
        """Wait for its end: its exit code, standard error, and how long it took."""
        code = self._process.wait()
        seconds = time.monotonic() - self._started
        with self._complaints:
            self._complaints.seek(0)
            return code, self._complaints.read(), seconds


def ended(
    campaign: Campaign,
    number: signal.Signals,
    commands: Sequence[Sequence[str]],
    times: int,
    seed: int,
) -> Iterator[Row]:
    """Each of ``commands`` is ended by a signal at random moments, ``times`` times."""
    row = Row(f"{SIGNALS[number]} at a random moment of a rebuild, of questions or of the doctor")
    chance = random.Random(seed)
    expected = (_INTERRUPTED, "qabot: interrupted\n") if number == signal.SIGINT else (-number, "")
    for command in commands:
        *done, seconds = _alone(campaign, command)
        hits = 0
        while hits < times:
            for site in campaign.sites(1):
                process = _Process(site, command)
                process.handles_signals()
                if process.lasts(chance.uniform(0, seconds)):
                    process.send(number)
                code, complaint, _ = process.end()
                # Where it was done before, another moment is drawn.
                if [code, complaint] == done:
                    continue
                hits += 1
                row.codes[code] += 1
                if (code, complaint) != expected:
                    row.problems.append(f"{command[0]}: code {code}, said {complaint!r}")
                _look(site, row)
                yield row


def killed_watches(campaign: Campaign, times: int, seed: int) -> Iterator[Row]:
    """A watch is killed while its child rebuilds: the child ends, too, and cleans up."""
    row = Row("SIGKILL of `rebuild --watch` at a random moment of the rebuild in its child")
    chance = random.Random(seed)
    *_, seconds = _alone(campaign, REBUILD)
    while row.codes.total() < times:
        for site in campaign.sites(1):
            watch = _Process(site, _WATCH)
            while not _descendants(watch.pid):
                time.sleep(0.002)
            moment = time.monotonic() + chance.uniform(0, seconds)
            while (children := _descendants(watch.pid)) and time.monotonic() < moment:
                time.sleep(0.01)
            watch.send(signal.SIGKILL)
            code, *_ = watch.end()
            # Where the rebuild was done before, another moment is drawn.
            if not children:
                continue
            row.codes[code] += 1
            if orphans := _left(children):
                row.problems.append(f"{len(orphans)} processes go on")
            _look(site, row)
            yield row


def _alone(campaign: Campaign, command: Sequence[str]) -> tuple[int, str, float]:
    """Return a command's exit code, standard error and seconds where nothing harms it."""
    for site in campaign.sites(1):
        return _Process(site, command).end()
    raise AssertionError("unreachable")


def _look(site: Site, row: Row) -> None:
    """After a process that could clean up: nothing lies about, and answers are whole."""
    if left := site.leftovers():
        row.problems.append(f"it leaves {left}")
    if site.judge(row) == "refused":
        row.problems.append("the index cannot be used")
    site.repair(row)


def _catches(process: int, number: int) -> bool:
    """Tell if a process has a handler for a signal."""
    try:
        status = Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything.
            state, parent, *_ = path.read_text("utf-8").rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if state != "Z":
            parents.setdefault(int(parent), []).append(int(path.parent.name))
    found = list(parents.get(process, ()))
    for child in found:
        found += parents.get(child, ())
    return found


def _left(processes: Sequence[int]) -> list[int]:
    """Wait for the end of processes; return those that go on."""
    end = time.monotonic() + _SECONDS_TO_END
    while left := [process for process in processes if Path(f"/proc/{process}").exists()]:
        if time.monotonic() > end:
            break
        time.sleep(0.05)
    return left

"""A rebuild in a process of its own: whoever answers meanwhile is not held up by it.

Splitting and encoding keep Python busy for longer than an event loop may wait; another process has
its own interpreter, a lower priority, and takes nobody along when it runs out of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

import msgspec

from qabot.errors import QabotError, RebuildError, RebuildRunningError
from qabot.indexing.rebuild import Progress, Report, Summary
from qabot.processes import without_tokens

# A rebuild gives way to answers: by this on Windows, elsewhere by what the program begins with.
_PRIORITY = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
_PROGRAM = "import os; getattr(os, 'nice', int)(10); from qabot.cli import main; main()"
# What was left out or kept as it was is in the summary, too.
_SKIPPED = ("qabot: skipped ", "qabot: kept ")


class RebuildCommand:
    """Runs ``qabot rebuild`` in a process of its own, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(
        self,
        arguments: Sequence[str],
        report: Report,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Summary:
        """Run it with these arguments and wait for its end; what it did.

        Args:
            environment: Its variables; this process's own, without tokens, where not given.

        Raises:
            RebuildRunningError: Another rebuild runs.
            RebuildError: It could not be done; says why.
        """
        # A file, because a pipe that nobody reads holds the process up once it is full.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output, self._lock:
            with subprocess.Popen(  # noqa: S603 (this very program; sources are no options)
                [sys.executable, "-c", _PROGRAM, "rebuild", "--json", "--progress", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env=without_tokens() if environment is None else environment,
                creationflags=_PRIORITY,
            ) as process:
                self._process = process
                if self._stopped:
                    # Meanwhile, when there was nothing to end.
                    process.terminate()
                complaint = _followed(process.stderr, report)
            self._process = None
            output.seek(0)
            return _summary(output.read(), process.returncode, complaint)

    def stop(self) -> None:
        """End a rebuild that runs, and all later ones; the index stays as it was."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.terminate()


class RebuildProcess:
    """Rebuilds an index from the sources that it is called with, one rebuild at a time.

    Args:
        index: The index folder.
        encoder: The setting of that name.
        cache: The same; empty for the user's cache folder.
        has_collections: Whether the settings' collections are in the index beside its sources.
    """

    def __init__(
        self,
        index: str,
        encoder: str,
        cache: str = "",
        *,
        has_collections: Callable[[], bool] = lambda: False,
    ) -> None:
        self._has_collections = has_collections
        self._options = ["--index", index, "--encoder", encoder]
        self._environment = without_tokens()
        if cache:
            self._environment["QABOT_CACHE"] = cache
        self._command = RebuildCommand()

    def __call__(
        self, sources: Sequence[str], report: Report, *, files_only: bool = False
    ) -> Summary:
        """Make the index hold what ``sources`` and all collections hold now; waits for it.

        Args:
            files_only: Leave articles of the web as they are, as far as the same ones are named.

        Raises:
            RebuildRunningError: Another rebuild runs.
            RebuildError: It could not be done; says why.
        """
        environment = dict(self._environment)
        if self._has_collections():
            # Sources that are named on the command line would be all that the index holds.
            # Empty, the variable would not count; the settings' own are none of it then.
            environment["QABOT_SOURCES"] = json.dumps(list(sources)) if sources else ""
            named = []
        else:
            named = ["--", *sources]
        options = [*self._options, *(["--files-only"] if files_only else [])]
        return self._command.run([*options, *named], report, environment=environment)

    def stop(self) -> None:
        """End a rebuild that runs, and all later ones; the index stays as it was."""
        self._command.stop()


def _followed(lines: IO[str] | None, report: Report) -> str:
    """Report the progress in ``lines``; the last line that says what is wrong."""
    complaint = ""
    for line in lines or ():
        if line.startswith("{"):
            report(msgspec.json.decode(line, type=Progress))
        elif line.startswith("qabot: ") and not line.startswith(_SKIPPED):
            complaint = line.removeprefix("qabot: ").strip()
    return complaint


def _summary(output: str, code: int, complaint: str) -> Summary:
    if output.strip():
        # Also where documents were left out, which the exit code tells.
        return msgspec.json.decode(output, type=Summary)
    if code == RebuildRunningError.exit_code:
        raise RebuildRunningError(complaint)
    raise _failure(code, complaint)


def _failure(code: int, complaint: str) -> QabotError:
    if code < 0:
        return RebuildError(
            f"the rebuild was stopped by signal {-code}; the index is as it was; run it again"
        )
    return RebuildError(complaint or f"the rebuild ended with exit code {code}; run it by hand")

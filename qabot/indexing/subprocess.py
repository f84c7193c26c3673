"""Rebuild in a process of its own, so that answers are not delayed.

Splitting and encoding keep Python busy for longer than an event loop may wait. Another process has
its own interpreter and a lower priority, and if it runs out of memory, it ends alone.
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
from qabot.indexing.summary import Progress, Report, Summary
from qabot.processes import without_tokens

# Answers come first: lower the priority, by this on Windows, elsewhere by nice().
_PRIORITY = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
_PROGRAM = """
import os
from qabot.__main__ import main
from qabot.signals import end_with_parent

getattr(os, "nice", int)(10)
end_with_parent()
main()
"""
# The summary has these, too.
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
        """Run it with these arguments, and wait for its end.

        Args:
            environment: Its variables; by default this process's own, without tokens.

        Raises:
            RebuildRunningError: Another rebuild is running.
            RebuildError: It failed; the text says why.
        """
        # A file: a full pipe that nobody reads would block the process.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output, self._lock:
            with subprocess.Popen(  # noqa: S603 (this very program; sources are no options)
                [sys.executable, "-c", _PROGRAM, "rebuild", "--json", "--progress", *arguments],
                # Its other end closes when this process ends, by which the rebuild ends, too.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env=without_tokens() if environment is None else environment,
                creationflags=_PRIORITY,
            ) as process:
                self._process = process
                if self._stopped:
                    # stop() was called before there was a process to end.
                    process.terminate()
                complaint = _followed(process.stderr, report)
            self._process = None
            output.seek(0)
            return _summary(output.read(), process.returncode, complaint)

    def stop(self) -> None:
        """End the running rebuild and refuse later ones; the index stays whole."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.terminate()


class RebuildProcess:
    """Rebuilds an index from the sources that it is called with, one rebuild at a time.

    Args:
        index: The index folder.
        encoder: The setting of that name.
        cache: The setting of that name; empty for the user's cache folder.
        has_collections: Returns whether the index holds the settings' collections, too.
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
        """Rebuild from ``sources`` and all collections, and wait for the end.

        Args:
            files_only: Leave web articles as they are, unless other addresses are named.

        Raises:
            RebuildRunningError: Another rebuild is running.
            RebuildError: It failed; the text says why.
        """
        environment = dict(self._environment)
        if self._has_collections():
            # Sources on the command line would leave out the collections, so they go into the
            # environment. An empty list there means none, not the settings' own.
            environment["QABOT_SOURCES"] = json.dumps(list(sources)) if sources else ""
            named = []
        else:
            named = ["--", *sources]
        options = [*self._options, *(["--files-only"] if files_only else [])]
        return self._command.run([*options, *named], report, environment=environment)

    def stop(self) -> None:
        """End the running rebuild and refuse later ones; the index stays whole."""
        self._command.stop()


def _followed(lines: IO[str] | None, report: Report) -> str:
    """Report the progress in ``lines``; return the last complaint."""
    complaint = ""
    for line in lines or ():
        if line.startswith("{"):
            report(msgspec.json.decode(line, type=Progress))
        elif line.startswith("qabot: ") and not line.startswith(_SKIPPED):
            complaint = line.removeprefix("qabot: ").strip()
    return complaint


def _summary(output: str, code: int, complaint: str) -> Summary:
    if output.strip():
        # Also if documents were left out, which changes the exit code.
        return msgspec.json.decode(output, type=Summary)
    if code == RebuildRunningError.exit_code:
        raise RebuildRunningError(complaint)
    raise _failure(code, complaint)


def _failure(code: int, complaint: str) -> QabotError:
    if code < 0:
        return RebuildError(
            # It may have been published just before.
            f"the rebuild was stopped by signal {-code}; the index is whole, as before or renewed; "
            "run it again"
        )
    return RebuildError(complaint or f"the rebuild ended with exit code {code}; run it by hand")

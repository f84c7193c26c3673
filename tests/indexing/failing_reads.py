"""Watch the reads of this process below a folder, one by one: any of them can be made to fail."""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from faults.disk import opens_for_writing

Happens = Callable[[str], None]
"""Told what is about to be read (``open``, ``pread``, ``hash``, ``sqlite``); may raise OSError."""


@contextlib.contextmanager
def watched(happens: Happens, folder: Path) -> Iterator[None]:
    """Call ``happens`` before each read of files below ``folder``; what it raises, the read raises.

    Libraries that read without Python (SQLite, ONNX Runtime) are seen where they are called.
    """

    def is_below(path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and Path(
            os.fspath(path)
        ).absolute().is_relative_to(folder)

    def opened(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(path: Any, *arguments: Any, **options: Any) -> Any:
            if is_below(path) and not opens_for_writing(path, *arguments, **options):
                happens("open")
            return function(path, *arguments, **options)

        return run

    def told(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            happens(name)
            return function(*arguments, **options)

        return run

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            try:
                happens("sqlite")
            except OSError as error:
                raise sqlite3.OperationalError("disk I/O error") from error
            return super().execute(*arguments)

    connect = sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **{**options, "factory": Connection})
        return connection

    with contextlib.ExitStack() as stack:
        for module in (os, builtins, io):
            stack.enter_context(mock.patch.object(module, "open", opened(module.open)))
        for owner, name in ((os, "pread"), (hashlib, "file_digest")):
            stack.enter_context(mock.patch.object(owner, name, told(name, getattr(owner, name))))
        stack.enter_context(mock.patch.object(sqlite3, "connect", connected))
        yield


def fail(_: str) -> None:
    """Fail as a broken disk does."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))

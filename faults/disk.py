"""Watch the writes of a process through Python, one by one: any of them can be made to fail."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

_WRITING = os.O_WRONLY | os.O_RDWR
_FUNCTIONS = ("fsync", "rename", "replace", "mkdir", "chmod", "posix_fallocate")
_MOVES = ("rename", "replace")


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes the disk.

    Attributes:
        name: ``open`` (for writing), ``fsync``, ``rename``, ``replace``, ``mkdir``, …
        paths: What it was given, where that is paths.
        inode: Of what was given open, else 0.
    """

    name: str
    paths: tuple[str, ...]
    inode: int

    @property
    def moves(self) -> bool:
        """Tell if it renames a file or folder, as all that publishes does."""
        return self.name in _MOVES


Happens = Callable[[Write], None]


@contextlib.contextmanager
def watched(happens: Happens, *, after: bool = False) -> Iterator[None]:
    """Call ``happens`` before each write of this process; what it raises, the write raises.

    Libraries that write without Python (SQLite, faiss) are not seen.

    Args:
        after: Call it when the write is done instead.
    """
    with contextlib.ExitStack() as stack:
        for name in _FUNCTIONS:
            if hasattr(os, name):
                wrapped = _wrapped(name, getattr(os, name), happens, after)
                stack.enter_context(mock.patch.object(os, name, wrapped))
        for module in (os, builtins, io):
            wrapped = _wrapped("open", module.open, happens, after)
            stack.enter_context(mock.patch.object(module, "open", wrapped))
        yield


def _wrapped(
    name: str, function: Callable[..., Any], happens: Happens, after: bool
) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        if name == "open" and not opens_for_writing(*arguments, **options):
            return function(*arguments, **options)
        given: list[Any] = [
            argument for argument in arguments[:2] if isinstance(argument, str | os.PathLike)
        ]
        is_open = name != "open" and isinstance(arguments[0], int)
        inode = os.fstat(arguments[0]).st_ino if is_open else 0
        write = Write(name, tuple(os.fspath(path) for path in given), inode)
        if not after:
            happens(write)
        result = function(*arguments, **options)
        if after:
            happens(write)
        return result

    return run


def opens_for_writing(path: Any, mode: Any = "r", *_: Any, **__: Any) -> bool:
    """Tell if these arguments of ``open`` (Python's or the system's) open for writing."""
    # A descriptor that is open already, such as a pipe's, is no file of the index.
    if isinstance(path, int):
        return False
    return bool(mode & _WRITING) if isinstance(mode, int) else not set(mode).isdisjoint("wax+")

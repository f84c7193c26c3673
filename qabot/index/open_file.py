"""Files of the index, opened for reading and watched while they are open."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path

from qabot.errors import DamagedIndexError

REMEDY = "run `qabot rebuild --full`"
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)

Stamp = tuple[int, int, int]
"""Size in bytes, and the times of the last change of content and of the file, in nanoseconds."""


def open_regular(path: Path) -> int:
    """Open a file for reading; return its descriptor.

    A pipe in its place would be waited for without end.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file", str(path))
    return descriptor


def read_regular(path: Path) -> bytes:
    """Read a file.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    with open(open_regular(path), "rb") as file:
        return file.read()


class OpenFile:
    """An open file of a generation, which must not change.

    Reading goes through the descriptor: a mapped file that another program cuts short would end
    this process by SIGBUS.

    Args:
        path: The file.
        size, sha256: What the manifest says of it.

    Raises:
        DamagedIndexError: It cannot be read, or is not as it was written.
    """

    def __init__(self, path: Path, size: int, sha256: str) -> None:
        self.path = path
        self.size, self._sha256 = size, sha256
        self._lock = threading.Lock()
        self._good: Stamp | None = None
        self._bad: Stamp | None = None
        try:
            self._descriptor = open_regular(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            self.check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def check(self) -> None:
        """Compare the file with its checksum, if it was changed since that was last compared.

        Raises:
            DamagedIndexError: It is not as it was written.
        """
        try:
            found = os.fstat(self._descriptor)
            stamp = found.st_size, found.st_mtime_ns, found.st_ctime_ns
            if stamp == self._good:
                return
            with self._lock:
                self._compare(stamp)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _compare(self, stamp: Stamp) -> None:
        if stamp[0] != self.size:
            raise DamagedIndexError(
                f"{self.path}: {stamp[0]} bytes where {self.size} were written; {REMEDY}"
            )
        if stamp != self._bad:
            with open(self._descriptor, "rb", closefd=False) as file:
                file.seek(0)
                if hashlib.file_digest(file, "sha256").hexdigest() == self._sha256:
                    self._good = stamp
                    return
            self._bad = stamp
        raise DamagedIndexError(f"{self.path}: changed since it was written; {REMEDY}")

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset`` on.

        Raises:
            DamagedIndexError: There are fewer, or they cannot be read.
        """
        try:
            content = self._read_some(offset, size)
            while len(content) < size:
                more = self._read_some(offset + len(content), size - len(content))
                if not more:
                    raise DamagedIndexError(f"{self.path}: cut short; {REMEDY}")
                content += more
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return content

    def _read_some(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, size, offset)
        with self._lock:  # Windows.
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, size)


def _unreadable(path: Path, error: OSError) -> DamagedIndexError:
    return DamagedIndexError(f"{path}: cannot be read ({error.strerror or error}); {REMEDY}")

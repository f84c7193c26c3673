"""Files of the index, opened for reading and watched while they are open.

A file that has the size and the times that its manifest names was not written to since, and opens
without being read. Any other is hashed: one that was copied, restored, touched or changed. What a
disk loses by itself, without a write, shows where every byte is compared: before a rebuild copies
from a file, before a rollback, and by the doctor.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from qabot.errors import DamagedIndexError
from qabot.files import AT_ONCE, open_regular, read_at

REMEDY = "run `qabot rebuild --full`"

Stamp = tuple[int, int, int]
"""Size in bytes, and the times of the last change of content and of the file, in nanoseconds."""
# Within a tick of its clock, a file system gives two changes the same time.
_TICK_NS = 100_000_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as a manifest describes it.

    Attributes:
        size: In bytes.
        sha256: In hex digits.
        times: Of the last change of content and of the file, in nanoseconds; ``None`` if a later
            change could leave them as they are.
    """

    size: int
    sha256: str
    times: tuple[int, int] | None = None

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Describe a file that is completely written."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found = path.stat()
        times = found.st_mtime_ns, found.st_ctime_ns
        fresh = time.time_ns() - max(times) < _TICK_NS
        coarse = found.st_ctime_ns % _SECOND_NS == 0
        # On Windows, the second one is that of its creation, and any program can set the first.
        return cls(found.st_size, digest, None if fresh or coarse or os.name == "nt" else times)


class OpenFile:
    """An open file of a generation, which must not change.

    Reading goes through the descriptor: a mapped file that another program cuts short would end
    this process by SIGBUS.

    Args:
        path: The file.
        made: What the manifest says of it.

    Raises:
        DamagedIndexError: It cannot be read, or is not as it was written.
    """

    def __init__(self, path: Path, made: FileStamp) -> None:
        self.path = path
        self.size, self._sha256 = made.size, made.sha256
        self._lock = threading.Lock()
        self._good: Stamp | None = (made.size, *made.times) if made.times else None
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

    def compare(self) -> None:
        """Compare every byte.

        Raises:
            DamagedIndexError: It is not as it was written.
        """
        self._good = None
        self.check()

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

    def read_each(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Read several parts, each given by its offset and its size.

        Raises:
            DamagedIndexError: One cannot be read.
        """
        if AT_ONCE:
            # A question needs some thousand: a loop of Python's would take as long as reading.
            try:
                parts = list(map(os.pread, repeat(self._descriptor), sizes, offsets))
            except OSError as error:
                raise _unreadable(self.path, error) from error
            if list(map(len, parts)) == sizes:
                return parts
        return list(map(self.read, offsets, sizes))

    def _read_some(self, offset: int, size: int) -> bytes:
        return read_at(self._descriptor, size, offset, self._lock)


def _unreadable(path: Path, error: OSError) -> DamagedIndexError:
    return DamagedIndexError(f"{path}: cannot be read ({error.strerror or error}); {REMEDY}")

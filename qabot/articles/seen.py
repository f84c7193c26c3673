"""What files that were read before had in them, as long as nobody has written to them since.

A file's size, its times and its number in the file system stand for its bytes, as in Git's index.
No program can set the time of the last change of a file's entry (ctime), so one whose earlier time
of modification was restored is read again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from types import MappingProxyType

# A file that was written to so shortly before it was read may be written to again with the same
# times: clocks of file systems have ticks.
_SETTLED_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000
_KEY_BYTES = 16


class SeenFiles:
    """Remembers the ``Article.content`` of files.

    Args:
        before: What was remembered, as ``after`` was then.
        stamp: Changes with anything but a file's bytes and name that decides its content.

    Attributes:
        after: What to remember of the files that were asked about: file and times as a hash of
            16 bytes → SHA-256, 32 bytes.
    """

    def __init__(
        self, before: Mapping[bytes, bytes] = MappingProxyType({}), stamp: str = ""
    ) -> None:
        self._before = before
        self._stamp = hashlib.blake2b(stamp.encode(), digest_size=_KEY_BYTES)
        self.after: dict[bytes, bytes] = {}

    def content(self, path: str | os.PathLike[str], status: os.stat_result) -> str | None:
        """The content of a file, in hex digits; ``None`` if it has to be read."""
        key = self._key(path, status)
        content = self._before.get(key)
        if content is None:
            return None
        self.after[key] = content
        return content.hex()

    def add(
        self, path: str | os.PathLike[str], status: os.stat_result, begun: int, content: str
    ) -> None:
        """Remember the content of a file, if nobody can change it without changing its times.

        Args:
            status: What was true before its first byte was read and after the last.
            begun: When reading it began, in nanoseconds (``time.time_ns``).
        """
        # On Windows, the second time is that of its creation, and any program can set the first.
        # File systems with times in whole seconds may have no time of the entry, either.
        if os.name == "nt" or status.st_ctime_ns % _SECOND_NS == 0:
            return
        if max(status.st_mtime_ns, status.st_ctime_ns) < begun - _SETTLED_NS:
            self.after[self._key(path, status)] = bytes.fromhex(content)

    def _key(self, path: str | os.PathLike[str], status: os.stat_result) -> bytes:
        key = self._stamp.copy()
        numbers = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        key.update(b"%d %d %d %d " % numbers + os.fsencode(path))
        return key.digest()

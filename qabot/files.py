"""Open and read files whose place is fixed, and that could be something else.

A pipe in the place of a file would be waited for without end.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

# Windows cannot read at a place without seeking it.
AT_ONCE = hasattr(os, "pread")
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def open_regular(path: Path) -> int:
    """Open a file for reading; return its descriptor.

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


def read_at(descriptor: int, size: int, offset: int, seeking: threading.Lock) -> bytes:
    """Read up to ``size`` bytes from ``offset`` on.

    Args:
        seeking: Held where the file has to be sought; by all who read through ``descriptor``.

    Raises:
        OSError: They cannot be read.
    """
    if AT_ONCE:
        return os.pread(descriptor, size, offset)
    with seeking:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)

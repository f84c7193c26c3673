"""Make a complete generation the live one, in one step; one rebuild at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from qabot.errors import RebuildRunningError, StorageError
from qabot.index.identity import Identity
from qabot.index.manifest import GENERATIONS, SEGMENTS

CURRENT, LOCK = "CURRENT", "LOCK"
NEW = f"{CURRENT}.new"

_FREE_SPACE = "free space or name another folder with --index"
_PERMISSIONS = "run it as the folder's owner, or name another folder with --index"
_LOCKS = "name a folder on a disk that has locks with --index"
_DISK = "check the disk, or name another folder with --index"
_FILES = "close other programs, or raise the limit of open files (`ulimit -n`)"
_ANY = "free space, check the disk, or name another folder with --index"
# By the system's error number; another one may be of the disk or of the network to it.
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FREE_SPACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _PERMISSIONS),
    **dict.fromkeys((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP), _LOCKS),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _FILES),
}


def publish(index: Path, work: Path, identity: Identity) -> None:
    """Give the complete generation in ``work`` its place, and make it the live one.

    Every file is on the disk before its folder gets its name; the segments have theirs before the
    generation that names them, and that before ``CURRENT`` names it.

    Raises:
        OSError: The disk cannot be written; the live generation is unchanged.
    """
    segments = index / SEGMENTS
    written = list((work / SEGMENTS).glob("*"))
    for folder in written:
        _sync_folder(folder)
    if written:
        segments.mkdir(exist_ok=True)
        _sync(index)
        for folder in written:
            folder.rename(segments / folder.name)
        (work / SEGMENTS).rmdir()
        _sync(segments)
    _sync_folder(work)
    place = index / GENERATIONS / str(identity.number)
    work.rename(place)
    try:
        _sync(index / GENERATIONS)
        make_live(index, identity)
    except OSError:
        with contextlib.suppress(OSError):
            if not _is_live(index, identity):  # Else it would lie about as if it had been.
                place.rename(work)
        raise


def _is_live(index: Path, identity: Identity) -> bool:
    try:
        return (index / CURRENT).read_bytes() == identity.line.encode()
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def make_live(index: Path, identity: Identity) -> None:
    """Write ``CURRENT`` in the folder ``index``.

    Raises:
        OSError: The disk cannot be written; the live generation is unchanged.
    """
    new = index / NEW
    new.unlink(missing_ok=True)  # Never through a link that somebody put there.
    with new.open("x", encoding="ascii") as file:
        file.write(identity.line)
    _sync(new)
    new.replace(index / CURRENT)
    # It is live from here on: nothing may say that it could not be written.
    with contextlib.suppress(OSError):
        _sync(index)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def rebuild_lock(index: Path) -> Iterator[None]:
    """Lock the folder ``index`` for one rebuild.

    Raises:
        RebuildRunningError: Another rebuild has the lock.
        OSError: It cannot be locked.
    """
    from filelock import FileLock, Timeout

    # Without locks of the system's own, a killed rebuild would keep all others out.
    lock = FileLock(index / LOCK, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise RebuildRunningError(
            f"{index}: another rebuild is running; wait for it to end"
        ) from error
    try:
        yield
    finally:
        # What was done under it is done, and it ends with the process at the latest.
        with contextlib.suppress(OSError):
            lock.release()


def is_locked(index: Path) -> bool:
    """Tell if a rebuild has the lock of the folder ``index``."""
    if not (index / LOCK).exists() or lock_obstacle(index):
        return False
    try:
        with rebuild_lock(index):
            return False
    except RebuildRunningError:
        return True
    except OSError:  # Nobody can lock it, then.
        return False


def lock_obstacle(index: Path) -> str | None:
    """Describe anything but a plain file in the place of ``LOCK``, with the remedy."""
    path = index / LOCK
    if not os.path.lexists(path) or (path.is_file() and not path.is_symlink()):
        return None
    found = "is a link" if path.is_symlink() else "is no regular file"
    return f"{path}: {found}; remove it, and the next rebuild makes it anew"


def unwritable(
    index: Path, error: OSError | sqlite3.Error, *, published: bool = False
) -> StorageError:
    """Describe the error of a full, read-only or broken disk in one line.

    Args:
        index: The index folder.
        error: What was raised.
        published: Whether the new generation is the live one already.
    """
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if published:
        told = f"the new generation is live, but its rebuild failed at the end ({reason})"
    else:
        told = f"the index cannot be written ({reason}); the live one is unchanged"
    # SQLite's own word for any error of the disk is "disk I/O error".
    remedy = _DISK if number else _FREE_SPACE if "full" in reason else _ANY
    return StorageError(f"{index}: {told}; {_REMEDIES.get(number or 0, remedy)}")

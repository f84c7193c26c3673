"""Lock generations that are read, so that none is removed under its readers.

The lock is on the generation's manifest and ends with its process, however that ends. Where the
system has no such locks (Windows), open files keep a folder from being renamed, and renaming is the
first step of removing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from qabot.errors import UnusableIndexError
from qabot.files import open_regular
from qabot.index.manifest import NAME, Manifest

try:
    import fcntl
except ImportError:  # Windows.
    fcntl = None  # type: ignore[assignment]

REMOVING = ".removing-"
"""A folder whose name begins so is on its way out."""


def acquire_shared_lock(folder: Path) -> Callable[[], None]:
    """Keep ``folder`` from being removed until the returned function is called.

    A generation without a manifest can neither be locked nor read.
    """
    try:
        descriptor = open_regular(folder / NAME)
    except OSError:
        return lambda: None
    if fcntl is not None:
        # Some network folders have no locks: there, removal is up to the system.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    return lambda: os.close(descriptor)


def remove(folder: Path) -> bool:
    """Remove the generation in ``folder`` unless somebody reads it; whether it is gone.

    It vanishes in one step: whoever opens it at this moment finds all of it, or nothing.
    """
    gone = folder.with_name(REMOVING + folder.name)
    with contextlib.ExitStack() as stack:
        try:
            descriptor = open_regular(folder / NAME)
        except OSError:
            pass  # Without a manifest it is no generation that anyone could read.
        else:
            stack.callback(os.close, descriptor)
            try:
                if fcntl is not None:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:
                pass
        try:
            folder.rename(gone)
        except OSError:
            return False
    delete(gone)
    return True


def unnamed_segments(segments: Path, generations: Iterable[Path]) -> list[Path]:
    """Find the segments that no generation names; none where a manifest cannot be read."""
    named: set[str] = set()
    try:
        for folder in generations:
            named.update(made.name for made in Manifest.read(folder).segments)
    except UnusableIndexError:
        return []  # It may name any of them, and be readable again.
    return sorted(folder for folder in segments.glob("[1-9]*") if folder.name not in named)


def remove_segment(folder: Path) -> None:
    """Remove a segment that no generation names; what is left of it goes with the next rebuild."""
    gone = folder.with_name(REMOVING + folder.name)
    with contextlib.suppress(OSError):
        folder.rename(gone)
        delete(gone)


def delete(path: Path) -> bool:
    """Remove a folder, file or link, as far as possible; whether it is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return not os.path.lexists(path)

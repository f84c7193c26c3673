"""Notice when a rebuild may be due: sources have changed, or time has passed.

The system notifies of changes in folders. Files that are named themselves are checked every half
second, and so is which folder stands at each name. This also sees editors that replace a file,
disks that come back, and links that lead elsewhere.

A change may turn out to be none: a rebuild without changes takes a third of a second, so that it is
cheaper to run it than to predict what it would read.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qabot.articles.formats import FORMATS
from qabot.articles.sources import pattern_of
from qabot.errors import UsageError
from qabot.text import printable_path

if TYPE_CHECKING:
    from watchfiles import Change

# How often sources are checked, and how long nothing may change before a change is reported:
# writing a file takes several steps, copying a folder many.
LOOK_MS = 500
QUIET_SECONDS = 1.0
_LONGEST_BURST = 30.0
_NAMED = 3
_REST = 100

_Changes = set[tuple["Change", str]]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rebuild is due.

    Attributes:
        cause: The program has just started, something changed, or the interval has passed.
        paths: The first of the changed paths, as the user names them.
        more: How many others changed.
    """

    cause: Literal["start", "change", "interval"]
    paths: tuple[str, ...] = ()
    more: int = 0

    def __str__(self) -> str:
        if self.cause == "start":
            return "started"
        if self.cause == "interval":
            return "the interval has passed"
        return f"changed: {', '.join(self.paths)}{f' and {self.more} more' if self.more else ''}"


def due(
    paths: Callable[[], Iterable[str]],
    *,
    ignored: Sequence[str] = (),
    watch: bool,
    every: timedelta | None,
    stop: threading.Event,
) -> Iterator[Reason]:
    """Yield a reason whenever a rebuild is due; the first one at once.

    Changes during the caller's rebuild are a reason for another one. A burst of changes is one
    reason. The interval begins anew when the caller goes on.

    Args:
        paths: Returns the files, folders and patterns to watch; called before and after each
            rebuild, since that may change them.
        ignored: Folders in which nothing is a reason: the index.
        watch: Changes are a reason.
        every: The interval; ``None`` if only changes are a reason.
        stop: Ends the iteration within half a second.

    Raises:
        UsageError: The system cannot watch so many folders.
    """
    watcher = _Watcher(stop, ignored) if watch else None
    with contextlib.closing(watcher) if watcher else contextlib.nullcontext():
        if watcher:
            watcher.follow(paths())
        reason: Reason | None = Reason("start")
        while reason and not stop.is_set():
            yield reason
            if watcher:
                watcher.follow(paths())
            reason = _next(watcher, every, stop)
            if watcher and reason:
                watcher.follow(paths())


def _next(
    watcher: _Watcher | None, every: timedelta | None, stop: threading.Event
) -> Reason | None:
    """Wait for the next reason; ``None`` if stopped, or if there can be none."""
    end = time.monotonic() + every.total_seconds() if every else None
    if watcher is None:
        if end is None or stop.wait(end - time.monotonic()):
            return None
        return Reason("interval")
    while not stop.is_set():
        if changed := watcher.burst():
            names = sorted(changed)
            return Reason("change", tuple(names[:_NAMED]), len(names[_NAMED:]))
        if end is not None and time.monotonic() >= end:
            return Reason("interval")
    return None


class _Watcher:
    """Watches files and folders.

    Args:
        ignored: Folders in which changes do not count.
    """

    def __init__(self, stop: threading.Event, ignored: Sequence[str]) -> None:
        self._stop = stop
        self._ignored = [Path(os.path.realpath(folder)) for folder in ignored]
        # Path as the user names it → what was last seen there.
        self._seen: dict[Path, tuple[int, ...] | None] = {}
        # Real path of each watched folder → how the user names it.
        self._roots: dict[Path, Path] = {}
        self._notices: Generator[_Changes, None, None] | None = None
        # Changes that were noticed before other folders were watched.
        self._pending: set[str] = set()
        self._next_look = 0.0

    def close(self) -> None:
        """Stop watching."""
        if self._notices is not None:
            self._notices.close()

    def follow(self, paths: Iterable[str]) -> None:
        """Watch these paths from now on."""
        named = [pattern_of(Path(path))[0] for path in paths]
        if set(named) != set(self._seen):
            self._seen = {path: self._seen.get(path, _signature(path)) for path in named}
            self._watch()

    def burst(self) -> set[str]:
        """Return what has changed, once things are quiet; empty if nothing changed for a while."""
        found = self._look()
        if not found:
            return found
        begun = last = time.monotonic()
        while last - begun < _LONGEST_BURST and not self._stop.is_set():
            if more := self._look():
                last = time.monotonic()
                found |= more
            elif time.monotonic() - last >= QUIET_SECONDS:
                break
        return found

    def _look(self) -> set[str]:
        """Return what has changed since the last look; takes half a second if nothing has."""
        if self._notices is None:
            self._stop.wait(LOOK_MS / 1000)
            changes: _Changes = set()
        else:
            changes = next(self._notices, set())
        changed, self._pending = self._pending | self._names(changes), set()
        replaced = self._replaced()
        gone = any(kind.name == "deleted" and Path(path) in self._roots for kind, path in changes)
        if gone or any(path.is_dir() or path in self._roots.values() for path in replaced):
            self._watch()
        return changed | set(map(printable_path, replaced))

    def _names(self, changes: _Changes) -> set[str]:
        return {printable_path(name) for kind, path in changes if (name := self._name(kind, path))}

    def _name(self, kind: Change, text: str) -> Path | None:
        """Return a changed path as the user names it; ``None`` if no rebuild would read it."""
        # The system may name a folder by a link to it.
        path = Path(os.path.realpath(text))
        if any(path.is_relative_to(folder) for folder in self._ignored):
            return None
        root = next((root for root in self._roots if path.is_relative_to(root)), None)
        if root is None:
            return None
        below = path.relative_to(root)
        # What is gone may have been a folder, whatever its name ends in.
        may_be_read = path.suffix.lower() in FORMATS or kind.name == "deleted" or path.is_dir()
        hidden = any(part.startswith(".") for part in below.parts)
        return self._roots[root] / below if may_be_read and not hidden else None

    def _replaced(self) -> list[Path]:
        """Return the named files and folders that are no longer what they were."""
        begun = time.monotonic()
        if begun < self._next_look:
            return []
        changed = []
        for path, before in self._seen.items():
            now = _signature(path)
            if now != before:
                self._seen[path] = now
                changed.append(path)
        # If thousands are named, checking them takes at most a hundredth of the time.
        self._next_look = begun + _REST * (time.monotonic() - begun)
        return changed

    def _watch(self) -> None:
        """Have the system watch the folders that now stand at the given names."""
        before, self._notices = self._notices, None
        folders = [path for path in self._seen if path.is_dir()]
        self._roots = {Path(os.path.realpath(path)): path for path in reversed(folders)}
        try:
            if folders:
                self._notices = _notices(sorted(map(str, self._roots)), self._stop)
                next(self._notices, None)  # The watch begins with the first call.
        except (OSError, RuntimeError) as error:
            self._notices = None
            # One that has just vanished is noticed as such by the next look.
            if all(map(os.path.isdir, self._roots)):
                raise UsageError(
                    f"the folders cannot be watched ({error}); raise the system's limit "
                    "(fs.inotify.max_user_watches), or rebuild at an interval instead"
                ) from error
        finally:
            if before is not None:
                # What has changed up to now; the new watch began before the old one ends.
                self._pending |= self._names(next(before, set()))
                before.close()


def _signature(path: Path) -> tuple[int, ...] | None:
    """Return what identifies a folder, or a file with its content; ``None`` for nothing."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    place = found.st_dev, found.st_ino
    return place if stat.S_ISDIR(found.st_mode) else (*place, found.st_mtime_ns, found.st_size)


def _notices(folders: Sequence[str], stop: threading.Event) -> Generator[_Changes, None, None]:
    """Yield the changes in the folders and below them since the last call."""
    from watchfiles import watch

    return watch(
        *folders,
        watch_filter=None,
        debounce=LOOK_MS,
        step=LOOK_MS // 2,
        stop_event=stop,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )

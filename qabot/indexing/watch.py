"""When a rebuild is due: files have changed, or time has passed; knows nothing of rebuilds.

Folders are watched by the system's own notifications. Files that are named themselves are looked at
every half second instead, and so is which folder stands where one is named: that sees editors that
replace a file, disks that come back, and links that lead elsewhere, where a notification would stay
with what is gone.
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

from qabot.articles.ignore_rules import Excludes
from qabot.articles.source_matcher import SourceMatcher
from qabot.errors import SourceError, UsageError
from qabot.text import printable_path
from qabot.web import is_address

if TYPE_CHECKING:
    from watchfiles import Change

# How often is looked, and for how long nothing may change before it is told: writing a file takes
# several steps, copying a folder many.
LOOK_MS = 500
QUIET_SECONDS = 1.0
_LONGEST_BURST = 30.0
_NAMED = 3
_REST = 100

_Changes = set[tuple["Change", str]]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched.

    Attributes:
        sources: As a rebuild takes them, those of all collections too. Web addresses count for
            nothing here.
        exclude: Patterns of what is not read.
        files: Other files whose change is a reason: the settings.
        ignored: Folders in which nothing is a reason: the index.
    """

    sources: Sequence[str]
    exclude: Sequence[str] = ()
    files: Sequence[str] = ()
    ignored: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rebuild is due.

    Attributes:
        cause: It has not been seen yet what the sources hold (``start``), they have changed, or the
            interval has passed.
        paths: Of what changed, a few, as the user names them.
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
    watched: Callable[[], Watched],
    *,
    watch: bool,
    every: timedelta | None,
    stop: threading.Event,
) -> Iterator[Reason]:
    """Wait until a rebuild is due, again and again; the first one is at once.

    Whatever changes from then on, also while the caller rebuilds, is a reason for another one; a
    burst of changes is one reason. The interval begins anew when the caller goes on.

    Args:
        watched: What to watch; asked before and after each rebuild, since that may change it.
        watch: Whether changes are a reason.
        every: The interval; ``None`` where only changes are a reason.
        stop: Ends the iteration within half a second.

    Raises:
        UsageError: The system cannot watch so many folders.
    """
    watcher = _Watcher(stop) if watch else None
    with contextlib.closing(watcher) if watcher else contextlib.nullcontext():
        if watcher:
            watcher.follow(watched())
        reason: Reason | None = Reason("start")
        while reason and not stop.is_set():
            yield reason
            if watcher:
                watcher.follow(watched())
            reason = _next(watcher, every, stop)
            if watcher and reason:
                watcher.follow(watched())


def _next(
    watcher: _Watcher | None, every: timedelta | None, stop: threading.Event
) -> Reason | None:
    """The next reason; ``None`` once stopped, or if there can be none."""
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
    """Sees what changes of sources."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._watched: Watched | None = None
        self._places: list[SourceMatcher] = []
        # Those of them that are folders: only of these is anything told.
        self._open: list[SourceMatcher] = []
        self._ignored: list[Path] = []
        # Path as it is named → what was seen there last.
        self._seen: dict[str, tuple[int, ...] | None] = {}
        self._roots: dict[str, tuple[int, ...] | None] = {}
        self._stale = False
        self._notices: Generator[_Changes, None, None] | None = None
        # By their real paths: of one that is gone, nothing else tells that it was no file.
        self._folders: set[str] = set()
        self._pending: set[str] = set()
        self._next_look = 0.0

    def close(self) -> None:
        """End watching."""
        if self._notices is not None:
            self._notices.close()

    def follow(self, watched: Watched) -> None:
        """Watch this from now on; what was seen before stays seen."""
        if watched != self._watched:
            self._watched = watched
            self._places, self._stale = _places(watched), True
            self._ignored = [Path(os.path.realpath(folder)) for folder in watched.ignored]
            names = [*(str(place.path) for place in self._places), *watched.files]
            self._seen = {name: self._seen.get(name, _look(name)) for name in names}
        self._renew()

    def burst(self) -> set[str]:
        """What has changed, once nothing does any more; nothing where nothing did in a while."""
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
        """What has changed since the last look; takes half a second where nothing has."""
        changed = self._told(self._noticed()) | self._pending
        self._pending = set()
        if time.monotonic() >= self._next_look:
            changed |= self._replaced()
            self._renew()
        return changed

    def _replaced(self) -> set[str]:
        """What is no longer as it was of all that is named."""
        begun = time.monotonic()
        changed = set()
        for name, before in self._seen.items():
            now = _look(name)
            if now != before:
                self._seen[name] = now
                changed.add(printable_path(Path(name)))
        # Where thousands are named, looking is to take no more than a fraction of the time.
        self._next_look = begun + _REST * (time.monotonic() - begun)
        return changed

    def _noticed(self) -> _Changes:
        if self._notices is None:
            self._stop.wait(LOOK_MS / 1000)
            return set()
        return next(self._notices, set())

    def _renew(self) -> None:
        """Have the system watch the folders that stand where they are named now."""
        real = {os.path.realpath(place.path) for place in self._places if place.path.is_dir()}
        roots = {root: _look(root) for root in sorted(real)}
        if roots == self._roots and not self._stale:
            return
        self._stale = False
        before, self._notices, self._roots = self._notices, None, {}
        if self._watched:
            # Links may lead elsewhere now.
            self._places = _places(self._watched)
        self._open = [place for place in self._places if place.path.is_dir()]
        try:
            self._folders = {root for root in real for root in _folders(root)}
            if real:
                self._notices, self._roots = _notices(sorted(real), self._stop), roots
                # The first look begins the watch; the new one begins before the old one ends.
                self._pending |= self._told(next(self._notices, set()))
        except (OSError, RuntimeError) as error:
            self._notices, self._roots = None, {}
            # One that is gone meanwhile is noticed as such by the next look.
            if all(map(os.path.isdir, real)):
                raise UsageError(
                    f"the folders cannot be watched ({error}); raise the system's limit "
                    "(fs.inotify.max_user_watches), or rebuild at an interval instead"
                ) from error
        finally:
            if before is not None:
                self._pending |= self._told(next(before, set()))
                before.close()

    def _told(self, changes: Iterable[tuple[Change, str]]) -> set[str]:
        """The names of those ``changes`` that a rebuild would find."""
        names = set()
        for kind, text in changes:
            path = Path(text)
            if any(path.is_relative_to(folder) for folder in self._ignored):
                continue
            gone = kind.name == "deleted" and text in self._folders
            if gone and text in self._roots:
                # A folder made anew may have its number, but is not watched.
                self._stale = True
            found = self._members(path) if kind.name == "added" and path.is_dir() else [path]
            for place in self._open:
                name = place.named(path)
                if name and any(place.reads(file, folder=gone) for file in found):
                    names.add(printable_path(name))
        return names

    def _members(self, folder: Path) -> list[Path]:
        """The files in a folder that has come."""
        self._folders |= _folders(str(folder))
        return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def _places(watched: Watched) -> list[SourceMatcher]:
    try:
        excludes = Excludes(watched.exclude)
    except SourceError:
        # The rebuild says so.
        excludes = Excludes(())
    return [SourceMatcher(source, excludes) for source in watched.sources if not is_address(source)]


def _look(name: str) -> tuple[int, ...] | None:
    """What tells a folder from another one, and a file from what it was; ``None`` for nothing."""
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return None
    place = found.st_dev, found.st_ino
    return place if stat.S_ISDIR(found.st_mode) else (*place, found.st_mtime_ns, found.st_size)


def _folders(root: str) -> set[str]:
    return {folder for folder, _, _ in os.walk(root)}


def _notices(folders: Sequence[str], stop: threading.Event) -> Generator[_Changes, None, None]:
    """What changes in the folders, and those in them, whenever it is asked for."""
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

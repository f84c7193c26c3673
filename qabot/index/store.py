"""Generations on disk: open the live one, write the next beside it, publish it in one step.

::

    index/
      CURRENT               number of the live generation
      LOCK                  held by the one rebuild that may run
      generations/7/        complete and immutable
        manifest.json       written last; names every other file and its checksum
        …

A reader sees the old generation or the new one, whole. Killed at any instant, a rebuild leaves at
most a folder that was never live: one whose name starts with a dot, which the next rebuild removes,
or a numbered one, which is removed as old generations are.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from qabot.errors import (
    DamagedIndexError,
    NoIndexError,
    RebuildRunningError,
    StorageError,
    UnusableIndexError,
    UsageError,
)
from qabot.index.generation import Generation
from qabot.index.lease import REMOVING, remove
from qabot.index.manifest import Manifest
from qabot.index.writer import GenerationWriter

_CURRENT, _LOCK, _GENERATIONS = "CURRENT", "LOCK", "generations"
_WORK = ".building-"
# The live generation and two before it: enough to go back.
KEEP = 3
_OPEN_ATTEMPTS = 3


class IndexStore:
    """The index folder.

    Args:
        folder: It need not exist; writing makes it.
        keep: How many generations stay when one is published, at least; none is removed that is
            being read.
    """

    def __init__(self, folder: Path, *, keep: int = KEEP) -> None:
        self.folder = folder
        self._keep = keep

    def current(self) -> int:
        """Number of the live generation.

        Raises:
            NoIndexError: Nothing was published yet.
            DamagedIndexError: ``CURRENT`` holds no number or cannot be read.
        """
        path = self.folder / _CURRENT
        try:
            return int(path.read_text("ascii"))
        except FileNotFoundError:
            raise NoIndexError(f"{self.folder}: no index here; run `qabot rebuild`") from None
        except OSError as error:
            reason = self._obstacle() or (
                f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
            )
            raise DamagedIndexError(reason) from error
        except ValueError as error:
            raise DamagedIndexError(
                f"{path}: names no generation ({error}); run `qabot rebuild --full`"
            ) from error

    def manifest(self) -> Manifest:
        """What the live generation is; its other files are not looked at.

        Raises:
            UnusableIndexError: There is none, or its manifest is damaged or of another format.
        """
        return Manifest.read(self._path(self.current()))

    def open(self, *, whole: bool = True) -> Generation:
        """The live generation.

        Args:
            whole: Whether to open all of it now (``Generation``).

        Raises:
            UnusableIndexError: There is none, or it is damaged or of another format.
        """
        for attempt in range(_OPEN_ATTEMPTS):
            number = self.current()
            try:
                return Generation(self._path(number), whole=whole)
            except DamagedIndexError:
                # Rebuilds may have replaced and removed it since CURRENT was read.
                if attempt == _OPEN_ATTEMPTS - 1 or self.current() == number:
                    raise
        raise AssertionError("unreachable")

    def open_number(self, number: int) -> Generation:
        """One of ``numbers()``, live or not.

        Raises:
            UnusableIndexError: It is damaged or of another format.
        """
        return Generation(self._path(number))

    @contextlib.contextmanager
    def rebuild(self) -> Iterator[GenerationWriter]:
        """Hold the lock and write the next generation; nothing counts until ``publish``.

        Raises:
            RebuildRunningError: Another rebuild holds the lock.
            StorageError: The folder cannot be written; the live generation is untouched.
        """
        self._refuse_obstacle()
        with _storage_errors(self.folder):
            (self.folder / _GENERATIONS).mkdir(parents=True, exist_ok=True)
            with self._locked():
                self._remove_leftovers()
                work = Path(tempfile.mkdtemp(prefix=_WORK, dir=self.folder / _GENERATIONS))
                try:
                    yield GenerationWriter(work, self.next_number(), self.publish)
                finally:
                    shutil.rmtree(work, ignore_errors=True)
                self._prune()

    def rollback(self, number: int | None = None) -> Manifest:
        """Make an earlier generation the live one, in one step; what it holds.

        Args:
            number: Its number, which may be a later one again; the one before the live generation
                where not given.

        Raises:
            NoIndexError: Nothing was published yet.
            UsageError: There is no such generation.
            UnusableIndexError: It is damaged or of another format; the live one stays.
            RebuildRunningError: A rebuild holds the lock.
            StorageError: The folder cannot be written.
        """
        self._refuse_obstacle()
        if not (self.folder / _CURRENT).exists():
            self.current()  # Says what is missing.
        with _storage_errors(self.folder), self._locked():
            chosen = self._earlier() if number is None else number
            if chosen not in self.numbers():
                raise UsageError(
                    f"{self.folder}: no generation {chosen}; there are {self._listed()}"
                )
            with contextlib.closing(self.open_number(chosen)) as generation:
                manifest = generation.manifest
            self._make_live(chosen)
            return manifest

    def _obstacle(self) -> str | None:
        """What stands where the index belongs and is none, with the remedy."""
        place = next((path for path in (self.folder, *self.folder.parents) if path.exists()), None)
        if place is not None and not place.is_dir():
            return f"{place}: is not a folder; name another one with --index, or move it away"
        if (self.folder / _CURRENT).is_dir():
            path = self.folder / _CURRENT
            return f"{path}: is a folder, not a file; remove it and run `qabot rebuild --full`"
        return None

    def _refuse_obstacle(self) -> None:
        if obstacle := self._obstacle():
            raise StorageError(obstacle)

    def _earlier(self) -> int:
        live = self.current()
        earlier = [number for number in self.numbers() if number < live]
        if not earlier:
            raise UsageError(f"{self.folder}: none before the live one; there are {self._listed()}")
        return earlier[-1]

    def _listed(self) -> str:
        live = None
        with contextlib.suppress(UnusableIndexError):
            live = self.current()
        names = [f"{number} (live)" if number == live else f"{number}" for number in self.numbers()]
        return f"generations {', '.join(names)}" if names else "none at all"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / _LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise RebuildRunningError(
                f"{self.folder}: another rebuild is running; wait for it to end"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _path(self, number: int) -> Path:
        return self.folder / _GENERATIONS / str(number)

    def numbers(self) -> list[int]:
        """The generations that are there, rising; of some, files may be missing."""
        paths = (self.folder / _GENERATIONS).glob("*")
        return sorted(int(path.name) for path in paths if path.name.isdecimal())

    def leftovers(self) -> list[Path]:
        """What rebuilds have left that were killed; one that runs now has such a folder, too."""
        folder = self.folder / _GENERATIONS
        return [path for prefix in (_WORK, REMOVING) for path in folder.glob(f"{prefix}*")]

    def busy(self) -> bool:
        """Whether a rebuild holds the lock."""
        if not (self.folder / _LOCK).exists():
            return False
        try:
            with self._locked():
                return False
        except (RebuildRunningError, OSError):
            return True

    def size(self) -> int:
        """Bytes of the live generation's files; 0 where there is none."""
        try:
            folder = self._path(self.current())
            return sum(path.stat().st_size for path in folder.iterdir())
        except (UnusableIndexError, OSError):
            return 0

    def _remove_leftovers(self) -> None:
        for path in self.leftovers():
            shutil.rmtree(path, ignore_errors=True)

    def _prune(self) -> None:
        # Never the highest: its number must not be given again.
        for number in self.numbers()[: -self._keep]:
            if number != self.current():
                remove(self._path(number))

    def next_number(self) -> int:
        """The number that the next generation gets: higher than any that is or was live."""
        with contextlib.suppress(UnusableIndexError):
            return max([self.current(), *self.numbers()]) + 1
        return max(self.numbers(), default=0) + 1

    def publish(self, work: Path, number: int) -> None:
        """Make the complete generation in ``work`` the live one."""
        folder = self._path(number)
        work.chmod(0o755)
        for path in work.iterdir():
            _sync(path)
        _sync(work)
        work.rename(folder)
        _sync(folder.parent)
        self._make_live(number)

    def _make_live(self, number: int) -> None:
        new = self.folder / f"{_CURRENT}.new"
        new.write_text(f"{number}\n", "ascii")
        _sync(new)
        new.replace(self.folder / _CURRENT)
        # It is live from here on: nothing may say that it could not be written.
        with contextlib.suppress(OSError):
            _sync(self.folder)


@contextlib.contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    """Turn what a full or read-only disk raises into one line."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise StorageError(
            f"{folder}: the index cannot be written ({reason}); the live one is unchanged; "
            "free space or name another folder with --index"
        ) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

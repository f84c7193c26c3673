"""Generations on disk: open the live one, write the next beside it, publish it in one step.

::

    index/
      CURRENT               number and id of the live generation (``Identity``)
      LOCK                  locked by the one rebuild that may run
      generations/7/        complete and immutable
        manifest.json       written last; names every other file and its checksum
        …
      segments/5-1/         articles that generation 5 wrote; immutable, shared by those after it
        …

A reader sees the old generation or the new one, whole. Killed at any instant, a rebuild leaves at
most folders that were never live: those whose names start with a dot and segments that no
generation names, which the next rebuild removes, or a numbered generation, which is removed as old
ones are.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from qabot.errors import (
    DamagedIndexError,
    NoIndexError,
    StorageError,
    UnusableIndexError,
    UsageError,
)
from qabot.files import read_regular
from qabot.index.encoded import NAME as ENCODED
from qabot.index.encoded import remove_encoded
from qabot.index.generation import Generation
from qabot.index.identity import Identity
from qabot.index.lease import REMOVING, delete, remove, remove_segment, unnamed_segments
from qabot.index.manifest import GENERATIONS, SEGMENTS, Manifest
from qabot.index.publishing import (
    CURRENT,
    NEW,
    is_locked,
    lock_obstacle,
    make_live,
    rebuild_lock,
    unwritable,
)
from qabot.index.seen import NAME as SEEN
from qabot.index.writer import GenerationWriter

_WORK = ".building-"
# The live generation and two before it: enough to go back.
KEEP = 3
_NUMBER = re.compile("[0-9]{1,18}")
_OPEN_ATTEMPTS = 3
_LONGEST_NUMBER = 20


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
            UnusableIndexError: As ``live``.
        """
        return self.live().number

    def live(self) -> Identity:
        """The identity of the live generation.

        Raises:
            NoIndexError: Nothing was published yet.
            DamagedIndexError: ``CURRENT`` names no generation or cannot be read.
            IndexMismatchError: The index is of an earlier format.
        """
        path = self.folder / CURRENT
        try:
            text = read_regular(path).decode("ascii")
        except FileNotFoundError:
            raise NoIndexError(f"{self.folder}: no index here; run `qabot rebuild`") from None
        except OSError as error:
            reason = self._obstacle(CURRENT) or (
                f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
            )
            raise DamagedIndexError(reason) from error
        except ValueError as error:
            raise _names_nothing(path, error) from error
        try:
            return Identity.parse(text)
        except ValueError as error:
            # Before format 5 it held the number alone. The manifest tells, if it is that old.
            if text.strip().isdecimal() and len(text) < _LONGEST_NUMBER:
                Manifest.read(self._path(int(text)))
            raise _names_nothing(path, error) from error

    def manifest(self) -> Manifest:
        """The manifest of the live generation; its other files are not read.

        Raises:
            UnusableIndexError: There is none, or its manifest is damaged or of another format.
        """
        live = self.live()
        return Manifest.read(self._path(live.number), live)

    def open(self, *, whole: bool = True) -> Generation:
        """The live generation.

        Args:
            whole: Whether to open all of it now (``Generation``).

        Raises:
            UnusableIndexError: There is none, or it is damaged or of another format.
        """
        for attempt in range(_OPEN_ATTEMPTS):
            live = self.live()
            try:
                return Generation(self._path(live.number), live, whole=whole)
            except DamagedIndexError:
                # Rebuilds may have replaced and removed it since CURRENT was read.
                if attempt == _OPEN_ATTEMPTS - 1 or self.live() == live:
                    raise
        raise AssertionError("unreachable")

    def open_number(self, number: int) -> Generation:
        """One of ``numbers()``, live or not, of which every byte was compared.

        Raises:
            UnusableIndexError: It is damaged or of another format.
        """
        return Generation(self._path(number), whole=False, compare=True)

    @contextlib.contextmanager
    def rebuild(self) -> Iterator[GenerationWriter]:
        """Take the lock and write the next generation; nothing counts until ``publish``.

        Raises:
            RebuildRunningError: Another rebuild holds the lock.
            StorageError: The folder cannot be written; the live generation is untouched.
        """
        self._refuse_obstacle()
        writer: GenerationWriter | None = None
        try:
            (self.folder / GENERATIONS).mkdir(parents=True, exist_ok=True)
            with rebuild_lock(self.folder):
                removed = self._remove_leftovers()
                identity = Identity.new(self.next_number())
                work = self.folder / GENERATIONS / f"{_WORK}{identity.id}"
                try:
                    work.mkdir()
                    writer = GenerationWriter(self.folder, work, identity, removed)
                    yield writer
                finally:
                    _discard(work)
                self._prune()
                remove_encoded(self.folder)
        except (OSError, sqlite3.Error) as error:
            published = writer is not None and writer.published
            raise unwritable(self.folder, error, published=published) from error

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
        if not (self.folder / CURRENT).exists():
            self.current()  # Says what is missing.
        try:
            with rebuild_lock(self.folder):
                chosen = self._earlier() if number is None else number
                if chosen not in self.numbers():
                    raise UsageError(
                        f"{self.folder}: no generation {chosen}; there are {self._listed()}"
                    )
                with contextlib.closing(self.open_number(chosen)) as generation:
                    manifest = generation.manifest
                make_live(self.folder, manifest.identity)
                return manifest
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def _obstacle(self, *names: str) -> str | None:
        """Describe what stands in the place of the index or of these files, with the remedy."""
        place = next((path for path in (self.folder, *self.folder.parents) if path.exists()), None)
        if place is not None and not place.is_dir():
            return f"{place}: is not a folder; name another one with --index, or move it away"
        for name in names:
            path = self.folder / name
            if path.exists() and not path.is_file():
                found = "is a folder, not a file" if path.is_dir() else "is no regular file"
                return f"{path}: {found}; remove it and run `qabot rebuild --full`"
        return None

    def _refuse_obstacle(self) -> None:
        obstacle = self._obstacle(CURRENT, NEW, ENCODED, SEEN) or lock_obstacle(self.folder)
        if obstacle:
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

    def _path(self, number: int) -> Path:
        return self.folder / GENERATIONS / str(number)

    def numbers(self) -> list[int]:
        """The generations that are there, rising; of some, files may be missing."""
        paths = (self.folder / GENERATIONS).glob("[1-9]*")
        return sorted(int(path.name) for path in paths if _NUMBER.fullmatch(path.name))

    def leftovers(self) -> list[Path]:
        """Files and folders of killed rebuilds; a running rebuild has such a folder, too."""
        generations, segments = self.folder / GENERATIONS, self.folder / SEGMENTS
        left = [*generations.glob(f"{_WORK}*"), *generations.glob(f"{REMOVING}*")]
        left += [*segments.glob(f"{REMOVING}*"), *self._unnamed()]
        new = self.folder / NEW
        return [*left, new] if os.path.lexists(new) else left

    def _unnamed(self) -> list[Path]:
        return unnamed_segments(self.folder / SEGMENTS, map(self._path, self.numbers()))

    def busy(self) -> bool:
        """Tell if a rebuild has the lock."""
        return is_locked(self.folder)

    def size(self) -> int:
        """Bytes of the live generation's files; 0 where there is none."""
        try:
            return sum(stamp.size for stamp in self.manifest().paths().values())
        except UnusableIndexError:
            return 0

    def _remove_leftovers(self) -> int:
        """Remove what killed rebuilds have left; how many."""
        return sum(delete(path) for path in self.leftovers())

    def _prune(self) -> None:
        # The new generation is live: if CURRENT cannot be read now, the next rebuild tidies up.
        with contextlib.suppress(UnusableIndexError):
            live = self.current()
            # Never the highest: its number must not be given again.
            for number in self.numbers()[: -self._keep]:
                if number != live:
                    remove(self._path(number))
            for folder in self._unnamed():
                remove_segment(folder)

    def next_number(self) -> int:
        """The number that the next generation gets: higher than any that is or was live."""
        # A segment is called after the generation that wrote it.
        segments = (path.name.partition("-")[0] for path in (self.folder / SEGMENTS).glob("*-*"))
        used = [0, *self.numbers(), *(int(name) for name in segments if _NUMBER.fullmatch(name))]
        with contextlib.suppress(UnusableIndexError):
            used.append(self.current())
        return max(used) + 1


def _names_nothing(path: Path, error: ValueError) -> DamagedIndexError:
    return DamagedIndexError(f"{path}: names no generation ({error}); run `qabot rebuild --full`")


def _discard(folder: Path) -> None:
    """Remove a folder, also if a signal comes meanwhile."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise

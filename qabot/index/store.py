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

import numpy as np
from numpy.typing import NDArray

from qabot.errors import (
    DamagedIndexError,
    NoIndexError,
    RebuildRunningError,
    StorageError,
    UnusableIndexError,
)
from qabot.index import manifest as files
from qabot.index.database import Database
from qabot.index.filtering import allowed_rows
from qabot.index.lexical import LexicalIndex
from qabot.index.manifest import FileStamp, Manifest, checksum
from qabot.index.vectors import Mask, VectorIndex
from qabot.types import Filters

_CURRENT, _LOCK, _GENERATIONS = "CURRENT", "LOCK", "generations"
_WORK = ".building-"
# The live generation and two before it: enough to go back, and a reader that has just read CURRENT
# still finds what it names.
_KEPT = 3
_OPEN_ATTEMPTS = 3
# Conversations and channels ask within the same few collections again and again.
_FILTERS_KEPT = 64

RowArray = NDArray[np.int64]


class Generation:
    """One opened, immutable generation; calls are safe from several threads.

    Attributes:
        sentences: Sentence vectors, float16 ``(sentences, dimension)``, mapped from disk; those of
            passage ``row`` are ``sentences[sentence_rows[row] : sentence_rows[row + 1]]``.
        sentence_rows: int64 ``(passages + 1,)``.

    Raises:
        DamagedIndexError: A file is missing or does not match the manifest.
        IndexMismatchError: The generation is of another format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest.read(folder)
        self.manifest.verify(folder)
        try:
            self.vectors = VectorIndex(folder / files.VECTORS)
            self.sentences: NDArray[np.float16] = np.load(
                folder / files.SENTENCES, mmap_mode="r", allow_pickle=False
            )
            self.sentence_rows: RowArray = np.load(folder / files.SENTENCE_ROWS, allow_pickle=False)
            self.database = Database(folder / files.DATABASE)
            self.lexical = LexicalIndex(folder / files.LEXICAL)
        except (OSError, ValueError, sqlite3.Error) as error:
            raise DamagedIndexError(f"{folder}: {error}; run `qabot rebuild --full`") from error
        # Not an lru_cache of a method: the cycle would leave the files to the garbage collector.
        self._allowed: dict[Filters, Mask | None] = {}

    def allowed(self, filters: Filters) -> Mask | None:
        """Which passages pass ``filters``: bool ``(passages,)``; ``None`` for all of them.

        Raises:
            FilterError: A value is no date, or names what the index does not hold.
        """
        if filters in self._allowed:
            return self._allowed[filters]
        allowed = allowed_rows(filters, self.manifest, self.database)
        if len(self._allowed) < _FILTERS_KEPT:
            self._allowed[filters] = allowed
        return allowed

    def close(self) -> None:
        """Close its files."""
        self.database.close()
        self.lexical.close()


class IndexStore:
    """The index folder.

    Args:
        folder: It need not exist; writing makes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> int:
        """Number of the live generation.

        Raises:
            NoIndexError: Nothing was published yet.
            DamagedIndexError: ``CURRENT`` holds no number.
        """
        path = self.folder / _CURRENT
        try:
            return int(path.read_text("ascii"))
        except FileNotFoundError:
            raise NoIndexError(f"{self.folder}: no index here; run `qabot rebuild`") from None
        except (OSError, ValueError) as error:
            raise DamagedIndexError(
                f"{path}: names no generation ({error}); run `qabot rebuild --full`"
            ) from error

    def open(self) -> Generation:
        """The live generation.

        Raises:
            UnusableIndexError: There is none, or it is damaged or of another format.
        """
        for attempt in range(_OPEN_ATTEMPTS):
            number = self.current()
            try:
                return Generation(self._path(number))
            except DamagedIndexError:
                # Rebuilds may have replaced and removed it since CURRENT was read.
                if attempt == _OPEN_ATTEMPTS - 1 or self.current() == number:
                    raise
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def rebuild(self) -> Iterator[GenerationWriter]:
        """Hold the lock and write the next generation; nothing counts until ``publish``.

        Raises:
            RebuildRunningError: Another rebuild holds the lock.
            StorageError: The folder cannot be written; the live generation is untouched.
        """
        from filelock import FileLock, Timeout

        with _storage_errors(self.folder):
            (self.folder / _GENERATIONS).mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / _LOCK, timeout=0)
            try:
                lock.acquire()
            except Timeout as error:
                raise RebuildRunningError(
                    f"{self.folder}: another rebuild is running; wait for it to end"
                ) from error
            try:
                self._remove_leftovers()
                work = Path(tempfile.mkdtemp(prefix=_WORK, dir=self.folder / _GENERATIONS))
                try:
                    yield GenerationWriter(self, work)
                finally:
                    shutil.rmtree(work, ignore_errors=True)
            finally:
                lock.release()

    def _path(self, number: int) -> Path:
        return self.folder / _GENERATIONS / str(number)

    def _numbers(self) -> list[int]:
        names = [path.name for path in (self.folder / _GENERATIONS).iterdir()]
        return sorted(int(name) for name in names if name.isdecimal())

    def _remove_leftovers(self) -> None:
        for path in (self.folder / _GENERATIONS).glob(f"{_WORK}*"):
            shutil.rmtree(path, ignore_errors=True)

    def next_number(self) -> int:
        """The number that the next generation gets: higher than any that is or was live."""
        with contextlib.suppress(UnusableIndexError):
            return max([self.current(), *self._numbers()]) + 1
        return max(self._numbers(), default=0) + 1

    def publish(self, work: Path, number: int) -> None:
        """Make the complete generation in ``work`` the live one, and remove the oldest."""
        folder = self._path(number)
        work.chmod(0o755)
        for path in work.iterdir():
            _sync(path)
        _sync(work)
        work.rename(folder)
        _sync(folder.parent)
        new = self.folder / f"{_CURRENT}.new"
        new.write_text(f"{number}\n", "ascii")
        _sync(new)
        new.replace(self.folder / _CURRENT)
        _sync(self.folder)
        for old in self._numbers()[:-_KEPT]:
            shutil.rmtree(self._path(old), ignore_errors=True)


class GenerationWriter:
    """The unpublished next generation: callers write ``FILES`` into ``folder``, then publish."""

    def __init__(self, store: IndexStore, folder: Path) -> None:
        self._store = store
        self.folder = folder
        self.number = store.next_number()

    def stamps(self) -> dict[str, FileStamp]:
        """Size and checksum of each file that was written."""
        paths = {name: self.folder / name for name in files.FILES}
        return {
            name: FileStamp(path.stat().st_size, checksum(path)) for name, path in paths.items()
        }

    def sentence_file(self, count: int, dimension: int) -> NDArray[np.float16]:
        """A zeroed array ``(count, dimension)`` mapped to the sentence file.

        The disk's blocks are reserved first, where the system can: writing to a mapped file on a
        full disk would kill the process.
        """
        path = self.folder / files.SENTENCES
        if count == 0:
            np.save(path, np.zeros((0, dimension), np.float16))
            return np.zeros((0, dimension), np.float16)
        vectors = np.lib.format.open_memmap(path, "w+", np.float16, (count, dimension))
        if hasattr(os, "posix_fallocate"):  # Not on macOS.
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return vectors

    def publish(self, manifest: Manifest) -> None:
        """Make this the live generation, in one step."""
        manifest.write(self.folder)
        self._store.publish(self.folder, self.number)


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

"""Articles added in Discord: files in a folder of their own; no discord.py here.

A new file waits in a hidden folder, which no rebuild reads, until the person has seen the article
and confirms it. A removed file is moved to another hidden folder: a wrong click loses nothing.
All functions read and write files: not for the event loop.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qabot.articles import Skipped, find_files, read_files
from qabot.articles.formats import FORMATS
from qabot.errors import SourceError, StorageError
from qabot.types import Article, ArticleInfo

LARGEST = 10 * 1024 * 1024
"""The most bytes of a file: Discord's own limit. Documents hold pictures too."""

_WAITING, _REMOVED = ".waiting", ".removed"
_LONGEST_NAME = 80
# The fingerprint of the file that a preview replaces.
_SEEN = ".seen"
_SECONDS_WAITING = 24 * 3600.0
_TOKEN = re.compile(r"[\w-]{16}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits for a person to confirm it.

    Attributes:
        token: Its key; 16 characters.
        name: Its future file name.
        replaces: True if a file of that name exists.
    """

    token: str
    name: str
    article: Article
    replaces: bool


class ChangedError(Exception):
    """Since a preview, somebody else has changed the file of that name."""


class Uploads:
    """The folder of articles added in Discord.

    Args:
        folder: It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_aside(self, filename: str, data: bytes) -> Waiting:
        """Read a file as an article, and keep it for up to a day until it is confirmed.

        Raises:
            SourceError: It holds no article.
            StorageError: The folder cannot be written.
        """
        name = safe_name(filename)
        token = secrets.token_urlsafe(12)
        try:
            self._forget_old()
            place = self.folder / _WAITING / token
            place.mkdir(parents=True)
            (place / name).write_bytes(data)
            (place / _SEEN).write_text(_fingerprint(self.folder / name), "utf-8")
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        [item] = read_files(find_files([place / name]))
        if isinstance(item, Skipped):
            shutil.rmtree(place, ignore_errors=True)
            raise SourceError(item.reason)
        return Waiting(token, name, item, (self.folder / name).exists())

    def confirm(self, token: str) -> str | None:
        """Keep a file that was put aside; return its name, ``None`` if it is gone.

        The version that it replaces is kept in the folder of removed files.

        Raises:
            ChangedError: Somebody else has added or removed a file of that name meanwhile.
            StorageError: The folder cannot be written.
        """
        place = self.folder / _WAITING / token
        if not _TOKEN.fullmatch(token) or not place.is_dir():
            return None
        try:
            [path] = [path for path in place.iterdir() if path.name != _SEEN]
            kept = self.folder / path.name
            if (place / _SEEN).read_text("utf-8") != _fingerprint(kept):
                shutil.rmtree(place, ignore_errors=True)
                raise ChangedError(path.name)
            if kept.exists():
                self._put_away(kept, shutil.copy2)
            # Atomic: a rebuild reads the old file or the new one.
            path.replace(kept)
            shutil.rmtree(place, ignore_errors=True)
        except (OSError, ValueError) as error:
            raise _unwritable(self.folder, error) from error
        return path.name

    def drop(self, token: str) -> None:
        """Delete a file that was put aside."""
        if _TOKEN.fullmatch(token):
            shutil.rmtree(self.folder / _WAITING / token, ignore_errors=True)

    def holds(self, info: ArticleInfo) -> bool:
        """Return whether an article of the index comes from a file of this folder.

        The file may be gone: if the rebuild failed that was to follow, the article is still there.
        """
        return Path(info.source).absolute().parent == self.folder.absolute()

    def remove(self, info: ArticleInfo) -> None:
        """Move the file of an article that the folder holds out of it, if that is not done yet.

        Raises:
            StorageError: The folder cannot be written.
        """
        path = Path(info.source).absolute()
        try:
            if path.is_file():
                self._put_away(path, shutil.move)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def _put_away(self, path: Path, put: Callable[[Path, Path], object]) -> None:
        """Move or copy a file into the folder of removed files, under a name of its own."""
        removed = self.folder / _REMOVED
        removed.mkdir(exist_ok=True)
        put(path, removed / f"{time.time_ns()}-{path.name}")

    def sources(self, others: Sequence[str]) -> tuple[str, ...]:
        """Return a rebuild's sources: ``others``, and this folder if it holds a file."""
        here = self.folder.resolve()
        kept = tuple(source for source in others if Path(source).resolve() != here)
        parents = [here, *here.parents]
        if any(Path(source).resolve() in parents for source in kept) or not self._has_files():
            return kept
        return (*kept, str(self.folder))

    def _has_files(self) -> bool:
        try:
            return any(not path.name.startswith(".") for path in self.folder.iterdir())
        except OSError:
            return False

    def _forget_old(self) -> None:
        oldest = time.time() - _SECONDS_WAITING
        waiting = self.folder / _WAITING
        for place in waiting.iterdir() if waiting.is_dir() else ():
            if place.stat().st_mtime < oldest:
                shutil.rmtree(place, ignore_errors=True)


def _fingerprint(path: Path) -> str:
    """Return the SHA-256 (hex) of a file; empty if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def known_format(filename: str) -> bool:
    """Return whether files with this ending can be articles."""
    return Path(filename).suffix.lower() in FORMATS


def safe_name(filename: str) -> str:
    """Make a file name that stays in its folder, is not hidden, and is not too long.

    What had to be changed gets a few digits of its own, so that no two names become one.
    """
    path = Path(unicodedata.normalize("NFC", filename).replace("\\", "/"))
    stem = re.sub(r"[^\w.]+", "-", path.stem).strip(".-_")[:_LONGEST_NAME] or "article"
    while len(stem.encode()) > 2 * _LONGEST_NAME:
        stem = stem[:-1]
    if stem != path.stem:
        digits = hashlib.sha256(path.stem.encode("utf-8", "replace")).hexdigest()
        stem = f"{stem}-{digits[:6]}"
    return f"{stem}{path.suffix.lower()}"


def _unwritable(folder: Path, error: OSError | ValueError) -> StorageError:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return StorageError(
        f"{folder}: cannot be written ({reason}); check space and permissions, "
        "or name another folder by the setting uploads"
    )

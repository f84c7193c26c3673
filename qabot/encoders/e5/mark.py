"""The mark of an unpacked model folder: what every file in it was when it was written.

``qabot.json`` keeps the SHA-256 of each file, and the size, time and inode that it had when it was
last hashed. A file with another size, time or inode is hashed again before it is used; a rebuild
that encodes and ``qabot doctor`` hash all of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

MARK = "qabot.json"
_OWN_CHECKSUM = "checksum"

Stamp = list[int]
"""Size in bytes, time of the last change in nanoseconds, inode."""


@dataclass(frozen=True, slots=True)
class FolderMark:
    """The content of ``qabot.json`` in a model folder.

    Attributes:
        fingerprint: Names the bytes that vectors are computed from.
        files: Path below the folder → SHA-256 (hex).
        stamps: Path → stamp of the file when it was last hashed.
    """

    fingerprint: str
    files: dict[str, str]
    stamps: dict[str, Stamp]

    @classmethod
    def of(cls, folder: Path, names: str, numbers: Sequence[str]) -> FolderMark:
        """The mark of a folder that was just written.

        Args:
            names: What the fingerprint names besides the files.
            numbers: The files that it names.
        """
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): file_checksum(path) for path in paths}
        named = " ".join([names, *(files[name] for name in numbers)])
        fingerprint = hashlib.sha256(named.encode()).hexdigest()
        return cls(fingerprint, files, {name: _stamp(folder / name) for name in files})

    @classmethod
    def read(cls, folder: Path) -> FolderMark | None:
        """The mark of ``folder``; ``None`` where it is missing, damaged or of another layout."""
        path = folder / MARK
        try:
            if not path.is_file():  # A pipe would be read for ever.
                return None
            content: dict[str, Any] = json.loads(path.read_text("utf-8"))
            whole = content.pop(_OWN_CHECKSUM) == _checksum(content)
            return cls(**content) if whole else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, folder: Path) -> None:
        """Write it to ``folder``, in one step.

        Raises:
            OSError: The folder cannot be written.
        """
        content = asdict(self)
        new = folder / f".{MARK}.{os.getpid()}"
        try:
            text = json.dumps({**content, _OWN_CHECKSUM: _checksum(content)}, indent=1)
            new.write_text(text, "utf-8")
            new.chmod(0o644)
            new.replace(folder / MARK)
        finally:
            new.unlink(missing_ok=True)

    def first_missing(self, folder: Path) -> str | None:
        """The first file that is missing or has another size; nothing is read."""
        return next((name for name in self.files if not self._has_size(folder, name)), None)

    def first_damaged(self, folder: Path, *, every: bool = False) -> str | None:
        """The first file that is not as it was written.

        Args:
            every: Hash every file, not only those with another stamp.
        """
        if name := self.first_missing(folder):
            return name
        for name, checksum in self.files.items():
            try:
                path = folder / name
                if (every or _stamp(path) != self.stamps[name]) and file_checksum(path) != checksum:
                    return name
            except (OSError, KeyError):
                return name
        return None

    def renew(self, folder: Path) -> FolderMark | None:
        """Hash the files with another stamp, and keep their stamps; ``None`` if one is damaged.

        Files that were copied or touched are hashed once. In a folder that cannot be written, they
        are hashed at each start.
        """
        try:
            stamps = {name: _stamp(folder / name) for name in self.files}
        except OSError:
            return None
        if stamps == self.stamps:
            return self
        if self.first_damaged(folder):
            return None
        renewed = replace(self, stamps=stamps)
        with contextlib.suppress(OSError):
            renewed.write(folder)
        return renewed

    def _has_size(self, folder: Path, name: str) -> bool:
        try:
            found = (folder / name).stat()
            return stat.S_ISREG(found.st_mode) and found.st_size == self.stamps[name][0]
        except (OSError, KeyError):
            return False


def file_checksum(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""The next generation while it is written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.index import manifest as files
from qabot.index.identity import Identity
from qabot.index.manifest import FileStamp, Manifest, checksum
from qabot.index.publishing import publish


class GenerationWriter:
    """The unpublished next generation: callers write ``FILES`` into ``folder``, then publish.

    Attributes:
        folder: Where it is written.
        identity: Its number and id.
        removed: How many leftovers of killed rebuilds were removed before it was begun.
        published: Whether it is the live one.
    """

    def __init__(
        self,
        folder: Path,
        target: Path,
        identity: Identity,
        removed: int = 0,
    ) -> None:
        self.folder = folder
        self._target = target
        self.identity = identity
        self.removed = removed
        self.published = False

    @property
    def number(self) -> int:
        """Its number."""
        return self.identity.number

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
        replace(manifest, id=self.identity.id).write(self.folder)
        publish(self.folder, self._target, self.identity)
        self.published = True

"""The next generation while it is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.index import manifest as files
from qabot.index.manifest import FileStamp, Manifest, checksum


class GenerationWriter:
    """The unpublished next generation: callers write ``FILES`` into ``folder``, then publish."""

    def __init__(self, folder: Path, number: int, publish: Callable[[Path, int], None]) -> None:
        self.folder = folder
        self.number = number
        self._publish = publish

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
        self._publish(self.folder, self.number)

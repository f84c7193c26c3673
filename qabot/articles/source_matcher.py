"""Whether a path would be read as part of a source, told without looking into any folder."""

from __future__ import annotations

import os
from pathlib import Path

from qabot.articles.formats import FORMATS
from qabot.articles.ignore_rules import Excludes
from qabot.articles.sources import fits, pattern_of


class SourceMatcher:
    """A file, folder or pattern on this machine that is a source; it need not exist.

    Args:
        source: As the user named it.
        excludes: What is left out of it.

    Attributes:
        path: The file or folder itself; of a pattern, the folder that it is about.
    """

    def __init__(self, source: str, excludes: Excludes) -> None:
        self.path, self._pattern = pattern_of(Path(source))
        self._excludes = excludes
        self._real = Path(os.path.realpath(self.path))

    def named(self, path: Path) -> Path | None:
        """A path of the folder as the user would name it; ``None`` where it is none of it.

        Args:
            path: Beginning with the folder's real path, without symbolic links.
        """
        return self.path / path.relative_to(self._real) if self._inside(path) else None

    def reads(self, path: Path, *, folder: bool) -> bool:
        """Whether a file of the folder would be read, or a folder in it looked into.

        Args:
            path: As ``named`` takes it. It need not exist.
            folder: What it is, or was.
        """
        # A file may be named by a hidden or excluded link to its folder.
        real = Path(os.path.realpath(path))
        places = {place for place in (path, real) if self._inside(place)}
        return self._inside(real) and any(
            self._reads(place.relative_to(self._real), folder=folder) for place in places
        )

    def _inside(self, path: Path) -> bool:
        return path.is_relative_to(self._real)

    def _reads(self, below: Path, *, folder: bool) -> bool:
        parts = below.parts
        if any(part.startswith(".") for part in parts):
            return False
        for depth in range(1, len(parts) + 1):
            here = Path(*parts[:depth])
            is_folder = folder or depth < len(parts)
            if self._excludes(here, self.path / here, folder=is_folder):
                return False
        if folder:
            return True
        return below.suffix.lower() in FORMATS and (not self._pattern or fits(parts, self._pattern))

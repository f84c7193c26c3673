"""Patterns that leave files out of a source, with the rules of ``.gitignore``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qabot.errors import SourceError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Excludes:
    """Tells which files and folders are left out.

    Args:
        patterns: As in ``.gitignore``: ``drafts/`` a folder of that name anywhere, ``*.tmp.md``
            files anywhere, ``/old`` or ``news/2019/`` only there, ``!keep.md`` not that one after
            all.

    Raises:
        SourceError: One is no pattern.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._spec = _compiled(self._patterns) if self._patterns else None

    def __call__(self, below: Path, named: Path, *, folder: bool) -> str | None:
        """Why a file or folder is left out; ``None`` if it is not.

        Args:
            below: Its path in the source.
            named: Its path from where qabot runs, if the source was named so: a pattern may be
                meant either way.
        """
        if self._spec is None:
            return None
        paths = [below]
        # Of folders above the working folder patterns say nothing.
        if not named.is_absolute() and ".." not in named.parts:
            paths.append(named)
        last, excluded = -1, None
        for path in paths:
            result = self._spec.check_file(path.as_posix() + ("/" if folder else ""))
            if result.index is not None and result.index > last:
                # Of several patterns, the last one counts.
                last = result.index
                excluded = result.include
        return f"excluded by the pattern {self._patterns[last]}" if last >= 0 and excluded else None


def _compiled(patterns: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise SourceError(
                f"exclude: {pattern!r} is no pattern; write it as in .gitignore"
            ) from error
    return GitIgnoreSpec.from_lines(patterns)

"""Walk a folder: which files to read, which to leave out, which must not be opened."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from qabot.articles.ignore_rules import Excludes

OTHER_TYPE = "of a type that is not read"
"""How the reason of a file begins that has none of the endings."""

_OUTSIDE = (
    "a symbolic link that leads out of its folder; name its target as a source if it is meant"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a source.

    Attributes:
        below: Its path in the source.
        place: Where it lies, whatever links lead to it.
        problem: Why it must not be opened.
        left_out: Why it is not to be read.
        folder: Whether it stands for all that it holds.
    """

    path: Path
    below: Path
    place: str
    problem: str | None = None
    left_out: str | None = None
    folder: bool = False


def walk(root: Path, excludes: Excludes, endings: Collection[str]) -> Iterator[Entry]:
    """List a folder and those in it, hidden files and folders apart.

    Symbolic links are followed where they lead to another place in ``root``; no folder is looked
    into twice, and folders that links lead to come last.

    Args:
        endings: Of the files that are read, in lower case, with the dot.
    """
    seen = {os.path.realpath(root)}
    folders, links = [(root, Path())], list[tuple[Path, Path]]()
    while folders or links:
        # Links to folders last, so that files are found where they lie.
        folder, inside = folders.pop() if folders else links.pop()
        real = os.path.realpath(folder)
        if real in seen and folder != root:
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as found:
                visible = [entry for entry in found if not entry.name.startswith(".")]
        except OSError as error:
            reason = f"the folder cannot be read ({error.strerror}); check its permissions"
            yield Entry(folder, inside, real, reason, folder=True)
            continue
        real = real.rstrip(os.sep) + os.sep
        for item in sorted(visible, key=lambda item: item.name):
            path, below = folder / item.name, inside / item.name
            place = os.path.realpath(path) if item.is_symlink() else real + item.name
            entry = _entry(item, Entry(path, below, place), root, excludes, endings)
            if entry is None:
                (links if item.is_symlink() else folders).append((path, below))
                continue
            if entry.left_out and entry.folder:
                # No link leads back to what is excluded.
                seen.add(place)
            yield entry


def _entry(
    item: os.DirEntry[str], found: Entry, root: Path, excludes: Excludes, endings: Collection[str]
) -> Entry | None:
    """Decide about a member of a folder; ``None`` for a folder to look into."""
    folder, suffix = _leads_to_folder(item), found.path.suffix.lower()
    if reason := excludes(found.below, found.path, folder=folder):
        return replace(found, left_out=reason, folder=folder)
    known = suffix in endings
    if item.is_symlink() and not _lies_in(root, found.place):
        if folder or known:
            return replace(found, problem=_OUTSIDE)
    elif folder:
        return None
    return found if known else replace(found, left_out=f"{OTHER_TYPE} ({suffix or 'no ending'})")


def _lies_in(root: Path, place: str) -> bool:
    return Path(place).is_relative_to(os.path.realpath(root))


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link to itself, or to a place that must not be looked at.
        return False

"""Sources to files: which files are read, under which names."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote, urlsplit

import regex

from qabot.errors import SourceError

Format = Literal["plain", "markdown", "html"]

FORMATS: dict[str, Format] = {
    ".txt": "plain",
    ".text": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
"""The format of a file by its ending; a folder's files with other endings are no articles."""

_ENDINGS = f"that end in {', '.join(FORMATS)}"
_ID_DIGITS = 6
_LONGEST_ID = 200
_PAGE_ENDING = regex.compile(r"(?:/index)?\.(?:x?html?|php|aspx?|md|txt)$", regex.IGNORECASE)
_WILD = frozenset("*?[")
_CHECK = "check the path and its permissions"
_OUTSIDE = (
    "a symbolic link that leads out of its folder; name its target as a source if it is meant"
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that is to be read as an article.

    Attributes:
        path: Where it is opened.
        source: Its path as the user named it, with ``/``, printable.
        id: The id of its article, unique among the files found together.
        format: How it is read.
        problem: Why it must not be opened, with the remedy; ``None`` if it may.
        collections: The collections that it belongs to, by name.
    """

    path: Path
    source: str
    id: str
    format: Format
    problem: str | None = None
    collections: tuple[str, ...] = ()


def find_files(
    sources: Sequence[str | Path],
    collections: Mapping[str, Sequence[str | Path]] = MappingProxyType({}),
) -> list[SourceFile]:
    """The files that ``sources`` name, each once: sources in their order, folders by path.

    Args:
        sources: Files, folders and patterns. Of a folder, and of the folders in it, only files with
            an ending in ``FORMATS`` count and hidden ones do not; a file named itself is read in
            any case. A pattern (``handbook/*.md``, ``news/**/2024-*``) stands for the files of its
            folder that fit: ``*`` and ``?`` within a name, ``**`` for any folders.
        collections: Name → the sources of that collection, which are read after ``sources``.

    Raises:
        SourceError: A source is missing or unreadable, or holds no article.
    """
    if isinstance(sources, str):
        sources = [sources]
    if not sources and not collections:
        raise SourceError("no source of articles; name a file or a folder")
    named = [("", source) for source in sources]
    named += [(name, source) for name, group in collections.items() for source in group]
    found: dict[str, SourceFile] = {}
    members: defaultdict[str, set[str]] = defaultdict(set)
    for collection, source in named:
        for file in _files_of(Path(source)):
            # A link that is refused must not stand for its target, which may be a source itself.
            place = file.source if file.problem else os.path.realpath(file.path)
            found.setdefault(place, file)
            members[place].add(collection)
    files = [
        replace(file, collections=tuple(sorted(filter(None, members[place]))))
        for place, file in found.items()
    ]
    return with_unique_ids(files)


def page_file(address: str, file_format: Format, collections: tuple[str, ...] = ()) -> SourceFile:
    """A page of the web as a source: its id is its address, without what all addresses share."""
    parts = urlsplit(address)
    path = _PAGE_ENDING.sub("", unquote(parts.path)).rstrip("/")
    query = f"-{unquote(parts.query)}" if parts.query else ""
    name = Path(f"{parts.netloc}{path}{query}"[:_LONGEST_ID])
    # Its path is opened by nobody.
    return SourceFile(Path(address), address, _id(name), file_format, None, collections)


def _files_of(source: Path) -> list[SourceFile]:
    name = _printable(source)
    folder, pattern = _pattern_of(source)
    mode = _mode(folder)
    if stat.S_ISREG(mode) and not pattern:
        return [_source_file(source, Path(source.name))]
    if not stat.S_ISDIR(mode):
        raise SourceError(f"{name}: neither a file nor a folder; name one of those")
    found = [(path, path.relative_to(folder), why) for path, why in _scan(folder)]
    if pattern:
        # What lies in a folder that cannot be read might fit.
        found = [
            (path, below, why)
            for path, below, why in found
            if _fits(below.parts, pattern) or (why and why != _OUTSIDE and "**" in pattern)
        ]
    if not found:
        what = "no article fits this pattern" if pattern else "no article in this folder"
        raise SourceError(f"{name}: {what}; add files {_ENDINGS}")
    return sorted((_source_file(*item) for item in found), key=lambda file: file.source)


def _mode(source: Path) -> int:
    name = _printable(source)
    try:
        mode = source.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceError(f"{name}: no such file or folder; check the path") from error
    except OSError as error:
        raise SourceError(f"{name}: cannot be read ({error.strerror}); {_CHECK}") from error
    if not os.access(source, os.R_OK):
        raise SourceError(f"{name}: cannot be read; {_CHECK}")
    return mode


def _pattern_of(source: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder whose files a pattern is about, and its parts; none where it is a plain path."""
    first = next((n for n, part in enumerate(source.parts) if _WILD.intersection(part)), None)
    # A name may hold any character: what is there is meant as it stands.
    if first is None or os.path.lexists(source):
        return source, ()
    return Path(*source.parts[:first]), source.parts[first:]


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _scan(root: Path) -> Iterator[tuple[Path, str | None]]:
    real_root = os.path.realpath(root)
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            reason = f"the folder cannot be read ({error.strerror}); check its permissions"
            yield folder, reason
            continue
        for entry in visible:
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real_root):
                if _leads_to_folder(entry) or path.suffix.lower() in FORMATS:
                    yield path, _OUTSIDE
            # A link to a folder inside is skipped: its files are found where they lie.
            elif path.suffix.lower() in FORMATS and not _leads_to_folder(entry):
                yield path, None


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link to itself, or to a place that must not be looked at.
        return False


def _source_file(path: Path, name: Path, problem: str | None = None) -> SourceFile:
    file_format = FORMATS.get(path.suffix.lower(), "plain")
    return SourceFile(path, _printable(path), _id(name.with_suffix("")), file_format, problem)


def _printable(path: Path) -> str:
    # A file's name may hold any byte, but names are shown, and stored as UTF-8.
    name = os.fsencode(path.as_posix()).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _id(name: Path) -> str:
    text = unicodedata.normalize("NFC", _printable(name))
    # Unlike re's, this \w has the combining marks that belong to the words of many scripts.
    return regex.sub(r"[^\w./]+", "-", text).strip("-") or "article"


def with_unique_ids(files: list[SourceFile]) -> list[SourceFile]:
    """``files``; of those that would share an id, all but the first by name get a longer one."""
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        sharing[file.id].append(file.source)
    ids: dict[tuple[str, str], str] = {}
    for name, names in sharing.items():
        first, *others = sorted(names)
        ids[name, first] = name
        for source in others:
            ids[name, source] = distinct_id(name, source, set(ids.values()))
    return [replace(file, id=ids[file.id, file.source]) for file in files]


def distinct_id(name: str, source: str, taken: Collection[str]) -> str:
    """An id that begins with ``name``, belongs to ``source`` and is not ``taken`` yet."""
    digest = hashlib.sha256(source.encode()).hexdigest()
    lengths = range(_ID_DIGITS, len(digest) + 1)
    return next(new for n in lengths if (new := f"{name}~{digest[:n]}") not in taken)

"""Sources to files: which files are read, under which names."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import regex

from qabot.articles.formats import FORMATS, Format
from qabot.articles.ignore_rules import Excludes
from qabot.articles.walk import OTHER_TYPE, Entry, walk
from qabot.errors import SourceError
from qabot.text import printable_path

_EXPECTED = regex.compile(
    r"""\.(?: docm?|dotx?|rtf|wps|pages|fodt|ott|sxw | tex|latex|rst|org|adoc|asciidoc|textile|xml
    | mobi|azw3?|fb2|djvu|ps|xps|oxps | pptx?|odp|key|xlsx?|ods|numbers | eml|msg|mbox|mht|mhtml
    | mdx|qmd|rmd|ipynb|wiki | zip|tar|t?gz|7z|rar )""",
    regex.IGNORECASE | regex.VERBOSE,
)
_ENDINGS = f"that end in {', '.join(FORMATS)}"
_ID_DIGITS = 6
_LONGEST_ID = 200
# Unlike re's, this \w has the combining marks that belong to the words of many scripts.
_UNFIT = regex.compile(r"[^\w./]+")
_PAGE_ENDING = regex.compile(r"(?:/index)?\.(?:x?html?|php|aspx?|md|txt)$", regex.IGNORECASE)
_WILD = frozenset("*?[")
_CHECK = "check the path and its permissions"


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


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """A file, folder or page that is not read.

    Attributes:
        source: Its path as the user named it, or its address.
        reason: Why, and what to do about it where it should be read, on one line.
        kept: Whether the index holds what it held of it before.
    """

    source: str
    reason: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The files that sources hold.

    Attributes:
        files: Those to be read, each once: sources in their order, folders by path.
        left_out: Files of other types, and what is excluded: nobody expects them to be read.
    """

    files: list[SourceFile]
    left_out: tuple[Skipped, ...]


def find_files(
    sources: Sequence[str | Path],
    collections: Mapping[str, Sequence[str | Path]] = MappingProxyType({}),
    exclude: Sequence[str] = (),
) -> list[SourceFile]:
    """The files that ``find_sources`` finds."""
    return find_sources(sources, collections, exclude).files


def find_sources(
    sources: Sequence[str | Path],
    collections: Mapping[str, Sequence[str | Path]] = MappingProxyType({}),
    exclude: Sequence[str] = (),
) -> Found:
    """The files that ``sources`` name, and those that are left out.

    Args:
        sources: Files, folders and patterns. Of a folder, and of the folders in it, only files with
            an ending in ``FORMATS`` count and hidden ones do not; a file named itself is read in
            any case. A pattern (``handbook/*.md``, ``news/**/2024-*``) stands for the files of its
            folder that fit: ``*`` and ``?`` within a name, ``**`` for any folders. Symbolic links
            are followed within their source, and nothing is found twice.
        collections: Name → the sources of that collection, which are read after ``sources``.
        exclude: Patterns of what is not read, as ``Excludes`` takes them.

    Raises:
        SourceError: A source is missing or unreadable, or holds no article.
    """
    if isinstance(sources, str):
        sources = [sources]
    if not sources and not collections:
        raise SourceError("no source of articles; name a file or a folder")
    named = [("", source) for source in sources]
    named += [(name, source) for name, group in collections.items() for source in group]
    excludes = Excludes(exclude)
    found: dict[str, SourceFile] = {}
    left_out: dict[str, Skipped] = {}
    members: defaultdict[str, set[str]] = defaultdict(set)
    for collection, source in named:
        here, others = _found_in(Path(source), excludes)
        left_out |= {item.source: item for item in others}
        for place, file in here:
            found.setdefault(place, file)
            if collection:
                members[place].add(collection)
    files = [
        replace(file, collections=tuple(sorted(members[place]))) if place in members else file
        for place, file in found.items()
    ]
    read = {file.source for file in files}
    missed = sorted(item for name, item in left_out.items() if name not in read)
    return Found(with_unique_ids(files), tuple(missed))


def is_expected(left_out: Skipped) -> bool:
    """Tell whether people may miss a file: it is excluded, or of a type for articles.

    Of pictures, data and programs beside articles nobody does.
    """
    if not left_out.reason.startswith(OTHER_TYPE):
        return True
    return bool(_EXPECTED.fullmatch(Path(left_out.source).suffix))


def page_file(address: str, file_format: Format, collections: tuple[str, ...] = ()) -> SourceFile:
    """A page of the web as a source: its id is its address, without what all addresses share."""
    parts = urlsplit(address)
    path = _PAGE_ENDING.sub("", unquote(parts.path)).rstrip("/")
    query = f"-{unquote(parts.query)}" if parts.query else ""
    name = Path(f"{parts.netloc}{path}{query}"[:_LONGEST_ID])
    # Its path is opened by nobody.
    return SourceFile(Path(address), address, _id(name.as_posix()), file_format, None, collections)


def _found_in(
    source: Path, excludes: Excludes
) -> tuple[list[tuple[str, SourceFile]], list[Skipped]]:
    """List the files of a source by their paths, each after its place; and what is left out."""
    name = printable_path(source)
    folder, pattern = pattern_of(source)
    mode = _mode(folder)
    if stat.S_ISREG(mode) and not pattern:
        own = Path(source.name)
        reason = excludes(own, source, folder=False)
        entries = [Entry(source, own, os.path.realpath(source), left_out=reason)]
    elif stat.S_ISDIR(mode):
        entries = list(walk(folder, excludes, FORMATS))
        if pattern:
            entries = [entry for entry in entries if _belongs(entry, pattern)]
    else:
        raise SourceError(f"{name}: neither a file nor a folder; name one of those")
    files = [(entry, _source_file(entry)) for entry in entries if not entry.left_out]
    left_out = [
        Skipped(printable_path(entry.path), entry.left_out) for entry in entries if entry.left_out
    ]
    if not files:
        raise SourceError(f"{name}: {_why_none(pattern, left_out)}")
    files.sort(key=lambda found: found[1].source)
    # A link that is refused must not stand for its target, which may be a source itself.
    placed = [(file.source if file.problem else entry.place, file) for entry, file in files]
    return placed, left_out


def _why_none(pattern: Sequence[str], left_out: Sequence[Skipped]) -> str:
    excluded = next((item for item in left_out if not item.reason.startswith(OTHER_TYPE)), None)
    if excluded:
        return f"{excluded.source} is {excluded.reason}, and nothing is left; see to exclude"
    what = "no article fits this pattern" if pattern else "no article in this folder"
    return f"{what}; add files {_ENDINGS}"


def _mode(source: Path) -> int:
    name = printable_path(source)
    try:
        mode = source.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceError(f"{name}: no such file or folder; check the path") from error
    except OSError as error:
        raise SourceError(f"{name}: cannot be read ({error.strerror}); {_CHECK}") from error
    if not os.access(source, os.R_OK):
        raise SourceError(f"{name}: cannot be read; {_CHECK}")
    return mode


def pattern_of(source: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder whose files a pattern is about, and its parts; none where it is a plain path."""
    first = next((n for n, part in enumerate(source.parts) if _WILD.intersection(part)), None)
    # A name may hold any character: what is there is meant as it stands.
    if first is None or os.path.lexists(source):
        return source, ()
    return Path(*source.parts[:first]), source.parts[first:]


def fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Match the parts of a path in a folder with those of a pattern."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(fits(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and fits(parts[1:], pattern[1:])


def _belongs(entry: Entry, pattern: Sequence[str]) -> bool:
    parts = entry.below.parts
    if fits(parts, pattern):
        return True
    # What lies in a folder that is not read might fit.
    return entry.folder and ("**" in pattern or fits(parts, pattern[: len(parts)]))


def _source_file(entry: Entry) -> SourceFile:
    suffix = entry.path.suffix
    file_format = FORMATS.get(suffix.lower(), "plain")
    below = entry.below.as_posix().removesuffix(suffix)
    source = printable_path(entry.path)
    return SourceFile(entry.path, source, _id(below), file_format, entry.problem)


def _id(name: str) -> str:
    text = unicodedata.normalize("NFC", printable_path(name))
    return _UNFIT.sub("-", text).strip("-") or "article"


def with_unique_ids(files: list[SourceFile]) -> list[SourceFile]:
    """``files``; of those that would share an id, all but the first by name get a longer one."""
    often = Counter(file.id for file in files)
    sharing: defaultdict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        if often[file.id] > 1:
            sharing[file.id].append(file)
    # Sources are printable: names that are no UTF-8 may differ in their bytes alone.
    ids: dict[tuple[str, Path], str] = {}
    taken: set[str] = set()
    for name, group in sharing.items():
        _, *others = sorted(group, key=lambda file: (file.source, os.fsencode(file.path)))
        for file in others:
            ids[file.source, file.path] = distinct_id(name, file.source, taken)
            taken.add(ids[file.source, file.path])
    return [
        replace(file, id=new) if (new := ids.get((file.source, file.path))) else file
        for file in files
    ]


def distinct_id(name: str, source: str, taken: Collection[str]) -> str:
    """An id that begins with ``name``, belongs to ``source`` and is not ``taken`` yet."""
    digest = hashlib.sha256(source.encode()).hexdigest()
    lengths = range(_ID_DIGITS, len(digest) + 1)
    return next(new for n in lengths if (new := f"{name}~{digest[:n]}") not in taken)

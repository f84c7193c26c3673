"""Read files as articles, one by one; a file that is none is named and skipped."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from qabot import text
from qabot.articles.formats import DOCUMENTS, Format
from qabot.articles.formats.dates import date_in_name
from qabot.articles.formats.draft import LONGEST_HEADING, Draft, has_words
from qabot.articles.formats.language import identify
from qabot.articles.formats.parsers import read_draft, why_damaged
from qabot.articles.formats.titles import shortened, title_of
from qabot.articles.limits import Limits
from qabot.articles.sandbox import ReadingProcess
from qabot.articles.seen import SeenFiles
from qabot.articles.sources import Skipped, SourceFile, find_files
from qabot.errors import ArticleError
from qabot.types import Article, ArticleInfo, Unchanged

DRAFT = "a draft"
"""How the reason of a file begins that says that it is not to be published yet."""

_EMPTY = "is empty; remove it or add text"
_NO_TEXT = "holds no text, perhaps pictures of it; have it recognised (OCR) and saved again"
_MARKUP = frozenset(
    (
        ".adoc",
        ".asciidoc",
        ".asc",
        ".org",
        ".tex",
        ".textile",
        ".creole",
        ".mediawiki",
        ".wiki",
        ".rtf",
    )
)
"""Files named themselves that are read with all their marks, as no parser knows these."""

# What takes part in reading besides this package.
_LIBRARIES = (
    "PyYAML",
    "babel",
    "charset-normalizer",
    "dateparser",
    "docutils",
    "lxml",
    "mammoth",
    "markdown-it-py",
    "mdit-py-plugins",
    "openpyxl",
    "py3langid",
    "pypdfium2",
    "sentencex",
    "trafilatura",
)


def read_sources(sources: Sequence[str | Path]) -> Iterator[Article | Skipped]:
    """Find the files that ``sources`` name, at once, and read them, one with each step.

    Args:
        sources: Files and folders, as ``find_files`` takes them.

    Raises:
        SourceError: A source is missing or unreadable, or a folder without an article.
    """
    return read_files(find_files(sources))


def read_files(files: Iterable[SourceFile]) -> Iterator[Article | Skipped]:
    """Read each of ``files`` when it is asked for, in their order."""
    with closing(ReadingProcess()) as process:
        for file in files:
            try:
                yield _read(file, process)
            except ArticleError as error:
                yield Skipped(file.source, str(error))


def read_changed(
    files: Iterable[SourceFile],
    known: Callable[[SourceFile, str], Article | Unchanged | None],
    limits: Limits | None = None,
    *,
    drafts: bool = False,
    seen: SeenFiles | None = None,
) -> Iterator[Article | Unchanged | Skipped]:
    """Read those of ``files`` whose content is not known, when asked for, in their order.

    Args:
        known: Asked with each file and its ``Article.content``; what it gives is passed on in the
            article's place.
        limits: What one file may cost; the defaults where not given.
        drafts: Whether to read what says that it is not to be published yet.
        seen: Knows the content of files that nobody has written to since they were read.
    """
    limits, seen = limits or Limits(), seen or SeenFiles()

    def read(file: SourceFile, process: ReadingProcess) -> Article | Unchanged:
        before = seen.content(file.path, _status(file, limits))
        if before and (item := known(file, before)):
            return item
        begun = time.time_ns()
        data, status = _read_bytes(file, limits)
        content = _content(file, data, drafts=drafts)
        if status:
            seen.add(file.path, status, begun, content)
        item = known(file, content)
        return item or _article(file, data, content, process, limits, drafts=drafts)

    with closing(ReadingProcess(limits.seconds)) as process:
        for file in files:
            try:
                item = read(file, process)
            except ArticleError as error:
                yield Skipped(file.source, str(error))
            else:
                yield item


@cache
def readers_version() -> str:
    """Changes with anything that may make another article of the same file."""
    from importlib.metadata import version

    digest = hashlib.sha256()
    for path in [*sorted(Path(__file__).parent.rglob("*.py")), Path(text.__file__)]:
        digest.update(path.read_bytes())
    digest.update(" ".join(version(name) for name in _LIBRARIES).encode())
    return digest.hexdigest()[:16]


def read_article(file: SourceFile) -> Article:
    """Read one file.

    Raises:
        ArticleError: It cannot be opened or is no article; the message begins with its source.
    """
    with closing(ReadingProcess()) as process:
        try:
            return _read(file, process)
        except ArticleError as error:
            raise ArticleError(f"{file.source}: {error}") from error


def read_page(
    file: SourceFile, data: bytes, process: ReadingProcess, *, content: str, address: str
) -> Article:
    """Read a page or document of the web.

    Args:
        file: Its place; ``path`` is not opened.
        data: The page.
        process: Reads documents and long pages; the caller closes it.
        content: The article's ``content``.
        address: Where ``data`` was read from, which is linked unless the page names a better
            address on its own server. (Of another server, it would say what that never said.)

    Raises:
        ArticleError: It holds no article.
    """
    article = _article(file, data, content, process, Limits())
    own = article.info.url
    same = own is not None and _server(own) == _server(address)
    return replace(article, info=replace(article.info, url=own if same else address))


def _without_password(address: str | None) -> str | None:
    """Drop an address that holds a name or password: it would be shown beside quotes."""
    try:
        return None if address is None or "@" in urlsplit(address).netloc else address
    except ValueError:
        return None


def _server(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _read(file: SourceFile, process: ReadingProcess) -> Article:
    limits = Limits()
    _status(file, limits)
    data, _ = _read_bytes(file, limits)
    return _article(file, data, _content(file, data), process, limits)


def _content(file: SourceFile, data: bytes, *, drafts: bool = False) -> str:
    # All that an article is made of, besides what its file is called.
    told = (file.format, date_in_name(file.path.name) or "", "drafts" if drafts else "")
    return hashlib.sha256("\0".join(told).encode() + b" " + data).hexdigest()


def _article(
    file: SourceFile,
    data: bytes,
    content: str,
    process: ReadingProcess,
    limits: Limits,
    *,
    drafts: bool = False,
) -> Article:
    # Inside this package messages do not name the file; the caller knows it.
    if limits.can_read_here(len(data), file.format):
        with limits.patience(file.format):
            draft = _read_here(file.format, data)
    else:
        draft = process.read(file.format, data)
    if not has_words(draft.text):
        raise ArticleError(_NO_TEXT if file.format in DOCUMENTS else _EMPTY)
    if draft.unfinished and not drafts:
        raise ArticleError(
            f"{DRAFT} by its front matter; set drafts = true to read it all the same"
        )
    language = draft.language or identify(draft.text)
    info = ArticleInfo(
        id=file.id,
        title=title_of(draft, language),
        source=file.source,
        url=_without_password(draft.url),
        published=draft.published or date_in_name(file.path.name),
        language=language,
        collections=file.collections,
        author=shortened(draft.author, LONGEST_HEADING) if draft.author else None,
    )
    warnings = (*draft.warnings, *_unparsed(file))
    return Article(info, draft.text, draft.headings, content, draft.pages, warnings)


def _unparsed(file: SourceFile) -> Iterator[str]:
    """Warn of markup that is text for qabot; of an address, the server says what it is."""
    ending = file.path.suffix.lower()
    if file.format == "plain" and ending in _MARKUP and "://" not in file.source:
        yield f"{ending} is read as plain text with its marks; convert it to HTML or Markdown"


def _read_here(file_format: Format, data: bytes) -> Draft:
    try:
        return read_draft(file_format, data)
    except ArticleError:
        raise
    # As in the process: whatever a library trips over concerns this document alone.
    except Exception as error:
        raise ArticleError(why_damaged(error)) from error


def _status(file: SourceFile, limits: Limits) -> os.stat_result:
    if file.problem:
        raise ArticleError(file.problem)
    try:
        # Asked first, because opening a named pipe would wait for ever.
        status = file.path.stat()
    except OSError as error:
        raise _unreadable(error) from error
    if not stat.S_ISREG(status.st_mode):
        raise ArticleError("not a regular file; remove it or name a file with text")
    limits.check_size(status.st_size, file.format)
    return status


def _read_bytes(file: SourceFile, limits: Limits) -> tuple[bytes, os.stat_result | None]:
    """Read a file; give its status as well, if nobody has written to it meanwhile."""
    try:
        with file.path.open("rb") as opened:
            status = os.fstat(opened.fileno())
            data = opened.read(limits.most_bytes(file.format) + 1)
            same = _times(status) == _times(os.fstat(opened.fileno()))
    except OSError as error:
        raise _unreadable(error) from error
    # Again, as it may have grown; and some files of the system say that they have no size.
    limits.check_size(len(data), file.format)
    if not data.strip():
        raise ArticleError(_EMPTY)
    return data, status if same and len(data) == status.st_size else None


def _times(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _unreadable(error: OSError) -> ArticleError:
    return ArticleError(f"cannot be read ({error.strerror}); check the file and its permissions")

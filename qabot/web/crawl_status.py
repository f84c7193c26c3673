"""Check the crawl state without changing it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from qabot.web.crawl_state import FILE, JOURNAL, VERSION


class CrawlStateError(Exception):
    """A crawl state that cannot be used; its text follows the path of the file.

    Attributes:
        lasting: Rebuilds fail until somebody repairs it; otherwise the next one replaces it.
    """

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class CrawlStatus:
    """The contents of a crawl state.

    Attributes:
        addresses: All that were ever asked for and not forgotten since.
        lists: Sitemaps and feeds that are sources.
        size: Bytes of the file.
    """

    addresses: frozenset[str]
    lists: frozenset[str]
    size: int


def crawl_state_path(folder: Path) -> Path:
    """Return where the crawl state of the index in ``folder`` is."""
    return folder / FILE


def crawl_status(folder: Path) -> CrawlStatus | None:
    """Read and check the crawl state of the index in ``folder``; ``None`` if there is none.

    Raises:
        CrawlStateError: It cannot be used.
    """
    path = crawl_state_path(folder)
    if not path.exists():
        return None
    if not path.is_file():
        raise CrawlStateError("is not a file", lasting=True)
    journal = folder / JOURNAL
    if journal.exists() and journal.stat().st_size:
        # Reading it would put it right, which is a change.
        raise CrawlStateError("a rebuild was killed while it was written")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(connection):
            return _state(connection, path.stat().st_size)
    except sqlite3.OperationalError as error:
        raise CrawlStateError(f"cannot be read ({error})", lasting=True) from error
    except (sqlite3.Error, OSError) as error:
        raise CrawlStateError(f"is damaged ({error})") from error


def _state(connection: sqlite3.Connection, size: int) -> CrawlStatus:
    (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if problem != "ok":
        raise CrawlStateError(f"is damaged ({' '.join(problem.split())})")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise CrawlStateError(f"is of another version of qabot ({version}, not {VERSION})")
    addresses = connection.execute("SELECT address FROM page WHERE asked > 0")
    lists = connection.execute("SELECT DISTINCT listing FROM member")
    return CrawlStatus(
        frozenset(address for (address,) in addresses),
        frozenset(address for (address,) in lists),
        size,
    )

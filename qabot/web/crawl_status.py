"""What is remembered of the web, looked at without changing it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from qabot.web.crawl_state import FILE, JOURNAL, VERSION


class MemoryFaultError(Exception):
    """A memory that cannot be used; says what is wrong, fit to stand after its path.

    Attributes:
        lasting: Whether rebuilds fail until somebody sees to it; else the next one makes another.
    """

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class MemoryState:
    """What is remembered.

    Attributes:
        addresses: All that were ever asked for, and not forgotten since.
        lists: Sitemaps and feeds that are sources.
        size: Bytes of the file.
    """

    addresses: frozenset[str]
    lists: frozenset[str]
    size: int


def memory_path(folder: Path) -> Path:
    """Where the index in ``folder`` remembers the web."""
    return folder / FILE


def look(folder: Path) -> MemoryState | None:
    """What the index in ``folder`` remembers, every page of the file checked; ``None`` if nothing.

    Raises:
        MemoryFaultError: It cannot be used.
    """
    path = memory_path(folder)
    if not path.exists():
        return None
    if not path.is_file():
        raise MemoryFaultError("is not a file", lasting=True)
    journal = folder / JOURNAL
    if journal.exists() and journal.stat().st_size:
        # Reading it would put it right, which is a change.
        raise MemoryFaultError("a rebuild was killed while it was written")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(connection):
            return _state(connection, path.stat().st_size)
    except sqlite3.OperationalError as error:
        raise MemoryFaultError(f"cannot be read ({error})", lasting=True) from error
    except (sqlite3.Error, OSError) as error:
        raise MemoryFaultError(f"is damaged ({error})") from error


def _state(connection: sqlite3.Connection, size: int) -> MemoryState:
    (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if problem != "ok":
        raise MemoryFaultError(f"is damaged ({' '.join(problem.split())})")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise MemoryFaultError(f"is of another version of qabot ({version}, not {VERSION})")
    addresses = connection.execute("SELECT address FROM page WHERE asked > 0")
    lists = connection.execute("SELECT DISTINCT listing FROM member")
    return MemoryState(
        frozenset(address for (address,) in addresses),
        frozenset(address for (address,) in lists),
        size,
    )

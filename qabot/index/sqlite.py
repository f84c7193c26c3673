"""SQLite as generations use it: written once, by one process, then only read."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

from qabot.errors import DamagedIndexError
from qabot.index.open_file import REMEDY


def open_new(path: Path) -> sqlite3.Connection:
    """A connection that writes the file ``path``, which does not exist yet.

    A generation counts only once it is complete and synced, so SQLite keeps no journal of its own.
    """
    # With the rights of the umask: SQLite would give fewer. What fails here fails there, too.
    with contextlib.suppress(OSError):
        path.touch(exist_ok=False)
    connection = sqlite3.connect(path.absolute().as_uri(), uri=True)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def open_written(path: Path) -> sqlite3.Connection:
    """A connection that reads ``path``, for use by several threads under a lock of the caller's.

    Generations never change, so SQLite may leave out its own locks.
    """
    return sqlite3.connect(_written(path), uri=True, check_same_thread=False)


def attach(connection: sqlite3.Connection, path: Path, name: str) -> None:
    """Let a connection of ``open_new`` read ``path``, which was written before, as ``name``."""
    connection.execute(f"ATTACH ? AS {name}", (_written(path),))


@contextlib.contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what SQLite, or zlib, says of a file that it cannot read into one line.

    Raises:
        DamagedIndexError: The file is damaged, or the disk.
    """
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise  # A closed connection, say: no fault of the file.
    except (sqlite3.Error, zlib.error) as error:
        raise DamagedIndexError(f"{path}: cannot be read ({error}); {REMEDY}") from error


def _written(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"

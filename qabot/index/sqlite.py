"""SQLite as generations use it: written once, by one process, then only read."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def open_new(path: Path) -> sqlite3.Connection:
    """A connection that writes the file ``path``, which does not exist yet.

    A generation counts only once it is complete and synced, so SQLite keeps no journal of its own.
    """
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def open_written(path: Path) -> sqlite3.Connection:
    """A connection that reads ``path``, for use by several threads under a lock of the caller's.

    Generations never change, so SQLite may leave out its own locks.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)

"""One SQLite file: opening it, reading, writing, and erasing without a trace.

Calls are safe from several threads and wait for the disk.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qabot.bot.store.migrations import migrate
from qabot.errors import StateError

_SECONDS_TO_WAIT = 10.0


class TracesLeftError(StateError):
    """Removed data is still in the log, because another process reads the file."""


class Database:
    """Opens a file, creates it if it is missing, and brings its tables up to date.

    Raises:
        StateError: The file is damaged, was written by a newer qabot, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # It holds what people asked.
            self._connection = _connect(path)
            try:
                migrate(self._connection, path)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._errors():
            return self._connection.execute(query, values).fetchall()

    def _write(self, statement: str, *values: object) -> int:
        with self._lock, self._errors():
            return self._connection.execute(statement, values).rowcount

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of a full disk or a damaged file into one line."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise StateError(
                f"{self.path}: the bot's state cannot be used ({reason}); check space and "
                "permissions, or move the file away to start with empty settings"
            ) from error

    def _erase(self) -> None:
        """Erase deleted data from the file and from its write-ahead log.

        SQLite leaves copies of rows behind when it rebalances a table, even with secure_delete.
        """
        with self._lock, self._errors():
            self._connection.execute("VACUUM")
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise TracesLeftError(
                f"{self.path}: another program reads it, so its log still holds what was removed; "
                "end that program and try again"
            )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_SECONDS_TO_WAIT, isolation_level=None, check_same_thread=False
    )
    # With a write-ahead log, readers never wait, and a killed process loses no finished write.
    # Syncing every answer would only save the last ones from a power cut.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # Deleted data is overwritten.
    connection.execute("PRAGMA secure_delete = ON")
    return connection

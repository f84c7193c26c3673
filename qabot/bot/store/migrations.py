"""The tables of the bot's state, in numbered steps: a file that had fewer is brought up to date.

A step is never edited once it was released; what changes comes as a further one.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from qabot.errors import StateError

STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE guild (id INTEGER PRIMARY KEY, settings TEXT NOT NULL) STRICT",
        """CREATE TABLE answer (
          id TEXT PRIMARY KEY, created REAL NOT NULL, user_id INTEGER NOT NULL,
          guild_id INTEGER, channel_id INTEGER NOT NULL, message_id INTEGER,
          question TEXT NOT NULL, previous TEXT NOT NULL, locale TEXT NOT NULL,
          answer_json TEXT NOT NULL, page INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX answer_created ON answer (created)",
        "CREATE INDEX answer_conversation ON answer (channel_id, user_id, created)",
        "CREATE INDEX answer_message ON answer (message_id)",
        # The question is not copied: it goes when the answer does.
        """CREATE TABLE feedback (
          answer_id TEXT NOT NULL, user_id INTEGER NOT NULL, created REAL NOT NULL,
          helpful INTEGER NOT NULL, about TEXT NOT NULL,
          PRIMARY KEY (answer_id, user_id)
        ) STRICT, WITHOUT ROWID""",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        """CREATE TABLE told (
          user_id INTEGER NOT NULL, what TEXT NOT NULL, PRIMARY KEY (user_id, what)
        ) STRICT, WITHOUT ROWID""",
        # Filled only where the setting asks for it.
        """CREATE TABLE question (
          answer_id TEXT PRIMARY KEY, created REAL NOT NULL, user_id INTEGER NOT NULL,
          guild_id INTEGER, channel_id INTEGER NOT NULL, locale TEXT NOT NULL,
          question TEXT NOT NULL, status TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
"""``PRAGMA user_version`` counts how many of them a file has had."""


def migrate(connection: sqlite3.Connection, path: Path, steps: int = len(STEPS)) -> None:
    """Take the steps that the file has not had, all or none of them.

    Args:
        connection: In autocommit mode.
        path: The file, for the error.
        steps: How far; only tests go less far.

    Raises:
        StateError: A newer qabot has written the file.
        sqlite3.Error: It cannot be written or is no database.
    """
    if _taken(connection) == steps:
        return
    # Another process may take the same steps: who comes second finds them taken.
    connection.execute("BEGIN IMMEDIATE")
    try:
        taken = _taken(connection)
        if taken > steps:
            raise StateError(
                f"{path}: a newer qabot has written it (format {taken}, this one knows {steps}); "
                "update qabot, or move the file away to start with empty settings"
            )
        for step in STEPS[taken:steps]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {steps}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _taken(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])

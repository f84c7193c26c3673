"""The tables of the bot's state, built in numbered steps; older files take the missing ones.

A released step is never edited; a change is a new step.
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
        # The question is not copied: it is deleted with the answer.
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
        # Filled only if the setting log_questions is on.
        """CREATE TABLE question (
          answer_id TEXT PRIMARY KEY, created REAL NOT NULL, user_id INTEGER NOT NULL,
          guild_id INTEGER, channel_id INTEGER NOT NULL, locale TEXT NOT NULL,
          question TEXT NOT NULL, status TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
    # A person is told again after a while.
    ("ALTER TABLE told ADD COLUMN created REAL NOT NULL DEFAULT 0",),
)
"""``PRAGMA user_version`` counts the steps that a file has taken."""


def migrate(connection: sqlite3.Connection, path: Path, steps: int = len(STEPS)) -> None:
    """Take the missing steps, all or none of them.

    Args:
        connection: In autocommit mode.
        path: The file, for the error.
        steps: The last step to take; fewer only in tests.

    Raises:
        StateError: A newer qabot wrote the file.
        sqlite3.Error: It cannot be written or is no database.
    """
    if _taken(connection) == steps:
        return
    # Another process may take the same steps at the same time; the second finds them taken.
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

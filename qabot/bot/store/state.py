"""What the bot remembers: settings of guilds, answers that still have buttons, feedback.

One SQLite file beside the index, so that no rebuild touches it. Calls are safe from several threads
and wait for the disk: from the event loop they go through ``asyncio.to_thread``.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from qabot.bot.store.migrations import migrate
from qabot.bot.store.records import AnswerRecord, Feedback, GuildSettings
from qabot.errors import StateError

# Enough to tell a follow-up question; a conversation may go on for days.
_CONVERSATION = 10
_SECONDS_TO_WAIT = 10.0


def state_path(index: str | Path) -> Path:
    """The state file that belongs to an index folder: ``index.bot.sqlite`` beside ``index``."""
    folder = Path(index).absolute()
    return folder.with_name(f"{folder.name}.bot.sqlite")


class State:
    """Reads and writes the state file; makes it where it is missing.

    Raises:
        StateError: The file is damaged, of a newer qabot, or cannot be written.
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

    def __enter__(self) -> State:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def guild(self, guild_id: int) -> GuildSettings:
        """A guild's settings; the defaults where nothing was set."""
        rows = self._all("SELECT settings FROM guild WHERE id = ?", guild_id)
        return _settings(rows[0][0]) if rows else GuildSettings()

    def save_guild(self, guild_id: int, settings: GuildSettings) -> None:
        """Replace a guild's settings."""
        self._write(
            "INSERT OR REPLACE INTO guild VALUES (?, ?)", guild_id, json.dumps(asdict(settings))
        )

    def forget_guild(self, guild_id: int) -> None:
        """Remove a guild's settings, and the answers given there."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM guild WHERE id = ?", (guild_id,))
            for table in ("answer", "question"):
                connection.execute(f"DELETE FROM {table} WHERE guild_id = ?", (guild_id,))

    def save_answer(self, record: AnswerRecord) -> str:
        """Keep an answer; the id under which it is found again."""
        record = replace(record, id=secrets.token_urlsafe(9))
        values = {**_columns(record), "previous": json.dumps(record.previous)}
        marks = ", ".join("?" * len(values))
        self._write(f"INSERT INTO answer ({', '.join(values)}) VALUES ({marks})", *values.values())
        return record.id

    def answer(self, answer_id: str) -> AnswerRecord | None:
        """The answer of an id; ``None`` where it was forgotten or is too old."""
        return self._answer("id", answer_id)

    def answer_by_message(self, message_id: int) -> AnswerRecord | None:
        """The answer that a message shows, or ``None``."""
        return self._answer("message_id", message_id)

    def set_answer_message(self, answer_id: str, message_id: int) -> None:
        """Remember which message shows an answer."""
        self._write("UPDATE answer SET message_id = ? WHERE id = ?", message_id, answer_id)

    def set_answer_page(self, answer_id: str, page: int) -> None:
        """Remember which page of an answer its message shows."""
        self._write("UPDATE answer SET page = ? WHERE id = ?", page, answer_id)

    def conversation(self, channel_id: int, user_id: int, since: float) -> tuple[str, ...]:
        """What a person asked in a channel or thread since then, oldest first; the last ten."""
        rows = self._all(
            "SELECT question FROM answer WHERE channel_id = ? AND user_id = ? AND created >= ? "
            "ORDER BY created DESC LIMIT ?",
            channel_id,
            user_id,
            since,
            _CONVERSATION,
        )
        return tuple(question for (question,) in reversed(rows))

    def prune(self, older_than: float) -> int:
        """Remove answers from before then, with their questions; how many there were."""
        removed = self._write("DELETE FROM answer WHERE created < ?", older_than)
        self._clear_log()
        return removed

    def save_feedback(self, answer_id: str, user_id: int, helpful: bool, now: float) -> None:
        """Keep what a person thinks of an answer, in place of what the same person thought before.

        Raises:
            StateError: The answer was forgotten.
        """
        record = self.answer(answer_id)
        if record is None:
            raise StateError(f"answer {answer_id} is forgotten; ask again")
        self._write(
            "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)",
            answer_id,
            user_id,
            now,
            int(helpful),
            json.dumps(_about(record)),
        )

    def feedback(self) -> Iterator[Feedback]:
        """All feedback, oldest first; no names or ids of people."""
        rows = self._all(
            "SELECT answer_id, feedback.created, helpful, "
            "coalesce(answer.question, question.question), about FROM feedback "
            "LEFT JOIN answer ON answer.id = answer_id LEFT JOIN question USING (answer_id) "
            "ORDER BY feedback.created, answer_id"
        )
        for answer_id, created, helpful, question, about in rows:
            yield Feedback(answer_id, created, bool(helpful), question, json.loads(about))

    def log_question(self, record: AnswerRecord) -> None:
        """Keep a question for good; for where the setting asks for that."""
        self._write(
            "INSERT OR REPLACE INTO question VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            record.id,
            record.created,
            record.user_id,
            record.guild_id,
            record.channel_id,
            record.locale,
            record.question,
            str(json.loads(record.answer_json)["status"]),
        )

    def tell_once(self, user_id: int, what: str) -> bool:
        """Whether a person has not been told ``what`` yet; from now on they have."""
        return bool(self._write("INSERT OR IGNORE INTO told VALUES (?, ?)", user_id, what))

    def forget_user(self, user_id: int) -> int:
        """Remove all that is stored of a person, from the disk too; how many things that were."""
        with self._transaction() as connection:
            removed = sum(
                connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,)).rowcount
                for table in ("answer", "feedback", "question", "told")
            )
        self._clear_log()
        return removed

    def meta(self, key: str) -> str | None:
        """A value of the bot's own, such as the hash of the commands last registered."""
        rows = self._all("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the bot's own."""
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def _clear_log(self) -> None:
        """Take what was removed out of SQLite's log of changes too."""
        with self._lock, self._errors():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _answer(self, column: str, value: str | int) -> AnswerRecord | None:
        rows = self._all(f"SELECT {', '.join(_ANSWER)} FROM answer WHERE {column} = ?", value)
        if not rows:
            return None
        values = dict(zip(_ANSWER, rows[0], strict=True))
        return AnswerRecord(**{**values, "previous": tuple(json.loads(values["previous"]))})

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
        """Turn what a full disk or a damaged file raises into one line."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise StateError(
                f"{self.path}: the bot's state cannot be used ({reason}); check space and "
                "permissions, or move the file away to start with empty settings"
            ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_SECONDS_TO_WAIT, isolation_level=None, check_same_thread=False
    )
    # Readers never wait, and a killed process loses nothing that was written; syncing every answer
    # would only guard the last ones against a power cut.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # What is forgotten is overwritten.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _settings(text: str) -> GuildSettings:
    values = json.loads(text)
    return GuildSettings(
        **{
            **values,
            "answer_channels": tuple(values["answer_channels"]),
            "allowed_channels": tuple(values["allowed_channels"]),
            "collections": {int(key): name for key, name in values["collections"].items()},
        }
    )


def _columns(record: AnswerRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _ANSWER}


def _about(record: AnswerRecord) -> dict[str, Any]:
    answer = json.loads(record.answer_json)
    return {
        "status": answer["status"],
        "confidence": answer["confidence"],
        **answer["index"],
        "locale": record.locale,
        "quotes": [[q["article"]["id"], q["start"], q["end"]] for q in answer["quotes"]],
    }


_ANSWER = tuple(AnswerRecord.__dataclass_fields__)

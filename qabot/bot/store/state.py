"""The bot's memory: guild settings, answers whose buttons still work, feedback.

It is one SQLite file beside the index, so that no rebuild touches it. Calls are safe from several
threads and wait for the disk: call them from the event loop by ``asyncio.to_thread``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from qabot.bot.store.database import Database
from qabot.bot.store.records import AnswerRecord, Feedback, GuildSettings
from qabot.bot.store.rows import ANSWER_COLUMNS, about_answer, answer_row, read_settings
from qabot.errors import StateError
from qabot.index_address import folder_of

# Enough to understand a follow-up; a conversation may go on for days.
_CONVERSATION = 10


def state_path(index: str | Path) -> Path:
    """Return the state file of an index folder: ``index.bot.sqlite`` beside ``index``."""
    folder = folder_of(str(index)).absolute()
    return folder.with_name(f"{folder.name}.bot.sqlite")


class State(Database):
    """Reads and writes the state file; creates it if it is missing.

    Raises:
        StateError: The file is damaged, was written by a newer qabot, or cannot be written.
    """

    def guild(self, guild_id: int) -> GuildSettings:
        """Return a guild's settings; the defaults if nothing was set."""
        rows = self._all("SELECT settings FROM guild WHERE id = ?", guild_id)
        return read_settings(rows[0][0]) if rows else GuildSettings()

    def save_guild(self, guild_id: int, settings: GuildSettings) -> None:
        """Replace a guild's settings."""
        self._write(
            "INSERT OR REPLACE INTO guild VALUES (?, ?)", guild_id, json.dumps(asdict(settings))
        )

    def guilds(self) -> set[int]:
        """Return the ids of the guilds about which something is stored."""
        rows = self._all(
            "SELECT id FROM guild UNION SELECT guild_id FROM answer UNION "
            "SELECT guild_id FROM question"
        )
        return {guild_id for (guild_id,) in rows if guild_id is not None}

    def forget_guild(self, guild_id: int) -> None:
        """Remove a guild's settings, and the answers given there with their feedback.

        Raises:
            TracesLeftError: See ``forget_user``.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM guild WHERE id = ?", (guild_id,))
            connection.execute(
                "DELETE FROM feedback WHERE answer_id IN "
                "(SELECT id FROM answer WHERE guild_id = ?)",
                (guild_id,),
            )
            for table in ("answer", "question"):
                connection.execute(f"DELETE FROM {table} WHERE guild_id = ?", (guild_id,))
        self._erase()

    def save_answer(self, record: AnswerRecord) -> str:
        """Keep an answer, and return its new id."""
        record = replace(record, id=secrets.token_urlsafe(9))
        values = answer_row(record)
        marks = ", ".join("?" * len(values))
        self._write(f"INSERT INTO answer ({', '.join(values)}) VALUES ({marks})", *values.values())
        return record.id

    def answer(self, answer_id: str) -> AnswerRecord | None:
        """Return an answer by its id; ``None`` if it was forgotten."""
        return self._answer("id", answer_id)

    def answer_by_message(self, message_id: int) -> AnswerRecord | None:
        """Return the answer that a message shows, or ``None``."""
        return self._answer("message_id", message_id)

    def set_answer_message(self, answer_id: str, message_id: int) -> None:
        """Remember which message shows an answer."""
        self._write("UPDATE answer SET message_id = ? WHERE id = ?", message_id, answer_id)

    def set_answer_page(self, answer_id: str, page: int) -> None:
        """Remember which page of an answer is shown."""
        self._write("UPDATE answer SET page = ? WHERE id = ?", page, answer_id)

    def conversation(self, channel_id: int, user_id: int, since: float) -> tuple[str, ...]:
        """Return a person's last ten questions in a channel since then, oldest first."""
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
        """Remove answers older than that, with their questions; return how many.

        Raises:
            TracesLeftError: See ``forget_user``.
        """
        removed = self._write("DELETE FROM answer WHERE created < ?", older_than)
        self._write("DELETE FROM told WHERE created < ?", older_than)
        self._erase()
        return removed

    def save_feedback(self, answer_id: str, user_id: int, helpful: bool, now: float) -> None:
        """Keep a person's opinion of an answer, instead of their earlier one.

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
            json.dumps(about_answer(record)),
        )

    def feedback(self) -> Iterator[Feedback]:
        """Yield all feedback, oldest first, without names or ids of people."""
        rows = self._all(
            "SELECT answer_id, feedback.created, helpful, "
            "coalesce(answer.question, question.question), about FROM feedback "
            "LEFT JOIN answer ON answer.id = answer_id LEFT JOIN question USING (answer_id) "
            "ORDER BY feedback.created, answer_id"
        )
        for answer_id, created, helpful, question, about in rows:
            yield Feedback(answer_id, created, bool(helpful), question, json.loads(about))

    def log_question(self, record: AnswerRecord) -> None:
        """Keep a question for good; only for the setting ``log_questions``."""
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

    def unanswered(self, guild_id: int, since: float, most: int) -> list[tuple[str, float]]:
        """Return the logged questions of a guild that were not answered, newest first.

        Args:
            since: Seconds since 1970.

        Returns:
            Questions, with the time of each.
        """
        return self._all(
            "SELECT question, created FROM question WHERE guild_id = ? AND created >= ? "
            "AND status = 'not_found' ORDER BY created DESC LIMIT ?",
            guild_id,
            since,
            most,
        )

    def tell_once(self, user_id: int, what: str, now: float) -> bool:
        """Return ``True`` the first time for a person and ``what``, then ``False`` for a month."""
        return bool(self._write("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", user_id, what, now))

    def forget_user(self, user_id: int) -> int:
        """Remove everything stored about a person; return the number of entries.

        Raises:
            TracesLeftError: All is removed, but the files still hold traces of it, because
                another process is reading them.
        """
        with self._transaction() as connection:
            removed = sum(
                connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,)).rowcount
                for table in ("answer", "feedback", "question", "told")
            )
        self._erase()
        return removed

    def meta(self, key: str) -> str | None:
        """Return a value of the bot's own, such as the hash of the registered commands."""
        rows = self._all("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the bot's own."""
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def _answer(self, column: str, value: str | int) -> AnswerRecord | None:
        columns = ", ".join(ANSWER_COLUMNS)
        # An edited question has two answers in one message, of which the later one is shown.
        query = f"SELECT {columns} FROM answer WHERE {column} = ? ORDER BY created DESC"
        rows = self._all(query, value)
        if not rows:
            return None
        values = dict(zip(ANSWER_COLUMNS, rows[0], strict=True))
        return AnswerRecord(**{**values, "previous": tuple(json.loads(values["previous"]))})

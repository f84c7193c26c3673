"""The values in the bot's state: frozen, slotted, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """The bot's settings in one guild.

    Attributes:
        answer_channels: Channels where every message that looks like a question is answered.
        allowed_channels: The only channels where the bot answers; empty means everywhere.
        threads: Answer questions in a thread of their own.
        private: Answer in private by default.
        role_id: A role that may manage the bot, besides people with Manage Server.
        collections: Channel id → the collection that the channel is about.
        person_channel_id: The channel that people are sent to if nothing was found.
        person_role_id: The role that they may ask instead.
    """

    answer_channels: tuple[int, ...] = ()
    allowed_channels: tuple[int, ...] = ()
    threads: bool = False
    private: bool = False
    role_id: int | None = None
    collections: Mapping[int, str] = field(default_factory=dict)
    person_channel_id: int | None = None
    person_role_id: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer that was given, kept so that its buttons work after a restart.

    Attributes:
        created: Seconds since 1970.
        guild_id: ``None`` in direct messages.
        message_id: The message that shows it, once it is sent.
        previous: The questions before it in the conversation, oldest first.
        locale: Discord's name for the asker's language.
        answer_json: The text of ``saved_answers.answer_text``, with all quotes for paging.
        page: The page shown, from 0.
        id: Given by ``State.save_answer``; 12 characters, fit for a ``custom_id``.
    """

    created: float
    user_id: int
    guild_id: int | None
    channel_id: int
    message_id: int | None
    question: str
    previous: tuple[str, ...]
    locale: str
    answer_json: str
    page: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's opinion of an answer.

    Attributes:
        created: Seconds since 1970.
        question: ``None`` once it is forgotten; logged questions stay.
        about: The answer's ``status``, ``confidence``, ``generation``, ``encoder``, ``locale``,
            and its ``quotes`` as ``[article id, start, end]``.
    """

    answer_id: str
    created: float
    helpful: bool
    question: str | None
    about: dict[str, Any]

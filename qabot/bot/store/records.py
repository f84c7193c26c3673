"""The values that the bot's state holds: frozen, slotted, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """How the bot behaves in one guild.

    Attributes:
        answer_channels: Channels in which every message that looks like a question is answered.
        allowed_channels: Channels in which it answers at all; everywhere where empty.
        threads: Whether questions in channels are answered in a thread of their own.
        private: Whether answers are private where nothing else was asked for.
        role_id: The role that may manage it, beside those with Manage Server.
        collections: Channel id → the collection that its questions are about.
    """

    answer_channels: tuple[int, ...] = ()
    allowed_channels: tuple[int, ...] = ()
    threads: bool = False
    private: bool = False
    role_id: int | None = None
    collections: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer as it was given, so that its buttons work after a restart.

    Attributes:
        created: Seconds since 1970.
        guild_id: ``None`` in direct messages.
        message_id: The message that shows it, once that is sent.
        previous: The questions before it in the conversation, oldest first.
        locale: Discord's name for the language of whoever asked.
        answer_json: What ``render.json.answer_json`` made of it, with all quotes for paging.
        page: The page that is shown, from 0.
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
    """What a person thought of an answer.

    Attributes:
        created: Seconds since 1970.
        question: ``None`` once it is forgotten, unless questions are logged.
        about: Of the answer: ``status``, ``confidence``, ``generation``, ``encoder``, ``locale``,
            and the places of its ``quotes`` as ``[article id, start, end]``.
    """

    answer_id: str
    created: float
    helpful: bool
    question: str | None
    about: dict[str, Any]

"""From a question to its answer in Discord, the same way wherever it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import discord

from qabot.bot.messages import Outgoing, answer_message, notice
from qabot.bot.protocols import Engine
from qabot.bot.queue import Asker, QueueFullError, StoppingError
from qabot.bot.rate_limits import Limit, Limits
from qabot.bot.replies import Reply
from qabot.bot.store.guild_settings import Guilds
from qabot.bot.store.records import AnswerRecord
from qabot.bot.store.saved_answers import answer_text
from qabot.bot.store.state import State
from qabot.errors import FilterError, QuestionError, StateError, UnusableIndexError
from qabot.render.translations import number_text, translate
from qabot.settings import Settings
from qabot.types import LONGEST_QUESTION, Answer, Filters, Request

# All quotes that an answer's buttons may page through.
_QUOTES_KEPT = 10
# A question belongs to the conversation while one may still remember what it was about.
_CONVERSATION_SECONDS = 30 * 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in.

    Attributes:
        guild_id: ``None`` in direct messages.
        locale: Discord's name for the language to answer in.
        previous: The questions before it, where the person goes on from a certain answer;
            otherwise what they asked in the channel lately.
        others: Whether another person asked ``previous``: that is not stored with this person's.
        collection: What the question is about, where the articles are in collections.
    """

    text: str
    user_id: int
    guild_id: int | None
    channel_id: int
    locale: str
    previous: tuple[str, ...] | None = None
    others: bool = False
    collection: str | None = None


class Answering:
    """Takes questions, and sees to it that each one gets an answer or hears why not.

    Args:
        engine: Answers them.
        state: Keeps the answers for their buttons.
        guilds: Knows which guilds the bot has left.
        settings: The limits.
    """

    def __init__(self, engine: Engine, state: State, guilds: Guilds, settings: Settings) -> None:
        self._engine = engine
        self._state = state
        self._guilds = guilds
        self._limits = Limits(settings.user_questions, settings.guild_questions)
        self._told = Limit(1)
        self._log_questions = settings.log_questions
        self._asker = Asker(engine, settings.waiting)

    async def answer(self, asked: Asked, reply: Reply) -> None:
        """Answer a question, or tell the person why there is no answer."""
        problem = question_problem(asked.text, asked.locale)
        if problem:
            await reply.refuse(problem)
            return
        try:
            with self._asker.admitted():
                refusal = self._too_often(asked)
                if refusal:
                    if not reply.unasked or self._tell_again(asked.user_id):
                        await reply.refuse(refusal)
                elif await reply.acknowledge():
                    await self._send_answer(asked, reply)
        except (QueueFullError, StoppingError) as error:
            await reply.refuse(explanation(error, asked.locale))

    async def drain(self, seconds: float) -> None:
        """Take no further questions, and wait that long at most for those under way."""
        await self._asker.drain(seconds)

    def close(self) -> None:
        """Let go of the thread."""
        self._asker.close()

    def _too_often(self, asked: Asked) -> str | None:
        """What to tell a person who has to wait before asking again; ``None`` if they need not."""
        now = discord.utils.utcnow().timestamp()
        again = self._limits.ask(asked.user_id, asked.guild_id, now)
        if again is None:
            return None
        return translate(
            "That was a lot of questions at once. Please ask again {when}.",
            asked.locale,
            when=f"<t:{int(again) + 1}:R>",
        )

    def _tell_again(self, user_id: int) -> bool:
        """Whether a person has not been told of limits in the last minute."""
        now = discord.utils.utcnow().timestamp()
        if self._told.free_at(user_id, now) > now:
            return False
        self._told.count(user_id, now)
        return True

    async def _send_answer(self, asked: Asked, reply: Reply) -> None:
        record = None
        try:
            outgoing, record = await self._answered(asked, reply)
        except Exception as error:  # noqa: BLE001 (whatever it is, the person hears of it)
            outgoing = notice(explanation(error, asked.locale))
        message_id = await reply.send(outgoing)
        if message_id is not None and record is not None:
            with contextlib.suppress(StateError):
                await asyncio.to_thread(self._state.set_answer_message, record.id, message_id)

    async def _answered(self, asked: Asked, reply: Reply) -> tuple[Outgoing, AnswerRecord | None]:
        now = discord.utils.utcnow().timestamp()
        previous = asked.previous
        if previous is None:
            previous = await self._conversation(asked, now - _CONVERSATION_SECONDS)
        filters = Filters(collection=asked.collection) if asked.collection else None
        answer = await self._asker.ask(Request(asked.text, previous, _QUOTES_KEPT, filters))
        channel_id = await reply.place(answer.question)
        # Rendering takes milliseconds, which add up where many answers are ready together.
        return await asyncio.to_thread(self._kept, asked, answer, previous, channel_id, now)

    async def _conversation(self, asked: Asked, since: float) -> tuple[str, ...]:
        try:
            return await asyncio.to_thread(
                self._state.conversation, asked.channel_id, asked.user_id, since
            )
        except StateError as error:
            _log.error("%s", error)
            return ()

    def _kept(
        self,
        asked: Asked,
        answer: Answer,
        previous: tuple[str, ...],
        channel_id: int,
        now: float,
    ) -> tuple[Outgoing, AnswerRecord | None]:
        """Keep an answer for its buttons, and render it.

        Where it cannot be kept, it is shown without buttons.
        """
        made = AnswerRecord(
            created=now,
            user_id=asked.user_id,
            guild_id=asked.guild_id,
            channel_id=channel_id,
            message_id=None,
            question=answer.question,
            previous=() if asked.others else previous,
            locale=asked.locale,
            answer_json=answer_text(answer, asked.collection),
        )
        record = None if self._guilds.has_left(asked.guild_id) else self._saved(made)
        outgoing = answer_message(
            answer,
            record.id if record else None,
            0,
            asked.locale,
            per_page=self._engine.settings.quotes,
        )
        return outgoing, record

    def _saved(self, record: AnswerRecord) -> AnswerRecord | None:
        try:
            record = replace(record, id=self._state.save_answer(record))
            if self._log_questions:
                self._state.log_question(record)
        except StateError as error:
            _log.error("%s", error)
            return None
        return record


async def made(message: Callable[[], Outgoing], locale: str) -> Outgoing:
    """What ``message`` makes in a thread, or what a person is told where it fails."""
    try:
        return await asyncio.to_thread(message)
    except Exception as error:  # noqa: BLE001 (whatever it is, the person hears of it)
        return notice(explanation(error, locale))


def question_problem(text: str, locale: str) -> str | None:
    """What is wrong with a question, for the person; ``None`` where nothing is."""
    text = " ".join(text.split())
    if not text:
        return translate("There is no question. Please type one.", locale)
    if len(text) > LONGEST_QUESTION:
        return translate(
            "Your question has {length} characters. Please shorten it to {longest}.",
            locale,
            length=number_text(len(text), locale),
            longest=number_text(LONGEST_QUESTION, locale),
        )
    return None


def explanation(error: Exception, locale: str) -> str:
    """What a person is told of an error; all that may be of use to the operator is logged."""
    if isinstance(error, QueueFullError):
        return translate(
            "Too many questions are waiting right now. Please ask again in a minute.", locale
        )
    if isinstance(error, StoppingError):
        return translate("I am being restarted. Please ask again in a minute.", locale)
    if isinstance(error, FilterError):
        return translate("There is no such collection of articles any more.", locale)
    if isinstance(error, QuestionError):
        return translate("I cannot look that up. Please put the question in other words.", locale)
    if isinstance(error, UnusableIndexError):
        _log.error("%s", error)
        return translate(
            "I cannot read the articles right now. Whoever runs me has to renew them.", locale
        )
    _log.error("a question could not be answered", exc_info=error)
    return translate("Something went wrong on my side. Please ask again later.", locale)

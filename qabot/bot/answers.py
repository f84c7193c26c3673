"""Takes a question to its answer, in the same way wherever in Discord it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord

from qabot.bot.channels import person_of
from qabot.bot.explanations import explanation, how_to_ask, no_question, question_problem
from qabot.bot.interactions import with_lost
from qabot.bot.message_text import plain
from qabot.bot.messages import Outgoing, answer_message, notice
from qabot.bot.queue import QuestionQueue, QueueFullError, StoppingError
from qabot.bot.rate_limits import QuestionLimits, RateLimit
from qabot.bot.replies import Reply
from qabot.bot.store.guild_settings import Guilds
from qabot.bot.store.records import AnswerRecord
from qabot.bot.store.saved_answers import answer_text
from qabot.bot.store.state import State
from qabot.errors import StateError
from qabot.render.translations import plural, translate
from qabot.settings import Settings
from qabot.types import Answer, Filters, Request

if TYPE_CHECKING:
    from qabot.answering.engine import Engine

# The most quotes that an answer's buttons page through.
_QUOTES_KEPT = 10
# After this time, people no longer mean their last question.
_CONVERSATION_SECONDS = 30 * 60.0
SECONDS_TO_WAIT = 10.0
"""Time after which people are told how many questions are before theirs."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in.

    Attributes:
        guild_id: ``None`` in direct messages.
        locale: Discord's name for the language to answer in.
        previous: Earlier questions, if the person goes on from a certain answer; ``None`` takes
            their latest questions in the channel.
        others: True if another person asked ``previous``, which is then not stored.
        collection: The collection to search; all articles if ``None``.
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
    """Takes questions; each one gets an answer, or a reason why there is none.

    Args:
        engine: Answers the questions.
        state: Keeps the answers for their buttons.
        guilds: Knows which guilds the bot has left.
        settings: Limits, and whether questions are logged.
    """

    def __init__(self, engine: Engine, state: State, guilds: Guilds, settings: Settings) -> None:
        self._engine = engine
        self._state = state
        self._guilds = guilds
        self._limits = QuestionLimits(settings.user_questions, settings.guild_questions)
        self._told = RateLimit(1)
        # Person → when they were forgotten.
        self._forgotten: dict[int, float] = {}
        self._log_questions = settings.log_questions
        self._queue = QuestionQueue(engine, settings.waiting)

    async def answer(self, asked: Asked, reply: Reply) -> None:
        """Answer a question, or tell the person why there is no answer."""
        # Ids name nothing that an article could hold.
        asked = replace(asked, text=plain(asked.text))
        problem = question_problem(asked.text, asked.locale)
        if problem:
            await reply.refuse(problem, asked.text)
            return
        try:
            with self._queue.admitted():
                refusal = self._too_often(asked)
                if refusal:
                    if not reply.is_message or self._tell_again(asked.user_id):
                        await reply.refuse(refusal, asked.text)
                elif await reply.acknowledge():
                    await self._send_answer(asked, reply)
        except (QueueFullError, StoppingError) as error:
            await reply.refuse(explanation(error, asked.locale), asked.text)

    def forget(self, user_id: int) -> None:
        """Keep nothing of what a person has asked so far, also if its answer is still to come."""
        now = discord.utils.utcnow().timestamp()
        recent = now - _CONVERSATION_SECONDS
        self._forgotten = {who: at for who, at in self._forgotten.items() if at > recent}
        self._forgotten[user_id] = now

    async def drain(self, seconds: float) -> None:
        """Take no more questions, and wait at most that long for those under way."""
        await self._queue.drain(seconds)

    def close(self) -> None:
        """Let the thread end."""
        self._queue.close()

    def _too_often(self, asked: Asked) -> str | None:
        """Count the question; say when to ask again if there were too many."""
        now = discord.utils.utcnow().timestamp()
        wait = self._limits.ask(asked.user_id, asked.guild_id, now)
        if not wait:
            return None
        return translate(
            "That was a lot of questions at once. Please ask again {when}.",
            asked.locale,
            when=f"<t:{int(now + wait) + 1}:R>",
        )

    def _tell_again(self, user_id: int) -> bool:
        """Return whether a person has not been told about limits in the last minute."""
        now = discord.utils.utcnow().timestamp()
        if self._told.wait(user_id, now):
            return False
        self._told.count(user_id, now)
        return True

    async def _send_answer(self, asked: Asked, reply: Reply) -> None:
        outgoing, record = None, None
        try:
            outgoing, record = await self._answered(asked, reply)
        except Exception as error:  # noqa: BLE001 (the person is told of every error)
            said = explanation(error, asked.locale)
            outgoing = _given_back(said, asked, reply) if reply.addressed else None
        if outgoing is None:
            await reply.withdraw()
            return
        message_id = await reply.send(outgoing)
        if message_id is not None and record is not None:
            with contextlib.suppress(StateError):
                await asyncio.to_thread(self._state.set_answer_message, record.id, message_id)

    async def _answered(
        self, asked: Asked, reply: Reply
    ) -> tuple[Outgoing | None, AnswerRecord | None]:
        """Answer a question; ``None`` if nobody asked for what there is to say."""
        now = discord.utils.utcnow().timestamp()
        previous = asked.previous
        if previous is None:
            previous = await self.conversation(asked.user_id, asked.channel_id)
        filters = Filters(collection=asked.collection) if asked.collection else None
        request = Request(asked.text, previous, _QUOTES_KEPT, filters)
        answer = await self._waited(request, asked, reply)
        if answer.small_talk:
            return _nothing_asked(asked, reply, previous), None
        if answer.status != "answered" and not reply.addressed:
            return None, None
        channel_id = await reply.place(answer.question)
        # Rendering takes milliseconds, which add up when many answers are ready together.
        record = await asyncio.to_thread(self._kept, asked, answer, previous, channel_id, now)
        settings = await self._guilds.settings(asked.guild_id)
        outgoing = await asyncio.to_thread(
            answer_message,
            answer,
            record.id if record else None,
            0,
            asked.locale,
            per_page=self._engine.settings.quotes,
            shows_question=reply.shows_question,
            person=person_of(settings),
        )
        return outgoing, record

    async def _waited(self, request: Request, asked: Asked, reply: Reply) -> Answer:
        """Wait for an answer, and tell the person if it takes long."""
        asking = asyncio.create_task(self._queue.ask(request))
        done, _ = await asyncio.wait({asking}, timeout=SECONDS_TO_WAIT)
        if not done:
            said = _waiting_text(self._queue.before(request), asked.locale)
            await reply.wait(said, asked.text)
        return await asking

    async def conversation(self, user_id: int, channel_id: int) -> tuple[str, ...]:
        """Return what a person asked in a channel lately, oldest first."""
        since = discord.utils.utcnow().timestamp() - _CONVERSATION_SECONDS
        try:
            return await asyncio.to_thread(self._state.conversation, channel_id, user_id, since)
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
    ) -> AnswerRecord | None:
        """Keep an answer for its buttons; ``None`` if it cannot or must not be kept."""
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
        is_forgotten = now <= self._forgotten.get(asked.user_id, 0.0)
        return None if is_forgotten or self._guilds.has_left(asked.guild_id) else self._saved(made)

    def _saved(self, record: AnswerRecord) -> AnswerRecord | None:
        try:
            record = replace(record, id=self._state.save_answer(record))
            if self._log_questions:
                self._state.log_question(record)
        except StateError as error:
            _log.error("%s", error)
            return None
        return record


def _nothing_asked(asked: Asked, reply: Reply, previous: tuple[str, ...]) -> Outgoing | None:
    """Reply to small talk; ``None`` for "thanks!" after an answer, which needs no reply."""
    if not reply.addressed or (reply.is_message and previous):
        return None
    said = how_to_ask(asked.locale) if reply.is_message else no_question(asked.locale)
    return _given_back(said, asked, reply)


def _given_back(said: str, asked: Asked, reply: Reply) -> Outgoing:
    """Say why there is no answer, with the question, unless that still stands in a message."""
    return notice(said) if reply.is_message else with_lost(said, asked.text)


def _waiting_text(before: int, locale: str) -> str:
    if not before:
        return translate("I am still looking …", locale)
    return plural(
        "{n} question is before yours …", "{n} questions are before yours …", before, locale
    )

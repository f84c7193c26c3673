"""Answers messages: mentions, direct messages, replies, and questions in channels that opted in."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from datetime import timedelta

import discord
from discord.ext import commands

from qabot.answering.follow_up import is_follow_up
from qabot.bot.answers import Asked
from qabot.bot.channels import collection_of, whole_channel
from qabot.bot.explanations import how_to_ask
from qabot.bot.message_replies import Heard, MessageReply, TypingIndicator
from qabot.bot.message_text import is_own_role, own_text, question_of, replied_to
from qabot.bot.messages import notice
from qabot.bot.question_detector import (
    called_names,
    is_about_bot,
    is_small_talk,
    looks_like_question,
)
from qabot.bot.refusals import Refusals
from qabot.bot.services import Services
from qabot.bot.store.records import AnswerRecord, GuildSettings
from qabot.bot.store.saved_answers import read_collection
from qabot.errors import StateError
from qabot.render.translations import translate

_QUESTION_TYPES = (discord.MessageType.default, discord.MessageType.reply)
# More than are deleted while an answer is under way.
_DELETED_KEPT = 5000
# After this time, an edit corrects the record and asks nothing.
_SECONDS_TO_EDIT = 15 * 60.0
# A few hundred bytes each, for a quarter of an hour: enough for two questions a second.
_HEARD_KEPT = 2000

_log = logging.getLogger(__name__)


class MessageListener(commands.Cog):
    """Answers messages that ask the bot something, and leaves all others alone.

    Args:
        bot: The bot, for its user.
    """

    def __init__(self, bot: commands.Bot, services: Services) -> None:
        self._bot = bot
        self._services = services
        self._refusals = Refusals(services.state)
        self._typing = TypingIndicator()
        self._deleted: deque[int] = deque(maxlen=_DELETED_KEPT)
        self._heard: OrderedDict[int, Heard] = OrderedDict()
        self._since = discord.utils.utcnow()

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Drop the answer to a deleted message."""
        self._deleted.append(event.message_id)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Drop the answers to messages that a moderator cleaned up."""
        self._deleted.extend(event.message_ids)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Answer a message that an edit makes a question, or another one."""
        message = event.message
        age = (discord.utils.utcnow() - message.created_at).total_seconds()
        # Discord also "edits" a message to preview its links. Earlier messages may be answered.
        if message.edited_at and age < _SECONDS_TO_EDIT and message.created_at >= self._since:
            await self._hear(message)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that asks the bot something."""
        self._services.people.note(message)
        await self._hear(message)

    async def _hear(self, message: discord.Message) -> None:
        # Bots answering each other would never end.
        if message.author.bot or message.webhook_id or message.type not in _QUESTION_TYPES:
            return
        guild_id = message.guild.id if message.guild else None
        settings = await self._services.guild_settings.settings(guild_id)
        called, in_thread = self._is_called(message), self._is_for_thread(message)
        if not called and not in_thread and not self._is_for_all(message, settings):
            return
        text = await question_of(message, self._bot.user)
        if not (called or in_thread or await self._is_for_anybody(message, text)):
            return
        heard = self._heard.get(message.id, Heard())
        if heard.text == hash(text):
            return
        heard.text = hash(text)
        reply = MessageReply(
            message,
            settings,
            locale=self._services.locales.of(message),
            addressed=called or (in_thread and looks_like_question(text)),
            deleted=self._deleted,
            typing=self._typing,
            heard=heard,
        )
        if await self._refusals.refuse(message, settings, reply):
            return
        self._heard[message.id] = heard
        self._forget_heard()
        await self._answer(message, text, settings, reply)

    def _forget_heard(self) -> None:
        """Forget messages whose edits ask nothing any more."""
        oldest = discord.utils.utcnow() - timedelta(seconds=_SECONDS_TO_EDIT)
        while self._heard:
            first = next(iter(self._heard))
            if len(self._heard) <= _HEARD_KEPT and discord.utils.snowflake_time(first) >= oldest:
                break
            del self._heard[first]

    async def _answer(
        self, message: discord.Message, text: str, settings: GuildSettings, reply: MessageReply
    ) -> None:
        """Answer ``text``, going on from the answer that the message replies to."""
        record = await self._answer_replied_to(message)
        locale = self._services.locales.of(message)
        if not text or is_small_talk(text):
            # "Thanks!" needs no answer; someone who has had none yet is told how to ask.
            answered = record or await self._has_answers(message)
            talking = text and answered and not is_about_bot(text)
            if reply.addressed and not talking:
                said = how_to_ask(locale) if text else self._nothing_asked(message, locale)
                await reply.send(notice(said))
            return
        asked = Asked(
            text=text,
            user_id=message.author.id,
            guild_id=message.guild.id if message.guild else None,
            channel_id=message.channel.id,
            locale=locale,
            previous=(*record.previous, record.question) if record else None,
            others=record is not None and record.user_id != message.author.id,
            collection=(
                read_collection(record.answer_json)
                if record
                else collection_of(message.channel, settings)
            ),
        )
        await self._services.answering.answer(asked, reply)

    async def _has_answers(self, message: discord.Message) -> bool:
        """Return whether the author was answered in the channel lately."""
        author, channel = message.author.id, message.channel.id
        return bool(await self._services.answering.conversation(author, channel))

    def _is_called(self, message: discord.Message) -> bool:
        """Return whether a message speaks to the bot.

        It does in a direct message, with a mention of the bot or its role, and as a reply that
        pings the bot and nobody else.
        """
        user = self._bot.user
        if message.guild is None or user is None:
            return True
        if user.id in message.raw_mentions:
            return True
        if any(is_own_role(role, user) for role in message.role_mentions):
            return True
        return [person.id for person in message.mentions] == [user.id]

    def _is_for_thread(self, message: discord.Message) -> bool:
        """Return whether a message goes on in a thread that the bot opened for an answer."""
        user, channel, replied = self._bot.user, message.channel, replied_to(message)
        if user is None or not isinstance(channel, discord.Thread) or channel.owner_id != user.id:
            return False
        to_others = message.mentions or (replied and replied.author != user)
        return not to_others and bool(own_text(message, user))

    def _is_for_all(self, message: discord.Message, settings: GuildSettings) -> bool:
        """Return whether every question in the channel is answered, and this is for nobody."""
        channel = message.channel
        if not self._services.settings.message_content:
            return False
        if whole_channel(channel) not in settings.answer_channels:
            return False
        if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
            # Answer the post; the discussion below it is between people.
            return message.id == channel.id
        return not message.mentions and message.type is not discord.MessageType.reply

    async def _is_for_anybody(self, message: discord.Message, text: str) -> bool:
        """Return whether a text that mentions nobody is a question, and calls nobody by name."""
        if not _stands_alone(text):
            return False
        return not await self._services.people.are_any(called_names(message.content), message)

    def _nothing_asked(self, message: discord.Message, locale: str) -> str:
        replied = replied_to(message)
        if replied is not None and replied.author != self._bot.user:
            return translate(
                "Discord does not show me that message. Open its menu → Apps → “Ask the articles "
                "about this”, or mention me together with the question.",
                locale,
            )
        if message.type is discord.MessageType.reply:
            # Discord keeps the text of a reply to an interaction's answer from bots.
            return translate(
                "Discord does not show me this reply. Press “Follow-up question” below my answer, "
                "or mention me together with your question.",
                locale,
            )
        return how_to_ask(locale)

    async def _answer_replied_to(self, message: discord.Message) -> AnswerRecord | None:
        """Find the answer that a message replies to; ``None`` if there is none any more."""
        reference = message.reference
        if message.type is not discord.MessageType.reply or reference is None:
            return None
        try:
            return await asyncio.to_thread(
                self._services.state.answer_by_message, reference.message_id or 0
            )
        except StateError as error:
            _log.error("%s", error)
            return None


def _stands_alone(text: str) -> bool:
    """Return whether a text that speaks to nobody is a question to the articles."""
    return looks_like_question(text) and not is_follow_up(text)

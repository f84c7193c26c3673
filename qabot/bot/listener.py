"""Answers messages: mentions, direct messages, replies, and questions in channels that opted in."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import discord
from discord.ext import commands

from qabot.bot.answers import Asked
from qabot.bot.channels import collection_of, may_answer, missing_permissions, whole_channel
from qabot.bot.messages import notice
from qabot.bot.question_detector import looks_like_question
from qabot.bot.replies import MessageReply
from qabot.bot.services import Services
from qabot.bot.store.records import AnswerRecord, GuildSettings
from qabot.bot.store.saved_answers import read_collection
from qabot.errors import StateError
from qabot.render.translations import translate

_QUESTION_TYPES = (discord.MessageType.default, discord.MessageType.reply)
# More than are deleted while an answer is under way.
_DELETED_KEPT = 5000

_log = logging.getLogger(__name__)


class MessageListener(commands.Cog):
    """Answers messages that ask the bot something, and leaves all others alone.

    Args:
        bot: The bot, for its user.
    """

    def __init__(self, bot: commands.Bot, services: Services) -> None:
        self._bot = bot
        self._services = services
        self._deleted: deque[int] = deque(maxlen=_DELETED_KEPT)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Drop the answer to a deleted message."""
        self._deleted.append(event.message_id)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Drop the answers to messages that a moderator cleaned up."""
        self._deleted.extend(event.message_ids)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that asks the bot something."""
        # Bots answering each other would never end.
        if message.author.bot or message.webhook_id or message.type not in _QUESTION_TYPES:
            return
        guild_id = message.guild.id if message.guild else None
        settings = await self._services.guild_settings.settings(guild_id)
        addressed = message.guild is None or self._is_mentioned(message)
        if not addressed and not self._is_opted_in(message, settings):
            return
        locale = self._services.locales.of(message)
        reply = MessageReply(
            message,
            private=settings.private,
            threads=settings.threads,
            locale=locale,
            deleted=self._deleted,
        )
        refusal = _refusal(message, settings, locale)
        if refusal:
            what, text = refusal
            if addressed and await self._is_first_time(message, what):
                await reply.refuse(text)
            return
        text = self._without_mention(message)
        if not text:
            await reply.send(notice(_nothing_asked(message, locale)))
            return
        await self._answer(message, text, settings, reply)

    async def _answer(
        self, message: discord.Message, text: str, settings: GuildSettings, reply: MessageReply
    ) -> None:
        """Answer ``text``, going on from the answer that the message replies to."""
        record = await self._answer_replied_to(message)
        asked = Asked(
            text=text,
            user_id=message.author.id,
            guild_id=message.guild.id if message.guild else None,
            channel_id=message.channel.id,
            locale=self._services.locales.of(message),
            previous=(*record.previous, record.question) if record else None,
            others=record is not None and record.user_id != message.author.id,
            collection=(
                read_collection(record.answer_json)
                if record
                else collection_of(message.channel, settings)
            ),
        )
        await self._services.answering.answer(asked, reply)

    def _is_mentioned(self, message: discord.Message) -> bool:
        """Return whether the message mentions the bot; a reply that pings it does."""
        user = self._bot.user
        return user is not None and any(mentioned.id == user.id for mentioned in message.mentions)

    def _is_opted_in(self, message: discord.Message, settings: GuildSettings) -> bool:
        """Return whether this is a question in a channel where every question is answered."""
        channel = message.channel
        if not self._services.settings.message_content:
            return False
        if whole_channel(channel) not in settings.answer_channels:
            return False
        if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
            # Answer the post; the discussion below it is between people.
            return message.id == channel.id
        return looks_like_question(message.content)

    async def _is_first_time(self, message: discord.Message, what: str) -> bool:
        """Return whether the person has not been told yet."""
        try:
            return await asyncio.to_thread(self._services.state.tell_once, message.author.id, what)
        except StateError as error:
            _log.error("%s", error)
            return False

    def _without_mention(self, message: discord.Message) -> str:
        text = message.content
        if self._bot.user is not None:
            for mention in (f"<@{self._bot.user.id}>", f"<@!{self._bot.user.id}>"):
                text = text.replace(mention, " ")
        return text.strip()

    async def _answer_replied_to(self, message: discord.Message) -> AnswerRecord | None:
        """Find the answer that a message replies to; ``None`` if there is none any more."""
        if message.reference is None or message.reference.message_id is None:
            return None
        try:
            return await asyncio.to_thread(
                self._services.state.answer_by_message, message.reference.message_id
            )
        except StateError as error:
            _log.error("%s", error)
            return None


def _refusal(
    message: discord.Message, settings: GuildSettings, locale: str
) -> tuple[str, str] | None:
    """Say why the bot cannot answer in this channel: a key for the reason, and the text."""
    channel = message.channel
    if not may_answer(channel, settings):
        allowed = ", ".join(f"<#{channel_id}>" for channel_id in settings.allowed_channels)
        return f"place {channel.id}", translate(
            "I may not answer in {channel}. Ask me in {allowed}.",
            locale,
            channel=f"<#{channel.id}>",
            allowed=allowed,
        )
    missing = missing_permissions(channel)
    if missing and not (settings.private and message.guild):
        return f"permissions {channel.id}", translate(
            "I cannot answer in {channel}: I lack the permission {permissions}. "
            "Whoever runs the server can give it to me, or you ask me here.",
            locale,
            channel=f"<#{channel.id}>",
            permissions=", ".join(f"“{name.replace('_', ' ').title()}”" for name in missing),
        )
    return None


def _nothing_asked(message: discord.Message, locale: str) -> str:
    if message.reference is not None:
        # Discord keeps the text of a reply to an interaction's answer from bots.
        return translate(
            "Discord does not show me this reply. Press “Follow-up question” below my answer, "
            "or mention me together with your question.",
            locale,
        )
    return translate("Mention me together with a question, or use `/ask`.", locale)

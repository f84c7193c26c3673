"""Messages that ask: mentions, direct messages, replies, questions in channels that opted in."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import discord

from qabot.bot.answers import Asked
from qabot.bot.channels import collection_of, may_answer, missing_permissions, whole_channel
from qabot.bot.messages import notice
from qabot.bot.question_detector import looks_like_question
from qabot.bot.replies import MessageReply
from qabot.bot.store.records import AnswerRecord, GuildSettings
from qabot.bot.store.saved_answers import read_collection
from qabot.errors import StateError
from qabot.render.translations import translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot

_QUESTION_TYPES = (discord.MessageType.default, discord.MessageType.reply)

_log = logging.getLogger(__name__)


async def hear(bot: Bot, message: discord.Message) -> None:
    """Answer a message if it asks the bot something; leave all others alone."""
    # Bots answering each other would never end.
    if message.author.bot or message.webhook_id or message.type not in _QUESTION_TYPES:
        return
    settings = await bot.guild_settings.settings(message.guild.id if message.guild else None)
    addressed = message.guild is None or _mentions(bot, message)
    if not addressed and not _opted_in(bot, message, settings):
        return
    locale = bot.locales.of(message)
    reply = MessageReply(
        message,
        private=settings.private,
        threads=settings.threads,
        locale=locale,
        deleted=bot.deleted,
    )
    refusal = _refusal(message, settings, locale)
    if refusal:
        what, text = refusal
        if addressed and await _first_time(bot, message, what):
            await reply.refuse(text)
        return
    text = _without_mention(bot, message)
    if not text:
        await reply.send(notice(_nothing_asked(message, locale)))
        return
    record = await _answer_replied_to(bot, message)
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
    await bot.answering.answer(asked, reply)


def _mentions(bot: Bot, message: discord.Message) -> bool:
    """Whether the message mentions the bot itself; a reply that pings it does."""
    return bot.user is not None and any(user.id == bot.user.id for user in message.mentions)


def _opted_in(bot: Bot, message: discord.Message, settings: GuildSettings) -> bool:
    """Whether the message is a question in a channel where all questions are answered."""
    channel = message.channel
    if not bot.intents.message_content or whole_channel(channel) not in settings.answer_channels:
        return False
    if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
        # One reply to a post: what people discuss below it is between them.
        return message.id == channel.id
    return looks_like_question(message.content)


def _refusal(
    message: discord.Message, settings: GuildSettings, locale: str
) -> tuple[str, str] | None:
    """Why there will be no answer in this channel: what it is about, and a text for the person."""
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


async def _first_time(bot: Bot, message: discord.Message, what: str) -> bool:
    """Whether the person has not been told yet."""
    try:
        return await asyncio.to_thread(bot.state.tell_once, message.author.id, what)
    except StateError as error:
        _log.error("%s", error)
        return False


def _without_mention(bot: Bot, message: discord.Message) -> str:
    text = message.content
    if bot.user is not None:
        for mention in (f"<@{bot.user.id}>", f"<@!{bot.user.id}>"):
            text = text.replace(mention, " ")
    return text.strip()


def _nothing_asked(message: discord.Message, locale: str) -> str:
    if message.reference is not None:
        # Discord keeps the text of a reply to an interaction's answer from bots.
        return translate(
            "Discord does not show me this reply. Press “Follow-up question” below my answer, "
            "or mention me together with your question.",
            locale,
        )
    return translate("Mention me together with a question, or use `/ask`.", locale)


async def _answer_replied_to(bot: Bot, message: discord.Message) -> AnswerRecord | None:
    """The answer that a message replies to; ``None`` if it is none, or a forgotten one."""
    if message.reference is None or message.reference.message_id is None:
        return None
    try:
        return await asyncio.to_thread(bot.state.answer_by_message, message.reference.message_id)
    except StateError as error:
        _log.error("%s", error)
        return None

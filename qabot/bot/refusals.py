"""Tells people why the bot cannot answer in a channel: once, in private."""

from __future__ import annotations

import asyncio
import logging

import discord

from qabot.bot.channels import may_answer, missing_permissions
from qabot.bot.message_replies import MessageReply
from qabot.bot.store.records import GuildSettings
from qabot.bot.store.state import State
from qabot.errors import StateError
from qabot.render.translations import translate

_log = logging.getLogger(__name__)


class Refusals:
    """Checks that the bot may answer a message.

    Args:
        state: Remembers what each person has been told.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def refuse(
        self, message: discord.Message, settings: GuildSettings, reply: MessageReply
    ) -> bool:
        """Return ``True`` if the bot may not answer, and tell the person why if that is new."""
        reason = _reason(message, settings, reply.locale)
        if reason is None:
            return False
        key, text = reason
        if reply.addressed and await self._is_first_time(message.author.id, key):
            await reply.refuse(text)
        return True

    async def _is_first_time(self, user_id: int, key: str) -> bool:
        now = discord.utils.utcnow().timestamp()
        try:
            return await asyncio.to_thread(self._state.tell_once, user_id, key, now)
        except StateError as error:
            _log.error("%s", error)
            return False


def _reason(
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

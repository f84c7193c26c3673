"""Channels: where the bot may answer, what it needs there, and what is asked about there."""

from __future__ import annotations

import discord

from qabot.bot.store.records import GuildSettings


def whole_channel(channel: object) -> int:
    """The id of a channel; of the channel that it is in, for a thread or a forum's post."""
    if isinstance(channel, discord.Thread):
        return channel.parent_id
    return int(getattr(channel, "id", 0))


def may_answer(channel: object, settings: GuildSettings) -> bool:
    """Whether the guild lets the bot answer in a channel, or in a thread of it."""
    allowed = settings.allowed_channels
    return not allowed or whole_channel(channel) in allowed


def collection_of(channel: object, settings: GuildSettings) -> str | None:
    """The collection that questions in a channel are about; ``None`` for all articles."""
    return settings.collections.get(whole_channel(channel))


def missing_permissions(channel: object) -> tuple[str, ...]:
    """What the bot needs to answer in a channel and does not have; names of permissions."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return ()
    held = channel.permissions_for(channel.guild.me)
    speak = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    needed = ("view_channel", speak, "embed_links", "read_message_history")
    return tuple(name for name in needed if not getattr(held, name))


def may_open_thread(channel: object) -> bool:
    """Whether a message there can have a thread, and the bot may open and fill it."""
    if not isinstance(channel, discord.TextChannel):
        return False
    held = channel.permissions_for(channel.guild.me)
    return held.create_public_threads and held.send_messages_in_threads

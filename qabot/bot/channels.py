"""Channels: where the bot may answer, with which permissions, from which collection."""

from __future__ import annotations

import discord

from qabot.bot.store.records import GuildSettings
from qabot.render.translations import translate


def whole_channel(channel: object) -> int:
    """Return a channel's id; for a thread or a forum post, the id of the channel around it."""
    if isinstance(channel, discord.Thread):
        return channel.parent_id
    return int(getattr(channel, "id", 0))


def may_answer(channel: object, settings: GuildSettings) -> bool:
    """Return whether the guild lets the bot answer in a channel or its threads."""
    allowed = settings.allowed_channels
    return not allowed or whole_channel(channel) in allowed


def elsewhere_text(settings: GuildSettings, locale: str) -> str:
    """Say where the bot answers instead of this channel."""
    allowed = ", ".join(f"<#{channel_id}>" for channel_id in settings.allowed_channels)
    return translate(
        "I may not answer in this channel. Ask me in {allowed}.", locale, allowed=allowed
    )


def person_of(settings: GuildSettings) -> str:
    """Mention the channel or role that people are sent to if nothing was found."""
    if settings.person_channel_id is not None:
        return f"<#{settings.person_channel_id}>"
    return "" if settings.person_role_id is None else f"<@&{settings.person_role_id}>"


def collection_of(channel: object, settings: GuildSettings) -> str | None:
    """Return the collection that a channel is about; ``None`` for all articles."""
    return settings.collections.get(whole_channel(channel))


def missing_permissions(channel: object) -> tuple[str, ...]:
    """Name the permissions that the bot lacks to answer in a channel."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return ()
    held = channel.permissions_for(channel.guild.me)
    speak = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    needed = ("view_channel", speak, "embed_links", "read_message_history")
    return tuple(name for name in needed if not getattr(held, name))


def may_open_thread(channel: object) -> bool:
    """Return whether the bot may open a thread there and write in it."""
    if not isinstance(channel, discord.TextChannel):
        return False
    held = channel.permissions_for(channel.guild.me)
    return held.create_public_threads and held.send_messages_in_threads

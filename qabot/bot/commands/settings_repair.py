"""Takes channels and roles out of a server's settings that no longer exist; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import discord

from qabot.bot.store.records import GuildSettings


def repaired(settings: GuildSettings, guild: discord.Guild) -> tuple[GuildSettings, Sequence[int]]:
    """Return ``settings`` without what was deleted, and the ids that were taken out.

    If all channels where the bot may answer are gone, it answers everywhere again.
    """
    if guild.unavailable:
        return settings, ()
    channels = {channel.id for channel in guild.channels}
    roles = {role.id for role in guild.roles}
    named = [
        *settings.allowed_channels,
        *settings.answer_channels,
        *settings.collections,
        *filter(None, [settings.person_channel_id]),
    ]
    given = filter(None, [settings.role_id, settings.person_role_id])
    gone = {channel for channel in named if channel not in channels}
    gone |= {role for role in given if role not in roles}
    if not gone:
        return settings, ()

    def kept(value: int | None) -> int | None:
        return None if value in gone else value

    mended = replace(
        settings,
        allowed_channels=tuple(c for c in settings.allowed_channels if c not in gone),
        answer_channels=tuple(c for c in settings.answer_channels if c not in gone),
        collections={c: name for c, name in settings.collections.items() if c not in gone},
        role_id=kept(settings.role_id),
        person_channel_id=kept(settings.person_channel_id),
        person_role_id=kept(settings.person_role_id),
    )
    return mended, sorted(gone)

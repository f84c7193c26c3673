"""Takes channels and roles out of a server's settings that no longer exist; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import discord

from qabot.bot.store.records import GuildSettings


def repaired(settings: GuildSettings, guild: discord.Guild) -> tuple[GuildSettings, Sequence[str]]:
    """Return ``settings`` without what was deleted, and the names of the settings that held it.

    If all channels where the bot may answer are gone, it answers everywhere again.
    """
    if guild.unavailable:
        return settings, ()
    there = {thing.id for thing in [*guild.channels, *guild.roles]}

    def kept(value: int | None) -> int | None:
        return value if value in there else None

    mended = replace(
        settings,
        allowed_channels=tuple(c for c in settings.allowed_channels if c in there),
        answer_channels=tuple(c for c in settings.answer_channels if c in there),
        collections={c: name for c, name in settings.collections.items() if c in there},
        role_id=kept(settings.role_id),
        person_channel_id=kept(settings.person_channel_id),
        person_role_id=kept(settings.person_role_id),
    )
    names = GuildSettings.__dataclass_fields__
    return mended, [name for name in names if getattr(mended, name) != getattr(settings, name)]

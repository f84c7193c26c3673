"""Guilds' settings, held in memory: they are needed before a question can be acknowledged."""

from __future__ import annotations

import asyncio

from qabot.bot.records import GuildSettings
from qabot.bot.state import State

_DEFAULT = GuildSettings()


class Guilds:
    """Reads each guild's settings once, and writes through."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[int, GuildSettings] = {}

    async def settings(self, guild_id: int | None) -> GuildSettings:
        """The settings of a guild; the defaults in direct messages (``None``)."""
        if guild_id is None:
            return _DEFAULT
        known = self._known.get(guild_id)
        if known is None:
            known = await asyncio.to_thread(self._state.guild, guild_id)
            self._known[guild_id] = known
        return known

    async def save(self, guild_id: int, settings: GuildSettings) -> None:
        """Replace a guild's settings."""
        await asyncio.to_thread(self._state.save_guild, guild_id, settings)
        self._known[guild_id] = settings

    async def forget(self, guild_id: int) -> None:
        """Remove what is stored of a guild that the bot has left."""
        self._known.pop(guild_id, None)
        await asyncio.to_thread(self._state.forget_guild, guild_id)

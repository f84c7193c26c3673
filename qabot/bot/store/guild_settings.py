"""Keeps guild settings in memory: they are needed before a question is acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from qabot.bot.store.records import GuildSettings
from qabot.bot.store.state import State
from qabot.errors import StateError
from qabot.shards import Shards

_log = logging.getLogger(__name__)
_DEFAULT = GuildSettings()


class Guilds:
    """Reads each guild's settings once, and writes through.

    Args:
        shards: Those of this process; other processes have the other guilds.
    """

    def __init__(self, state: State, shards: Shards) -> None:
        self._state, self._shards = state, shards
        self._known: dict[int, GuildSettings] = {}
        self._left: set[int] = set()

    async def settings(self, guild_id: int | None) -> GuildSettings:
        """Return the settings of a guild; the defaults in direct messages (``None``).

        If the state cannot be read, return the defaults too: the bot goes on answering.
        """
        if guild_id is None:
            return _DEFAULT
        known = self._known.get(guild_id)
        if known is None:
            try:
                known = await asyncio.to_thread(self._state.guild, guild_id)
            except StateError as error:
                _log.error("%s", error)
                return _DEFAULT
            self._known[guild_id] = known
        return known

    async def save(self, guild_id: int, settings: GuildSettings) -> None:
        """Replace a guild's settings."""
        await asyncio.to_thread(self._state.save_guild, guild_id, settings)
        self._known[guild_id] = settings

    async def forget(self, guild_id: int) -> None:
        """Remove everything stored about a guild that the bot has left."""
        self._known.pop(guild_id, None)
        self._left.add(guild_id)
        await asyncio.to_thread(self._state.forget_guild, guild_id)

    async def forget_left(self, guild_ids: Collection[int]) -> None:
        """Forget the guilds that the bot left while it was offline.

        Args:
            guild_ids: The guilds that the bot is in.
        """
        for guild_id in await asyncio.to_thread(self._state.guilds) - set(guild_ids):
            if self._shards.have(guild_id):
                await self.forget(guild_id)

    def joined(self, guild_id: int) -> None:
        """Note that the bot is in a guild, perhaps again."""
        self._left.discard(guild_id)

    def has_left(self, guild_id: int | None) -> bool:
        """Return whether the bot has left a guild; nothing may be stored about it then."""
        return guild_id in self._left

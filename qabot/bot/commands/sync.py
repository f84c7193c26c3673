"""Registers the commands with Discord when they change: 200 a day is the limit."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging

import discord
from discord.ext import commands

from qabot.bot.store.state import State

_KEY = "commands"

_log = logging.getLogger(__name__)


async def sync_commands(bot: commands.Bot, state: State, *, always: bool = False) -> bool:
    """Register the bot's commands if they differ from the last ones registered.

    Args:
        state: Remembers what was registered.
        always: Register them even if they have not changed.

    Returns:
        ``True`` if they were registered.
    """
    wanted = await commands_hash(bot)
    if not always and await asyncio.to_thread(state.meta, _KEY) == wanted:
        return False
    try:
        await bot.tree.sync()
    except discord.DiscordException as error:
        # The old ones still work.
        _log.error("the commands could not be registered: %s; try `qabot bot --sync` later", error)
        return False
    await asyncio.to_thread(state.set_meta, _KEY, wanted)
    _log.info("registered the commands")
    return True


async def commands_hash(bot: commands.Bot) -> str:
    """Return the SHA-256 (hex) of the commands' payloads in every language."""
    translator = bot.tree.translator
    payloads = [
        await command.get_translated_payload(bot.tree, translator)
        if translator
        else command.to_dict(bot.tree)
        for kind in discord.AppCommandType
        for command in bot.tree.get_commands(type=kind)
    ]
    # Another application has registered none of them.
    text = json.dumps([bot.application_id, payloads], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

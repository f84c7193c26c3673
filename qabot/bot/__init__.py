"""The Discord bot: answers in channels and direct messages with the quotes that the engine finds.

Importing this package does not import discord.py; making a bot does. ``qabot feedback`` needs none
of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qabot.settings import Settings

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.bot.client import Bot
    from qabot.bot.rebuilds.runner import Rebuild


def create_bot(
    engine: Engine,
    settings: Settings,
    *,
    rebuild: Rebuild | None = None,
    sync_always: bool = False,
) -> Bot:
    """Make the bot, not yet started. The caller logs it in, runs it and closes it.

    Args:
        engine: Answers the questions. It is not closed with the bot.
        settings: The bot's limits and intents; its state file stands beside the index.
        rebuild: Brings the index up to date; without it, nobody can ask for that in Discord.
        sync_always: Register the commands even if they have not changed.

    Raises:
        StateError: The bot's state file is damaged or cannot be written.
    """
    from qabot.bot.client import Bot, ShardedBot
    from qabot.bot.services import Services

    kind = ShardedBot if settings.shards else Bot
    return kind(Services.open(engine, settings, rebuild), sync_always=sync_always)

"""The Discord bot: answers in channels and direct messages with the quotes that the engine finds.

Importing this package does not import discord.py; making a bot does. ``qabot feedback`` needs none
of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qabot.errors import UsageError
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
        UsageError: The settings do not go together.
    """
    from qabot.bot.client import Bot, ShardedBot
    from qabot.bot.services import Services

    # The server that the bot joined first is known to one of several processes only.
    if settings.shard_ids and not settings.home_guilds:
        raise UsageError(
            "shard_ids: needs home_guilds, the Discord servers whose managers may change the "
            "articles"
        )
    kind = ShardedBot if settings.shards or settings.shard_ids else Bot
    return kind(Services.open(engine, settings, rebuild), sync_always=sync_always)

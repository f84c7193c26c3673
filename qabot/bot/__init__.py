"""The Discord bot: answers in channels and direct messages with the quotes that the engine finds.

discord.py is imported when a bot is made, not before: ``qabot feedback`` needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qabot.bot.protocols import Engine, Rebuild
from qabot.settings import Settings

if TYPE_CHECKING:
    from qabot.bot.client import Bot


def create_bot(engine: Engine, settings: Settings, *, rebuild: Rebuild | None = None) -> Bot:
    """The bot, not yet started: whoever calls this logs it in, runs it and closes it.

    Args:
        engine: Answers the questions; it is not closed with the bot.
        settings: Where its state is (beside the index), its limits and intents.
        rebuild: Brings the index up to date; without it, nobody can ask for that in Discord.

    Raises:
        StateError: The bot's state file is damaged or cannot be written.
    """
    from qabot.bot.client import Bot, ShardedBot
    from qabot.bot.store.state import State, state_path

    kind = ShardedBot if settings.shards else Bot
    return kind(engine, settings, State(state_path(settings.index)), rebuild=rebuild)

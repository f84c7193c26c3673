"""The bot itself: its intents, its start and its end."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import discord
from discord.ext import commands, tasks

from qabot.bot.commands.ask import AskCommands
from qabot.bot.commands.buttons import SECONDS_KEPT, AnswerButton, ContextMenu, follow_up
from qabot.bot.commands.look import ArticleMenu, LookCommands, PageButton
from qabot.bot.commands.manage import ConfirmButton, ManageCommands
from qabot.bot.commands.new_article import WriteButton, article_written
from qabot.bot.commands.privacy import Privacy
from qabot.bot.commands.settings_panel import SettingItem, SettingsCommand
from qabot.bot.commands.sync import sync_commands
from qabot.bot.commands.translator import CommandTranslator
from qabot.bot.commands.unanswered import UnansweredCommand
from qabot.bot.explanations import explanation, without_text
from qabot.bot.interactions import say_privately
from qabot.bot.listener import MessageListener
from qabot.bot.services import Services
from qabot.errors import StateError
from qabot.settings import Settings

# Service managers wait 90 s before they kill a process.
_SECONDS_TO_FINISH = 75.0

_log = logging.getLogger(__name__)


class Bot(commands.Bot):
    """The bot of one index.

    Args:
        services: The parts its commands use; they are closed with the bot.
        sync_always: Register the commands even if they have not changed.
    """

    def __init__(self, services: Services, *, sync_always: bool = False) -> None:
        super().__init__(
            # There are no prefix commands; a message that mentions the bot is a question.
            command_prefix=commands.when_mentioned,
            tree_cls=Tree,
            help_command=None,
            intents=intents(services.settings),
            # Nobody is ever pinged, whatever an article holds.
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            **_shards(services.settings),
        )
        self.services = services
        self._sync_always = sync_always

    async def setup_hook(self) -> None:
        """Add the commands, and register them with Discord if they have changed."""
        services = self.services
        await self.tree.set_translator(CommandTranslator())
        self.add_dynamic_items(AnswerButton, ContextMenu, ArticleMenu, PageButton)
        self.add_dynamic_items(ConfirmButton, WriteButton, SettingItem)
        collections = await asyncio.to_thread(services.engine.collections)
        for cog in (
            MessageListener(self, services),
            AskCommands(self.tree, services, collections=bool(collections)),
            LookCommands(services),
            ManageCommands(services),
            SettingsCommand(services),
            UnansweredCommand(services),
            Privacy(services),
        ):
            await self.add_cog(cog)
        # One process of several does what is to be done once.
        if services.settings.own_shards.first == 0:
            self._prune.start()
            services.automatic.start()
            await sync_commands(self, services.state, always=self._sync_always)

    async def on_error(self, event_method: str, /, *_: object, **__: object) -> None:
        """Log an error of a listener; discord.py would log its text, too."""
        error = sys.exception()
        if error is not None:
            _log.error("%s failed: %s", event_method, without_text(error))

    async def on_message(self, message: discord.Message, /) -> None:
        """Leave messages to ``MessageListener``: there are no prefix commands."""

    async def on_interaction(self, interaction: discord.Interaction[Bot]) -> None:
        """Remember people's languages, and take forms."""
        self.services.locales.see(interaction)
        await follow_up(interaction)
        await article_written(interaction)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Store things about a guild again that the bot had left."""
        self.services.guild_settings.joined(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget a guild that the bot has left."""
        try:
            await self.services.guild_settings.forget(guild.id)
        except StateError as error:
            _log.error("%s", error)

    async def on_ready(self) -> None:
        """Forget guilds that the bot left while it was offline."""
        try:
            await self.services.guild_settings.forget_left([guild.id for guild in self.guilds])
        except StateError as error:
            _log.error("%s", error)

    @tasks.loop(hours=24)
    async def _prune(self) -> None:
        """Forget answers whose buttons no longer work."""
        oldest = discord.utils.utcnow().timestamp() - SECONDS_KEPT
        try:
            await asyncio.to_thread(self.services.state.prune, oldest)
        except StateError as error:
            _log.error("%s", error)

    async def close(self) -> None:
        """Finish the answers under way, then leave Discord."""
        services = self.services
        self._prune.cancel()
        services.rebuilds.stop()
        await services.automatic.stop()
        await services.answering.drain(_SECONDS_TO_FINISH)
        await super().close()
        services.close()


class Tree(discord.app_commands.CommandTree[Any]):
    """The commands; tells people when one of them fails."""

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: discord.app_commands.AppCommandError,
        /,
    ) -> None:
        """Tell the person that something went wrong, and log the details."""
        cause = getattr(error, "original", error)
        await say_privately(interaction, explanation(cause, interaction.locale.value))


class ShardedBot(Bot, commands.AutoShardedBot):
    """The same bot in the shards of this process, or as many as Discord recommends.

    From 2,500 guilds on, Discord wants nothing else.
    """


def _shards(settings: Settings) -> dict[str, Any]:
    """The options of discord.py for a process that has some of the shards."""
    if not settings.shard_ids:
        return {}
    own = settings.own_shards
    return {"shard_ids": list(own.numbers), "shard_count": own.count}


def intents(settings: Settings) -> discord.Intents:
    """Return the intents to ask for: none that is privileged, unless the settings say so."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.message_content = settings.message_content
    return wanted

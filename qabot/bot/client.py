"""The bot itself: what it asks Discord for, what it starts with, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from pathlib import Path
from typing import Any

import discord
from discord.ext import commands, tasks

from qabot.bot.answers import Answering, explanation
from qabot.bot.article_list import Catalogue
from qabot.bot.commands.ask import AskCommands
from qabot.bot.commands.buttons import SECONDS_KEPT, AnswerButton, follow_up
from qabot.bot.commands.look import LookCommands, PageButton
from qabot.bot.commands.manage import ConfirmButton, ManageCommands
from qabot.bot.commands.privacy import Privacy
from qabot.bot.commands.settings_panel import SettingItem, SettingsCommand
from qabot.bot.commands.sync import sync_commands
from qabot.bot.commands.translator import CommandTranslator
from qabot.bot.interactions import say_privately
from qabot.bot.listener import hear
from qabot.bot.locales import Locales
from qabot.bot.protocols import Engine, Rebuild
from qabot.bot.rebuilds.automatic import Renewing
from qabot.bot.rebuilds.runner import Rebuilding
from qabot.bot.store.guild_settings import Guilds
from qabot.bot.store.state import State
from qabot.bot.store.uploads import Uploads
from qabot.errors import StateError
from qabot.settings import Settings

# How long answers under way may take when the bot is stopped; service managers wait 90 s.
_SECONDS_TO_FINISH = 75.0

# More than are deleted while an answer is under way.
_DELETED_KEPT = 5000

_log = logging.getLogger(__name__)


class Bot(commands.Bot):
    """The bot of one index. Its parts are for the commands.

    Attributes:
        engine, settings, state: As given.
        guild_settings: Settings of guilds; read and written here, not in ``state``.
        answering: Takes questions.
        catalogue: The articles, for lists.
        locales: Languages of people, for messages that don't say theirs.
        deleted: Messages that were deleted lately, whose answers nobody wants any more.
        rebuild: Brings the index up to date, where that may be asked for in Discord.
        rebuilding: Runs it, one at a time.
        renewing: Has it run by itself.
        uploads: The articles that were added in Discord.
        sync_always: Register the commands even if they are as they were.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        state: State,
        *,
        rebuild: Rebuild | None = None,
    ) -> None:
        super().__init__(
            # There are no prefix commands; what mentions the bot is a question.
            command_prefix=commands.when_mentioned,
            tree_cls=Tree,
            help_command=None,
            intents=intents(settings),
            # Nobody is ever pinged, whatever an article holds.
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.engine = engine
        self.settings = settings
        self.state = state
        self.guild_settings = Guilds(state)
        self.answering = Answering(engine, state, self.guild_settings, settings)
        self.catalogue = Catalogue(engine)
        self.locales = Locales()
        self.deleted: deque[int] = deque(maxlen=_DELETED_KEPT)
        self.rebuild = rebuild
        self.rebuilding = Rebuilding(self)
        self.renewing = Renewing(self)
        self.uploads = Uploads(Path(settings.uploads))
        self.sync_always = False

    async def setup_hook(self) -> None:
        """Add the commands; register them with Discord if they are other than last time."""
        await self.tree.set_translator(CommandTranslator())
        self.add_dynamic_items(AnswerButton, PageButton, ConfirmButton, SettingItem)
        collections = await asyncio.to_thread(self.engine.collections)
        await self.add_cog(AskCommands(self, collections=bool(collections)))
        await self.add_cog(LookCommands(self))
        await self.add_cog(ManageCommands(self))
        await self.add_cog(SettingsCommand(self))
        await self.add_cog(Privacy(self))
        self._prune.start()
        self.renewing.start()
        await sync_commands(self, self.state, always=self.sync_always)

    async def on_message(self, message: discord.Message, /) -> None:
        """Messages are questions, never prefix commands."""
        await hear(self, message)

    async def on_interaction(self, interaction: discord.Interaction[Bot]) -> None:
        """Learn people's languages, and take what they enter in forms."""
        self.locales.see(interaction)
        await follow_up(interaction)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Drop the answer to a message that is gone."""
        self.deleted.append(event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """The same where a moderator cleans up."""
        self.deleted.extend(event.message_ids)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Store again what is to be stored of a guild."""
        self.guild_settings.joined(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget a guild that the bot has left."""
        await self.guild_settings.forget(guild.id)

    @tasks.loop(hours=24)
    async def _prune(self) -> None:
        """Forget answers whose buttons no longer work."""
        oldest = discord.utils.utcnow().timestamp() - SECONDS_KEPT
        try:
            await asyncio.to_thread(self.state.prune, oldest)
        except StateError as error:
            _log.error("%s", error)

    async def close(self) -> None:
        """Let answers under way finish, then leave Discord."""
        self._prune.cancel()
        self.rebuilding.stop()
        await self.renewing.stop()
        await self.answering.drain(_SECONDS_TO_FINISH)
        await super().close()
        self.answering.close()
        self.state.close()


class Tree(discord.app_commands.CommandTree[Any]):
    """The commands; whoever used one that failed hears of it."""

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: discord.app_commands.AppCommandError,
        /,
    ) -> None:
        """Say that something went wrong; the details are logged."""
        cause = getattr(error, "original", error)
        await say_privately(interaction, explanation(cause, interaction.locale.value))


class ShardedBot(Bot, commands.AutoShardedBot):
    """The same in as many connections as Discord recommends; needed from 2,500 guilds on."""


def intents(settings: Settings) -> discord.Intents:
    """What the bot wants to hear of: nothing privileged, unless the settings say so."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.message_content = settings.message_content
    return wanted

"""``/ask`` and the message menu "Ask the articles about this"."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.answers import Asked
from qabot.bot.channels import collection_of, may_answer
from qabot.bot.replies import InteractionReply
from qabot.bot.store.records import GuildSettings
from qabot.errors import QabotError
from qabot.render.translations import mark, translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot

_log = logging.getLogger(__name__)

# Discord's limits for what it offers while one types.
_MOST_CHOICES, _LONGEST_CHOICE = 25, 100
_NAME, _ABOUT = mark("ask"), mark("Ask the articles; the answer quotes them.")
_QUESTION, _PRIVATE = mark("In any language."), mark("Whether only you see the answer.")


class AskCommands(commands.Cog):
    """Commands that ask.

    Args:
        collections: Whether a question can be limited to a collection.
    """

    def __init__(self, bot: Bot, *, collections: bool) -> None:
        self._bot = bot
        command: app_commands.Command[Any, ..., None]
        if collections:
            command = app_commands.Command(name=_NAME, description=_ABOUT, callback=self.ask_in)
            command.autocomplete("collection")(self._complete_collection)
        else:
            command = app_commands.Command(name=_NAME, description=_ABOUT, callback=self.ask)
        menu = app_commands.ContextMenu(
            name=mark("Ask the articles about this"), callback=self.ask_about
        )
        self._commands = command, menu

    async def cog_load(self) -> None:
        """Add what depends on the index, and the menu, which discord.py leaves to the cog."""
        for command in self._commands:
            self._bot.tree.add_command(command)

    @app_commands.rename(question=mark("question"), private=mark("private"))
    @app_commands.describe(question=_QUESTION, private=_PRIVATE)
    async def ask(
        self, interaction: discord.Interaction, question: str, private: bool | None = None
    ) -> None:
        """Answer a question."""
        await ask(self._bot, interaction, question, private=private)

    @app_commands.rename(
        question=mark("question"), private=mark("private"), collection=mark("collection")
    )
    @app_commands.describe(
        question=_QUESTION,
        private=_PRIVATE,
        collection=mark("Which articles to ask; all where left out."),
    )
    async def ask_in(
        self,
        interaction: discord.Interaction,
        question: str,
        private: bool | None = None,
        collection: str | None = None,
    ) -> None:
        """Answer a question, of one collection if that is wanted."""
        await ask(self._bot, interaction, question, private=private, collection=collection)

    async def _complete_collection(
        self,
        interaction: discord.Interaction,  # noqa: ARG002 (discord.py passes it)
        typed: str,
    ) -> list[app_commands.Choice[str]]:
        try:
            names = await asyncio.to_thread(self._bot.engine.collections)
        except QabotError as error:
            _log.error("%s", error)
            return []
        return [
            app_commands.Choice(name=name, value=name)
            for name in names
            if typed.casefold() in name.casefold() and len(name) <= _LONGEST_CHOICE
        ][:_MOST_CHOICES]

    async def ask_about(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Take a message for a question."""
        await ask(self._bot, interaction, message.content)


async def ask(
    bot: Bot,
    interaction: discord.Interaction[Any],
    question: str,
    *,
    private: bool | None = None,
    collection: str | None = None,
) -> None:
    """Answer a question that came by an interaction.

    Args:
        private: Whether only the person sees the answer; as the guild has it where ``None``.
        collection: What it is about; the channel's collection where ``None``.
    """
    settings = await bot.guild_settings.settings(interaction.guild_id)
    channel = interaction.channel
    locale = interaction.locale.value
    reply = InteractionReply(
        interaction,
        private=settings.private if private is None else private,
        threads=settings.threads,
    )
    if not may_answer(channel, settings):
        await reply.refuse(_elsewhere(settings, locale))
        return
    asked = Asked(
        text=question,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        locale=locale,
        collection=collection or collection_of(channel, settings),
    )
    await bot.answering.answer(asked, reply)


def _elsewhere(settings: GuildSettings, locale: str) -> str:
    allowed = ", ".join(f"<#{channel_id}>" for channel_id in settings.allowed_channels)
    return translate(
        "I may not answer in this channel. Ask me in {allowed}.", locale, allowed=allowed
    )

"""``/ask`` and the message menu "Ask the articles about this"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.answering import Asked
from qabot.bot.places import collection_of, may_answer
from qabot.bot.replies import InteractionReply
from qabot.translations import mark, translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot


class AskCommands(commands.Cog):
    """Commands that ask."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._menu = app_commands.ContextMenu(
            name=mark("Ask the articles about this"), callback=self.ask_about
        )

    async def cog_load(self) -> None:
        """Add the menu; discord.py adds commands by itself, but no menus."""
        self._bot.tree.add_command(self._menu)

    @app_commands.command(
        name=mark("ask"), description=mark("Ask the articles; the answer quotes them.")
    )
    @app_commands.rename(question=mark("question"), private=mark("private"))
    @app_commands.describe(
        question=mark("In any language."), private=mark("Whether only you see the answer.")
    )
    async def ask(
        self, interaction: discord.Interaction, question: str, private: bool | None = None
    ) -> None:
        """Answer a question."""
        await ask(self._bot, interaction, question, private=private)

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
    if interaction.guild_id is not None and not may_answer(channel, settings):
        allowed = ", ".join(f"<#{channel_id}>" for channel_id in settings.allowed_channels)
        await reply.refuse(
            translate(
                "I may not answer in this channel. Ask me in {allowed}.",
                locale,
                allowed=allowed,
            )
        )
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

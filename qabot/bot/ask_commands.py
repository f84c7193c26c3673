"""``/ask`` and the message menu "Ask the articles about this"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.answering import Asked
from qabot.bot.replies import InteractionReply
from qabot.translations import mark

if TYPE_CHECKING:
    from qabot.bot.client import Bot


class AskCommands(commands.Cog):
    """Commands that ask."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @app_commands.command(
        name=mark("ask"), description=mark("Ask the articles; the answer quotes them.")
    )
    @app_commands.rename(question=mark("question"), private=mark("private"))
    @app_commands.describe(
        question=mark("In any language."), private=mark("Only you see the answer.")
    )
    async def ask(
        self, interaction: discord.Interaction, question: str, private: bool | None = None
    ) -> None:
        """Answer a question."""
        await ask(self._bot, interaction, question, private=private)


async def ask(
    bot: Bot, interaction: discord.Interaction, question: str, *, private: bool | None = None
) -> None:
    """Answer a question that came by an interaction.

    Args:
        private: Whether only the person sees the answer; as the guild has it where ``None``.
    """
    settings = await bot.guild_settings.settings(interaction.guild_id)
    asked = Asked(
        text=question,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        locale=interaction.locale.value,
    )
    reply = InteractionReply(
        interaction,
        private=settings.private if private is None else private,
        threads=settings.threads,
    )
    await bot.answering.answer(asked, reply)

"""``/forget-me``: removes what is stored of a person."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.commands.error_replies import guarded
from qabot.render.translations import mark, number_text, plural, translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot


class Privacy(commands.Cog):
    """What people decide about their own traces."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @app_commands.command(
        name=mark("forget-me"), description=mark("Remove everything that I have stored of you.")
    )
    async def forget_me(self, interaction: discord.Interaction) -> None:
        """Remove a person's questions, answers and feedback, everywhere."""
        locale = interaction.locale.value
        async with guarded(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            removed = await asyncio.to_thread(self._bot.state.forget_user, interaction.user.id)
            self._bot.locales.forget(interaction.user.id)
            await interaction.edit_original_response(content=_told(removed, locale))


def _told(removed: int, locale: str) -> str:
    if not removed:
        return translate("I had nothing stored of you.", locale)
    return plural(
        "I have removed {count} entry about you. The buttons under my answers to you no longer "
        "work; the messages stay until someone deletes them.",
        "I have removed {count} entries about you. The buttons under my answers to you no longer "
        "work; the messages stay until someone deletes them.",
        removed,
        locale,
        count=number_text(removed, locale),
    )

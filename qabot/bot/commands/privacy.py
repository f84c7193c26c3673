"""``/forget-me``: removes everything stored about a person."""

from __future__ import annotations

import asyncio
import logging

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.commands.controls import guarded
from qabot.bot.interactions import show
from qabot.bot.messages import notice
from qabot.bot.services import Services
from qabot.bot.store.database import TracesLeftError
from qabot.render.translations import mark, number_text, plural, translate

_log = logging.getLogger(__name__)


class Privacy(commands.Cog):
    """The command that removes people's data."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(
        name=mark("forget-me"), description=mark("Remove everything that I have stored of you.")
    )
    async def forget_me(self, interaction: discord.Interaction) -> None:
        """Remove a person's questions, answers and feedback, everywhere."""
        locale = interaction.locale.value
        async with guarded(interaction):
            await interaction.response.defer(ephemeral=True, thinking=True)
            services, user_id = self._services, interaction.user.id
            services.locales.forget(user_id)
            services.people.forget(interaction.user)
            services.rebuilds.forget(user_id)
            services.answering.forget(user_id)
            try:
                removed = await asyncio.to_thread(services.state.forget_user, user_id)
            except TracesLeftError as error:
                _log.error("%s", error)
                await show(interaction, notice(_traces_left(locale)))
                return
            await show(interaction, notice(_told(removed, locale)))


def _traces_left(locale: str) -> str:
    return translate(
        "I have removed everything about you, but another program is reading my files, which still "
        "hold traces of it. Please use this command again in a minute.",
        locale,
    )


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

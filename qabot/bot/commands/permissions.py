"""Checks who may manage the bot, at every command and button, whatever Discord let through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import discord

from qabot.bot.interactions import say_privately
from qabot.bot.services import services_of
from qabot.render.translations import translate


async def refused(
    interaction: discord.Interaction[Any], *, articles: bool = False, lost: str = ""
) -> bool:
    """Check that the person may manage the bot; if not, tell them and return ``True``.

    Args:
        articles: Check for changes to the articles, which all servers share.
        lost: What the person typed; it is given back.
    """
    locale = interaction.locale.value
    if not await may_manage(interaction):
        await say_privately(
            interaction,
            translate(
                "For that you need the permission “Manage Server”, or the role that the server has "
                "named in `/{settings}`.",
                locale,
                settings=translate("settings", locale),
            ),
            lost,
        )
        return True
    if articles and not _is_home(interaction):
        await say_privately(
            interaction, translate("The articles are not managed from this server.", locale), lost
        )
        return True
    return False


async def may_manage_articles(interaction: discord.Interaction[Any]) -> bool:
    """Return whether the person may change the articles, and tell them nothing."""
    return _is_home(interaction) and await may_manage(interaction)


def _is_home(interaction: discord.Interaction[Any]) -> bool:
    """Return whether the articles are managed from this server.

    Where the settings name none, it is the server that the bot joined first: others must not gain
    the articles by inviting the bot.
    """
    home = services_of(interaction).settings.home_guilds
    if home:
        return interaction.guild_id in home
    guilds: Sequence[discord.Guild] = interaction.client.guilds
    first = min(guilds, key=_joined, default=None)
    return first is not None and interaction.guild_id == first.id


def _joined(guild: discord.Guild) -> tuple[float, int]:
    """Return when the bot joined a guild; a guild that is out of reach comes last."""
    # A guild that is out of reach has no members.
    joined: datetime | None = getattr(guild.me, "joined_at", None)
    return (joined.timestamp() if joined else float("inf"), guild.id)


async def may_manage(interaction: discord.Interaction[Any]) -> bool:
    """Return whether the person may manage the bot in this server, and tell them nothing."""
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return False
    # Each interaction says what the person may do in the channel.
    if interaction.permissions.manage_guild or interaction.permissions.administrator:
        return True
    settings = await services_of(interaction).guild_settings.settings(interaction.guild_id)
    return settings.role_id is not None and interaction.user.get_role(settings.role_id) is not None

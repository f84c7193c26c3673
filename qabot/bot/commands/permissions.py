"""Who may manage the bot: asked again at every command and button, whatever Discord let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from qabot.bot.interactions import say_privately
from qabot.render.translations import translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot


async def refused(
    bot: Bot, interaction: discord.Interaction[Any], *, articles: bool = False
) -> bool:
    """Whether the person may not manage the bot; they are told so.

    Args:
        articles: What is to be changed are the articles, which all servers share.
    """
    locale = interaction.locale.value
    if not await _may_manage(bot, interaction):
        await say_privately(
            interaction,
            translate(
                "For that you need the permission “Manage Server”, or the role that the server has "
                "named in `/{settings}`.",
                locale,
                settings=translate("settings", locale),
            ),
        )
        return True
    if articles and not _is_home(bot, interaction):
        await say_privately(
            interaction, translate("The articles are not managed from this server.", locale)
        )
        return True
    return False


async def may_manage_articles(bot: Bot, interaction: discord.Interaction[Any]) -> bool:
    """Whether the person may change the articles; they are told nothing."""
    return _is_home(bot, interaction) and await _may_manage(bot, interaction)


def _is_home(bot: Bot, interaction: discord.Interaction[Any]) -> bool:
    """Whether the articles are managed from this server."""
    home = bot.settings.home_guilds
    return not home or interaction.guild_id in home


async def _may_manage(bot: Bot, interaction: discord.Interaction[Any]) -> bool:
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return False
    # Discord itself says in each interaction what the person may do in the channel.
    if interaction.permissions.manage_guild or interaction.permissions.administrator:
        return True
    settings = await bot.guild_settings.settings(interaction.guild_id)
    return settings.role_id is not None and interaction.user.get_role(settings.role_id) is not None

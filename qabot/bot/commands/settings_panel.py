"""``/settings``: the bot's behaviour in a server, as a private message with menus and switches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.channels import person_of
from qabot.bot.commands.controls import Control, Used, chosen_values, guarded
from qabot.bot.commands.permissions import refused
from qabot.bot.commands.settings_items import (
    MOST_OPTIONS,
    channel_menu,
    channels_menu,
    role_menu,
    switch,
)
from qabot.bot.commands.settings_repair import repaired
from qabot.bot.commands.settings_views import (
    collection_view,
    empty_states,
    person_view,
    settings_view,
)
from qabot.bot.interactions import say_privately, show
from qabot.bot.messages import Outgoing, view_message
from qabot.bot.services import Services, services_of
from qabot.bot.store.records import GuildSettings
from qabot.render.translations import mark, translate

_ALL = "*"

_log = logging.getLogger(__name__)


class SettingsCommand(commands.Cog):
    """The command that opens the panel."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(name=mark("settings"), description=mark("How I behave on this server."))
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def settings(self, interaction: discord.Interaction) -> None:
        """Show the server's settings with controls that change them."""
        async with guarded(interaction):
            if await refused(interaction):
                return
            await interaction.response.defer(ephemeral=True, thinking=True)
            settings = await self._services.guild_settings.settings(interaction.guild_id)
            gone: Sequence[str] = ()
            if interaction.guild is not None:
                settings, gone = repaired(settings, interaction.guild)
                if gone:
                    await self._services.guild_settings.save(interaction.guild.id, settings)
            panel = await _panel(self._services, settings, interaction.locale.value, gone)
            await show(interaction, panel)


class SettingItem(Control, template=r"qabot:set:(?P<what>[a-z_]+)(?::(?P<channel>\d{1,20}))?"):
    """A menu or switch of the panel: the setting, and the channel if it is about one."""

    async def act(self, interaction: Used) -> None:
        """Change the setting if the person may still do that, and show the panel again."""
        services = services_of(interaction)
        if interaction.guild_id is None or await refused(interaction):
            return
        locale = interaction.locale.value
        what, channel = self.match["what"], int(self.match["channel"] or 0)
        chosen = chosen_values(interaction)
        await interaction.response.defer()
        settings = await services.guild_settings.settings(interaction.guild_id)
        if what in {"role", "person_role"} and str(interaction.guild_id) in chosen:
            # That role has everybody in it.
            said = (
                translate("“@everyone” cannot manage me. Choose another role.", locale)
                if what == "role"
                else translate("“@everyone” is nobody to ask. Choose another role.", locale)
            )
            await say_privately(interaction, said)
            changed = settings
        else:
            changed = _changed(settings, what, channel, chosen)
        if changed != settings:
            await services.guild_settings.save(interaction.guild_id, changed)
            _log.info("server %d: %s was changed", interaction.guild_id, what)
        if what == "collections" and chosen:
            panel = await _collection_panel(services, changed, int(chosen[0]), locale)
        elif what == "person":
            panel = _person_panel(changed, locale)
        else:
            panel = await _panel(services, changed, locale)
        await show(interaction, panel)


def _changed(
    settings: GuildSettings, what: str, channel: int, chosen: Sequence[str]
) -> GuildSettings:
    """Return ``settings`` after one menu or switch was used."""
    ids = tuple(int(value) for value in chosen if value.isdecimal())
    match what:
        case "answer_channels":
            changed = replace(settings, answer_channels=ids)
        case "allowed_channels":
            changed = replace(settings, allowed_channels=ids)
        case "role":
            changed = replace(settings, role_id=ids[0] if ids else None)
        case "threads":
            changed = replace(settings, threads=not settings.threads)
        case "private":
            changed = replace(settings, private=not settings.private)
        case "person_channel":
            first = ids[0] if ids else None
            changed = replace(settings, person_channel_id=first, person_role_id=None)
        case "person_role":
            first = ids[0] if ids else None
            changed = replace(settings, person_channel_id=None, person_role_id=first)
        case "collection":
            changed = replace(settings, collections=_with(settings, channel, chosen))
        case _:
            changed = settings
    return changed


def _with(settings: GuildSettings, channel: int, chosen: Sequence[str]) -> dict[int, str]:
    """Return the channels' collections with a new one, or none, for ``channel``."""
    kept = {key: name for key, name in settings.collections.items() if key != channel}
    return kept if chosen[:1] in ([], [_ALL]) else {**kept, channel: chosen[0]}


async def _panel(
    services: Services, settings: GuildSettings, locale: str, gone: Sequence[str] = ()
) -> Outgoing:
    """Make the panel's message."""
    hears = services.settings.message_content
    names = await asyncio.to_thread(services.engine.collections)
    view = settings_view(settings, locale, hears=hears, collections=bool(names), gone=gone)
    allowed, unasked, role = empty_states(locale)
    menus = [
        channels_menu("allowed_channels", allowed, settings),
        channels_menu("answer_channels", unasked, settings, disabled=not hears),
        role_menu("role", role, settings.role_id),
    ]
    if names:
        menus.append(
            channel_menu("collections", translate("Choose a collection for a channel …", locale))
        )
    switches = [
        switch("threads", translate("Answer in threads", locale), on=settings.threads),
        switch("private", translate("Answer in private", locale), on=settings.private),
        switch("person", translate("Ask a person …", locale), on=bool(person_of(settings))),
    ]
    return view_message(view, *([menu] for menu in menus), switches)


async def _collection_panel(
    services: Services, settings: GuildSettings, channel: int, locale: str
) -> Outgoing:
    """Make the choice of a collection for one channel."""
    names = await asyncio.to_thread(services.engine.collections)
    current = settings.collections.get(channel)
    every = translate("All articles", locale)
    options = [discord.SelectOption(label=every, value=_ALL, default=current is None)]
    options += [
        discord.SelectOption(label=name[:100], value=name[:100], default=name == current)
        for name in names[: MOST_OPTIONS - 1]
    ]
    menu: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=f"qabot:set:collection:{channel}", options=options
    )
    return view_message(collection_view(channel, locale), [menu])


def _person_panel(settings: GuildSettings, locale: str) -> Outgoing:
    """Make the choice of whom people ask if nothing is found."""
    items = [
        channel_menu(
            "person_channel", translate("A channel …", locale), settings.person_channel_id
        ),
        role_menu("person_role", translate("A role …", locale), settings.person_role_id),
    ]
    return view_message(person_view(locale), *([item] for item in items))

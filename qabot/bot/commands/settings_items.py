"""The menus and switches of ``/settings``."""

from __future__ import annotations

from typing import Any

import discord

from qabot.bot.store.records import GuildSettings

MOST_OPTIONS = 25
_CHANNELS = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.voice,
]


def channels_menu(
    what: str, placeholder: str, settings: GuildSettings, *, disabled: bool = False
) -> discord.ui.Item[Any]:
    """Make a menu of several channels, for the setting of that name."""
    menu: discord.ui.ChannelSelect[Any] = discord.ui.ChannelSelect(
        custom_id=f"qabot:set:{what}",
        placeholder=placeholder,
        channel_types=_CHANNELS,
        min_values=0,
        max_values=MOST_OPTIONS,
        default_values=[
            discord.SelectDefaultValue(id=channel, type=discord.SelectDefaultValueType.channel)
            for channel in getattr(settings, what)
        ],
        disabled=disabled,
    )
    return menu


def channel_menu(what: str, placeholder: str, channel: int | None = None) -> discord.ui.Item[Any]:
    """Make a menu of one channel, for the setting of that name."""
    menu: discord.ui.ChannelSelect[Any] = discord.ui.ChannelSelect(
        custom_id=f"qabot:set:{what}",
        placeholder=placeholder,
        channel_types=_CHANNELS,
        min_values=0,
        max_values=1,
        default_values=[
            discord.SelectDefaultValue(id=channel, type=discord.SelectDefaultValueType.channel)
        ]
        if channel
        else [],
    )
    return menu


def role_menu(what: str, placeholder: str, role: int | None) -> discord.ui.Item[Any]:
    """Make a menu of one role, for the setting of that name."""
    menu: discord.ui.RoleSelect[Any] = discord.ui.RoleSelect(
        custom_id=f"qabot:set:{what}",
        placeholder=placeholder,
        min_values=0,
        max_values=1,
        default_values=[
            discord.SelectDefaultValue(id=role, type=discord.SelectDefaultValueType.role)
        ]
        if role
        else [],
    )
    return menu


def switch(what: str, label: str, *, on: bool) -> discord.ui.Item[Any]:
    """Make a button that turns the setting of that name on and off."""
    style = discord.ButtonStyle.success if on else discord.ButtonStyle.secondary
    button: discord.ui.Button[Any] = discord.ui.Button(
        label=f"{'☑' if on else '☐'} {label}", custom_id=f"qabot:set:{what}", style=style
    )
    return button

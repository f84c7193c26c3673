"""The page for those who set the bot up says what it really asks Discord for."""

from __future__ import annotations

import re

import discord

from qabot.bot.channels import may_open_thread, missing_permissions
from tests.support import ROOT

PAGE = (ROOT / "docs" / "discord.md").read_text("utf-8")
NAMED = {
    "View Channels": "view_channel",
    "Send Messages": "send_messages",
    "Embed Links": "embed_links",
    "Read Message History": "read_message_history",
    "Create Public Threads": "create_public_threads",
    "Send Messages in Threads": "send_messages_in_threads",
}


def invited() -> discord.Permissions:
    numbers = set(re.findall(r"permissions[= (]+(\d+)", PAGE))
    assert len(numbers) == 1
    return discord.Permissions(int(numbers.pop()))


def test_the_invitation_asks_for_the_permissions_that_are_listed():
    [listed] = re.findall(r"\| permissions \(\d+\) \| (.*) \|", PAGE)
    names = [name for name in NAMED if re.search(rf"\b{name}\b", listed)]
    assert names == list(NAMED)
    assert invited() == discord.Permissions(**{NAMED[name]: True for name in names})


def test_with_them_the_bot_lacks_nothing(simcord_env, simcord_bot):
    guild = simcord_env.create_guild()
    everything = discord.Permissions.all()
    nothing = discord.PermissionOverwrite.from_pair(discord.Permissions.none(), everything)
    these = discord.PermissionOverwrite.from_pair(invited(), everything & ~invited())
    closed = guild.create_text_channel("closed", overwrites={guild.default_role: nothing})
    assert missing_permissions(simcord_bot.get_channel(closed.id))
    opened = guild.create_text_channel("open", overwrites={guild.default_role: these})
    channel = simcord_bot.get_channel(opened.id)
    assert missing_permissions(channel) == ()
    assert may_open_thread(channel)


def test_no_intent_is_privileged(simcord_bot):
    intents = simcord_bot.intents
    assert {name for name, on in intents if on} == {"guilds", "guild_messages", "dm_messages"}


def test_every_command_is_listed(simcord_bot, simcord_env):
    commands = simcord_bot.tree.get_commands(type=discord.AppCommandType.chat_input)
    listed = re.findall(r"^\| `/([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(command.name for command in commands)


def test_what_is_named_beside_them_exists(simcord_bot, simcord_env):
    menus = simcord_bot.tree.get_commands(type=discord.AppCommandType.message)
    assert [f"*Apps → {menu.name}*" in PAGE for menu in menus] == [True]
    everything = {command.name for command in simcord_bot.tree.get_commands()}
    assert set(re.findall(r"`/([a-z-]+)`", PAGE)) <= everything

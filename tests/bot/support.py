"""Support for tests of the bot: what people see, and actions that simcord lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import discord
import simcord
from simcord import interactions

from qabot.answering.engine import Engine
from qabot.bot import create_bot
from qabot.bot.client import Bot
from qabot.bot.rebuilds.runner import Rebuild
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.support import PATIENCE, HashingEncoder

_BUTTON, _MENU = 2, 3
LAUNCH = "When was the telescope launched?"
LAUNCHED = "The telescope was launched in December 2021 from French Guiana."


def make_bot(
    engine: Engine, settings: Settings, rebuild: Rebuild | None = None, **options: bool
) -> Bot:
    """A bot that is not started yet."""
    return create_bot(engine, settings, rebuild=rebuild, **options)


def open_engine(settings: Settings) -> Engine:
    """An engine on an index that a ``HashingEncoder`` made."""
    return Engine(IndexStore(Path(settings.index)), HashingEncoder(), settings)


def shown(message: Any) -> str:
    """All text that a person reads in a message: content, embeds, labels of buttons."""
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.title, embed.description]
        for field in embed.fields:
            parts += [field.name, field.value]
        parts.append(embed.footer.text)
    parts += [label(item) for item in components(message)]
    return "\n".join(part for part in parts if part)


def components(message: Any) -> list[dict[str, Any]]:
    """The buttons and menus of a message, in order."""
    rows = [row if isinstance(row, dict) else row.to_dict() for row in message.components]
    return [item for row in rows for item in row.get("components", ())]


def buttons(message: Any) -> list[dict[str, Any]]:
    """The buttons of a message, in order."""
    return [item for item in components(message) if item["type"] == _BUTTON]


def labels(message: Any) -> list[str]:
    """What stands on the buttons and menus of a message."""
    return [label(item) for item in components(message)]


def label(item: dict[str, Any]) -> str:
    """What stands on a button or menu: words, or an emoji alone; a menu may say nothing."""
    emoji = item.get("emoji") or {}
    return str(item.get("label") or item.get("placeholder") or emoji.get("name") or "")


class Member:
    """A person in a guild's channel, with the shortest way to do things.

    Args:
        name: Of a new user.
        locale: The language of their Discord.
    """

    def __init__(
        self, env: simcord.Env, channel: Any, name: str = "ann", *, locale: str = "en-US"
    ) -> None:
        self.env = env
        self.channel = channel
        self.actor = channel.guild.add_member(env.create_user(name))
        self.locale = locale
        _LOCALES[self.actor.id] = locale

    async def ask(self, question: str = LAUNCH, **options: Any) -> Any:
        """Use ``/ask``."""
        return await self.actor.slash(self.channel, "ask", question=question, **options)

    async def mention(self, text: str = LAUNCH, **options: Any) -> discord.Message:
        """Send a message that mentions the bot."""
        assert self.env.bot.user
        return await self.say(f"<@{self.env.bot.user.id}> {text}", **options)

    async def say(self, text: str, **options: Any) -> discord.Message:
        """Send a message."""
        message: discord.Message = await self.actor.send(self.channel, text, **options)
        return message

    async def click(self, message: Any, text: str) -> Any:
        """Press the button whose label holds this."""
        found = [b["custom_id"] for b in buttons(message) if text in label(b)]
        assert len(found) == 1, f"{text!r} is not one of {labels(message)}"
        return await self.actor.click(message, custom_id=found[0])

    async def context(self, message: Any, number: int = 1) -> Any:
        """Open a quote's context: by the menu below several quotes, by the button below one."""
        menus = [item["custom_id"] for item in components(message) if item["type"] == _MENU]
        if not menus:
            return await self.click(message, "Context")
        return await self.actor.select(message, [str(number - 1)], custom_id=menus[0])

    @property
    def direct_messages(self) -> list[str]:
        """The texts of their private messages, in order."""
        return [
            shown(message)
            for message in self.actor.user.dm_channel.history()
            if message.author.id != self.actor.id
        ]


def give(member: Member, role: Any) -> None:
    """Give someone a role."""
    member.env.backend.add_member_role(member.channel.guild.id, member.actor.id, role.id)


class Manager(Member):
    """Someone with Manage Server."""

    def __init__(self, env: simcord.Env, channel: Any, name: str = "mod", **options: Any) -> None:
        super().__init__(env, channel, name, **options)
        may = discord.Permissions(manage_guild=True)
        self.role = channel.guild.create_role("Boss", permissions=may)
        give(self, self.role)

    async def use(self, command: str, **options: Any) -> Any:
        return await self.actor.slash(self.channel, command, **options)


# simcord's people all speak English: user id → locale of those that don't.
_LOCALES: dict[int, str] = {}
_payload = interactions.base_payload


def _payload_with_locale(backend: Any, **arguments: Any) -> Any:
    record, payload = _payload(backend, **arguments)
    payload["locale"] = _LOCALES.get(arguments["user_id"], "en-US")
    return record, payload


interactions.base_payload = _payload_with_locale


async def ask_at_once(
    env: simcord.Env, askers: Iterable[tuple[Any, Any, str]], *, private: bool = False
) -> Sequence[simcord.InteractionResult]:
    """Use ``/ask`` many times without waiting for answers in between, as a crowd does.

    Args:
        askers: Who asks, in which channel, what.
    """
    results = []
    for actor, channel, question in askers:
        options = [
            {"name": "question", "type": 3, "value": question},
            {"name": "private", "type": 5, "value": private},
        ]
        results.append(begin(env, actor, channel, "ask", options))
    await asyncio.sleep(0)
    return results


def begin(
    env: simcord.Env,
    actor: Any,
    channel: Any,
    command: str,
    options: Sequence[Any] = (),
    *,
    file: tuple[str, bytes] | None = None,
) -> simcord.InteractionResult:
    """Use a command without waiting for the bot."""
    resolved = {}
    if file is not None:
        [stored] = env.backend.store_attachments(channel.id, [file])
        resolved = {"resolved": {"attachments": {stored["id"]: stored}}}
        options = [*options, {"name": "file", "type": 11, "value": stored["id"]}]
    root = env.backend.find_command(command, actor.guild.id, type=1)
    assert root is not None
    record, payload = interactions.base_payload(
        env.backend,
        type=2,
        channel_id=channel.id,
        guild_id=actor.guild.id,
        user_id=actor.id,
        data={"id": root["id"], "name": command, "type": 1, "options": list(options), **resolved},
    )
    env.backend.emit("INTERACTION_CREATE", payload)
    return simcord.InteractionResult(env, record)


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something holds, as long as that may take."""
    for _ in range(int(PATIENCE * 20)):
        try:
            if holds():
                return
        except AttributeError:  # There is no response yet.
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to hold")

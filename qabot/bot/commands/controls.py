"""Shared by commands, buttons and menus: private answers, and a word about every error."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import discord

from qabot.bot.explanations import explanation, made
from qabot.bot.interactions import say_privately, show
from qabot.bot.messages import Outgoing

Used = discord.Interaction[Any]

_log = logging.getLogger(__name__)


@asynccontextmanager
async def guarded(interaction: Used, lost: str = "") -> AsyncIterator[None]:
    """Tell the person of every error inside, unless it is Discord that fails.

    Args:
        lost: What the person typed; it is given back with the error.
    """
    try:
        yield
    except (discord.HTTPException, aiohttp.ClientError) as error:
        _log.info("an interaction could not be answered: %s", error)
    except Exception as error:  # noqa: BLE001 (the person is told of every error)
        await say_privately(interaction, explanation(error, interaction.locale.value), lost)


async def answer_privately(interaction: Used, make: Callable[[], Outgoing]) -> None:
    """Answer so that only the person sees it.

    Args:
        make: Makes the message; called in a thread.
    """
    async with guarded(interaction):
        await interaction.response.defer(ephemeral=True, thinking=True)
        await show(interaction, await made(make, interaction.locale.value))


def chosen_values(interaction: Used) -> list[str]:
    """Return what the person chose in a menu; empty for a button."""
    data: dict[str, Any] = dict(interaction.data or {})
    return list(data.get("values", []))


def form_match(interaction: Used, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """Match the ``custom_id`` of a form that was sent; ``None`` for anything else.

    Forms are known by their id alone, so that they arrive after a restart.
    """
    if interaction.type is not discord.InteractionType.modal_submit or interaction.data is None:
        return None
    return pattern.fullmatch(str(interaction.data.get("custom_id")))


# Its own template matches nothing: each control has one.
class Control(discord.ui.DynamicItem[discord.ui.Item[Any]], template=r"(?!)"):
    """A button or menu that is known by its ``custom_id``, so that it works after a restart.

    A kind of control has a ``template`` for that id, and ``act``.
    """

    def __init__(self, item: discord.ui.Item[Any], match: re.Match[str]) -> None:
        super().__init__(item)
        self.match = match

    @classmethod
    async def from_custom_id(
        cls,
        interaction: Used,  # noqa: ARG003 (discord.py passes it)
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Make the control that was used."""
        return cls(item, match)

    async def callback(self, interaction: Used) -> None:
        """Act, or say why that cannot be done."""
        async with guarded(interaction):
            await self.act(interaction)

    async def act(self, interaction: Used) -> None:
        """Do what the control is for."""
        raise NotImplementedError

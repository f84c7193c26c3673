"""Helpers that all interactions need."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import aiohttp
import discord

_NO_NETWORK = (aiohttp.ClientError, OSError)
UNDELIVERED = (discord.HTTPException, *_NO_NETWORK)
"""Raised if Discord refuses a request or cannot be reached."""
_SECONDS_BETWEEN = (1.0, 4.0)

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


async def say_privately(interaction: discord.Interaction[Any], text: str) -> None:
    """Tell only the person something, whether the interaction was acknowledged or not.

    If Discord no longer takes it, nothing is said.
    """
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
        elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            # Never leave "thinking" standing.
            await interaction.edit_original_response(content=text, embeds=[], view=None)
        else:
            await interaction.followup.send(text, ephemeral=True)
    except UNDELIVERED as error:
        _log.info("an interaction could not be answered: %s", error)


async def insist(send: Callable[[], Awaitable[_T]]) -> _T:
    """Call ``send``, and try again if the network fails: an answer is worth waiting for."""
    for seconds in _SECONDS_BETWEEN:
        try:
            return await send()
        except _NO_NETWORK as error:
            _log.info("Discord cannot be reached (%s); trying again", error)
            await asyncio.sleep(seconds)
    return await send()


def values_of(data: Any) -> Iterator[str]:
    """Yield the texts of a form's fields, in order."""
    with contextlib.suppress(AttributeError):
        if isinstance(data.get("value"), str):
            yield data["value"]
        nested = [*data.get("components", ()), data.get("component")]
        for component in nested:
            yield from values_of(component)

"""Helpers that all interactions need."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import aiohttp
import discord

from qabot.bot.messages import Outgoing, notice
from qabot.render.markup import inert
from qabot.render.translations import translate

_BAD_REQUEST = 400
_LONGEST_CONTENT = 2000
_NO_NETWORK = (aiohttp.ClientError, OSError)
UNDELIVERED = (discord.HTTPException, *_NO_NETWORK)
"""Raised if Discord refuses a request or cannot be reached."""
_SECONDS_BETWEEN = (1.0, 4.0)

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


async def say_privately(interaction: discord.Interaction[Any], text: str, lost: str = "") -> None:
    """Tell only the person something, whether the interaction was acknowledged or not.

    If Discord no longer takes it, nothing is said.

    Args:
        lost: Text that the person typed and that is given back.
    """
    outgoing = with_lost(text, lost)
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(**outgoing.arguments(), ephemeral=True)
        elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            # Never leave "thinking" standing.
            await interaction.edit_original_response(**outgoing.edit_arguments())
        else:
            await interaction.followup.send(**outgoing.arguments(), ephemeral=True)
    except UNDELIVERED as error:
        _log.info("an interaction could not be answered: %s", error)


async def show(
    interaction: discord.Interaction[Any], outgoing: Outgoing
) -> discord.InteractionMessage:
    """Edit the interaction's message; if Discord finds it too long, into a short line instead."""
    return await deliver(
        lambda message: interaction.edit_original_response(**message.edit_arguments()),
        outgoing,
        interaction.locale.value,
    )


async def deliver(send: Callable[[Outgoing], Awaitable[_T]], outgoing: Outgoing, locale: str) -> _T:
    """Call ``send``, again if the network fails, and with a short line if Discord refuses it."""
    try:
        return await insist(lambda: send(outgoing))
    except discord.HTTPException as error:
        if error.status != _BAD_REQUEST:
            raise
        _log.error("Discord refuses a message: %s", error)
    short = notice(translate("Discord does not take my answer. Whoever runs me sees why.", locale))
    return await insist(lambda: send(short))


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


def with_lost(text: str, lost: str) -> Outgoing:
    """Make a message that gives lost text back: quoted, or as a file if it is long."""
    if not lost:
        return notice(text)
    whole = f"{text}\n>>> {inert(lost)}"
    if len(whole) <= _LONGEST_CONTENT:
        return notice(whole)
    return Outgoing(text, file=("question.txt", lost))

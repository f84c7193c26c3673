"""Small things that all interactions need."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import discord

_log = logging.getLogger(__name__)


async def say_privately(interaction: discord.Interaction[Any], text: str) -> None:
    """Say something that only the person sees, whether the interaction was acknowledged or not.

    Where Discord no longer takes it, nothing is said.
    """
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
        elif interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            # Never leave "thinking" standing.
            await interaction.edit_original_response(content=text, embeds=[], view=None)
        else:
            await interaction.followup.send(text, ephemeral=True)
    except discord.HTTPException as error:
        _log.info("an interaction could not be answered: %s", error)


def values_of(data: Any) -> Iterator[str]:
    """What was typed into a form's fields, in order."""
    with contextlib.suppress(AttributeError):
        if isinstance(data.get("value"), str):
            yield data["value"]
        nested = [*data.get("components", ()), data.get("component")]
        for component in nested:
            yield from values_of(component)

"""Tells people of errors in commands and buttons."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord

from qabot.bot.answers import explanation
from qabot.bot.interactions import say_privately

_log = logging.getLogger(__name__)


@asynccontextmanager
async def guarded(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Tell the person of every error inside, unless Discord itself refuses the message."""
    try:
        yield
    except discord.HTTPException as error:
        _log.info("an interaction could not be answered: %s", error)
    except Exception as error:  # noqa: BLE001 (the person is told of every error)
        await say_privately(interaction, explanation(error, interaction.locale.value))

"""Whatever goes wrong in a command or a button, the person hears of it."""

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
    """Tell the person of every error inside, but for those by which Discord refuses to be told."""
    try:
        yield
    except discord.HTTPException as error:
        _log.info("an interaction could not be answered: %s", error)
    except Exception as error:  # noqa: BLE001 (whatever it is, the person hears of it)
        await say_privately(interaction, explanation(error, interaction.locale.value))

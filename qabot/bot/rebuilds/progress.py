"""Rebuilds that people ask for, with their progress in a message."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import discord

from qabot.bot.interactions import say_privately
from qabot.bot.messages import Outgoing, notice, view_message
from qabot.bot.protocols import Progress
from qabot.bot.rebuilds.runner import Outcome
from qabot.bot.rebuilds.views import finished_view, progress_view, running_text
from qabot.errors import QabotError
from qabot.render.markup import one_line
from qabot.render.translations import translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot

SECONDS_BETWEEN_EDITS = 2.5
"""Discord takes five edits in five seconds; a person reads slower."""

Show = Callable[[Outgoing], Coroutine[Any, Any, None]]


async def rebuild_at_once(bot: Bot, interaction: discord.Interaction[Any]) -> None:
    """Rebuild, and show how far it is in the interaction's message.

    Where a rebuild is running already, the person is told so instead, and how far that is.
    """
    if bot.rebuild is None or bot.rebuilding.runs:
        offered = bot.rebuild is not None
        said = running_text(bot.rebuilding.latest, interaction.locale.value, offered=offered)
        await say_privately(interaction, said)
        return
    await interaction.response.defer(thinking=True)
    await rebuild_after_change(bot, interaction)


async def rebuild_after_change(bot: Bot, interaction: discord.Interaction[Any]) -> None:
    """Rebuild as soon as no other rebuild is running; for an acknowledged interaction."""
    locale = interaction.locale.value
    show = _shower(bot, interaction)
    await show(view_message(progress_view(None, locale)))
    teller = _Teller(asyncio.get_running_loop(), locale, show)
    outcome = await bot.rebuilding.rebuild(interaction.user.id, teller.tell)
    await teller.end()
    await show(outcome_message(outcome, locale))


def outcome_message(outcome: Outcome, locale: str) -> Outgoing:
    """What whoever asked for a rebuild is told of it."""
    if outcome.is_elsewhere:
        return notice(running_text(None, locale))
    if isinstance(outcome.error, QabotError):
        # It names files and remedies, which those who may rebuild need.
        return notice(f"⚠️ {one_line(str(outcome.error), 1900)}")
    if outcome.error:
        said = translate("Something went wrong on my side. Please ask again later.", locale)
        return notice(said)
    return view_message(finished_view(outcome.summary, locale))


def _shower(bot: Bot, interaction: discord.Interaction[Any]) -> Show:
    """How to change the interaction's message, also after the 15 minutes Discord allows."""
    message_id = 0

    async def show(outgoing: Outgoing) -> None:
        nonlocal message_id
        # A progress that cannot be shown does not stop the work.
        with contextlib.suppress(discord.HTTPException):
            if not interaction.is_expired():
                sent = await interaction.edit_original_response(**outgoing.edit_arguments())
                message_id = sent.id
            elif interaction.channel_id is not None:
                channel = bot.get_partial_messageable(interaction.channel_id)
                message = channel.get_partial_message(message_id)
                await message.edit(**outgoing.edit_arguments())

    return show


class _Teller:
    """Shows progress that a thread reports often, now and then."""

    def __init__(self, loop: asyncio.AbstractEventLoop, locale: str, show: Show) -> None:
        self._loop = loop
        self._locale = locale
        self._show = show
        self._edit: Future[None] | None = None
        self._next = 0.0

    def tell(self, progress: Progress) -> None:
        """Show it, unless something was shown a moment ago; called in the thread."""
        now = time.monotonic()
        if now < self._next or (self._edit is not None and not self._edit.done()):
            return
        self._next = now + SECONDS_BETWEEN_EDITS
        shown = self._show(view_message(progress_view(progress, self._locale)))
        self._edit = asyncio.run_coroutine_threadsafe(shown, self._loop)

    async def end(self) -> None:
        """Wait for the last edit, so that it does not come after what follows."""
        if self._edit is not None:
            await asyncio.wrap_future(self._edit)

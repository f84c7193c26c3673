"""Rebuilds at a manager's request, with their progress in a message."""

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
from qabot.bot.rebuilds.runner import Outcome, RebuildRunner
from qabot.errors import QabotError
from qabot.render.markup import one_line
from qabot.render.rebuild import finished_view, progress_view, running_text
from qabot.render.translations import translate

if TYPE_CHECKING:
    from qabot.indexing.summary import Progress

SECONDS_BETWEEN_EDITS = 2.5
"""Discord takes five edits in five seconds; people read more slowly."""

Show = Callable[[Outgoing], Coroutine[Any, Any, None]]


async def rebuild_at_once(rebuilds: RebuildRunner, interaction: discord.Interaction[Any]) -> None:
    """Rebuild, and show the progress in the interaction's message.

    If a rebuild runs already, show its progress instead.
    """
    if not rebuilds.is_offered or rebuilds.is_running:
        said = running_text(rebuilds.latest, interaction.locale.value, offered=rebuilds.is_offered)
        await say_privately(interaction, said)
        return
    await interaction.response.defer(thinking=True)
    await rebuild_after_change(rebuilds, interaction)


async def rebuild_after_change(
    rebuilds: RebuildRunner, interaction: discord.Interaction[Any]
) -> None:
    """Rebuild once no other rebuild runs; for an interaction that was acknowledged."""
    locale = interaction.locale.value
    show = _editor(interaction)
    await show(view_message(progress_view(None, locale)))
    shown = _ShownProgress(asyncio.get_running_loop(), locale, show)
    outcome = await rebuilds.run(interaction.user.id, shown.report)
    await shown.end()
    await show(outcome_message(outcome, locale))


def outcome_message(outcome: Outcome, locale: str) -> Outgoing:
    """Tell the person who asked for a rebuild how it ended."""
    if outcome.is_elsewhere:
        return notice(running_text(None, locale))
    if isinstance(outcome.error, QabotError):
        # The text names files and remedies; people who may rebuild need them.
        return notice(f"⚠️ {one_line(str(outcome.error), 1900)}")
    if outcome.summary is None:
        said = translate("Something went wrong on my side. Please ask again later.", locale)
        return notice(said)
    return view_message(finished_view(outcome.summary, locale))


def _editor(interaction: discord.Interaction[Any]) -> Show:
    """Return a call that edits the interaction's message, also after Discord's 15 minutes."""
    message_id = 0

    async def show(outgoing: Outgoing) -> None:
        nonlocal message_id
        # Work goes on even if its progress cannot be shown.
        with contextlib.suppress(discord.HTTPException):
            if not interaction.is_expired():
                sent = await interaction.edit_original_response(**outgoing.edit_arguments())
                message_id = sent.id
            elif interaction.channel_id is not None:
                channel = interaction.client.get_partial_messageable(interaction.channel_id)
                message = channel.get_partial_message(message_id)
                await message.edit(**outgoing.edit_arguments())

    return show


class _ShownProgress:
    """Shows a thread's progress at a rate that Discord takes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, locale: str, show: Show) -> None:
        self._loop = loop
        self._locale = locale
        self._show = show
        self._edit: Future[None] | None = None
        self._next = 0.0

    def report(self, progress: Progress) -> None:
        """Show the progress unless some was shown a moment ago; called in the thread."""
        now = time.monotonic()
        if now < self._next or (self._edit is not None and not self._edit.done()):
            return
        self._next = now + SECONDS_BETWEEN_EDITS
        shown = self._show(view_message(progress_view(progress, self._locale)))
        self._edit = asyncio.run_coroutine_threadsafe(shown, self._loop)

    async def end(self) -> None:
        """Wait for the last edit, so that it does not overwrite what follows."""
        if self._edit is not None:
            await asyncio.wrap_future(self._edit)

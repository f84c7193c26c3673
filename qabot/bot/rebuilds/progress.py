"""Rebuilds at a manager's request, with their progress in a message."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import discord

from qabot.bot import interactions
from qabot.bot.interactions import UNDELIVERED, insist, say_privately
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

Show = Callable[[Outgoing], Coroutine[Any, Any, bool]]
"""Shows a message; ``False`` if Discord did not take it."""

_log = logging.getLogger(__name__)


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
    rebuilds: RebuildRunner, interaction: discord.Interaction[Any], kept: str = ""
) -> None:
    """Rebuild once no other rebuild runs; for an interaction that was acknowledged.

    Args:
        kept: What became of the file that it is about, to be said if the rebuild fails.
    """
    locale = interaction.locale.value
    show = _editor(interaction)
    await show(view_message(progress_view(None, locale)))
    shown = _ShownProgress(asyncio.get_running_loop(), locale, show)
    outcome = await rebuilds.run(interaction.user.id, shown.report)
    await shown.end()
    await _show_outcome(interaction, show, outcome, kept)


async def _show_outcome(
    interaction: discord.Interaction[Any], show: Show, outcome: Outcome, kept: str
) -> None:
    """Show how a rebuild ended; the reason of a failure only to the person who asked."""
    locale = interaction.locale.value
    shown = await show(outcome_message(outcome, locale, kept))
    reason = failure_reason(outcome)
    if shown and reason:
        # Not in the message of the rebuild, which everybody reads.
        with contextlib.suppress(*UNDELIVERED):
            await interaction.followup.send(f"⚠️ {reason}", ephemeral=True)


def failure_reason(outcome: Outcome) -> str:
    """Return the reason of a failure that managers can mend; it names files and remedies."""
    if not isinstance(outcome.error, QabotError) or outcome.is_elsewhere:
        return ""
    return one_line(str(outcome.error), 1900)


def outcome_message(outcome: Outcome, locale: str, kept: str = "") -> Outgoing:
    """Say how a rebuild ended, for everybody to read.

    Args:
        kept: What became of the file that it was about, if it failed.
    """
    if outcome.is_elsewhere:
        return notice("\n".join(filter(None, (running_text(None, locale), kept))))
    if outcome.summary is None:
        failed = translate("The articles could not be renewed; they are as they were.", locale)
        return notice("\n".join(filter(None, (failed, kept))))
    return view_message(finished_view(outcome.summary, locale))


def _editor(interaction: discord.Interaction[Any]) -> Show:
    """Return a call that shows the progress, also after the 15 minutes of an interaction.

    After them, Discord lets nobody change a private message: then the progress goes on in a direct
    message, or in the channel if the person takes none.
    """
    message: discord.Message | None = None

    async def edit_anyway(outgoing: Outgoing) -> None:
        nonlocal message
        if not interaction.is_expired():
            message = await interactions.show(interaction, outgoing)
            return
        if message is None or message.flags.ephemeral:
            message = await _sent_anew(interaction, outgoing)
            return
        channel = interaction.client.get_partial_messageable(message.channel.id)
        partial = channel.get_partial_message(message.id)
        await insist(lambda: partial.edit(**outgoing.edit_arguments()))

    async def edit(outgoing: Outgoing) -> bool:
        # Work goes on even if its progress cannot be shown.
        try:
            await edit_anyway(outgoing)
        except UNDELIVERED as error:
            _log.info("a rebuild's message could not be changed: %s", error)
            return False
        return True

    return edit


async def _sent_anew(
    interaction: discord.Interaction[Any], outgoing: Outgoing
) -> discord.Message | None:
    """Send a message to the person, or into the channel if they take none."""
    try:
        return await interaction.user.send(**outgoing.arguments())
    except UNDELIVERED as error:
        _log.info("a direct message could not be sent: %s", error)
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable):
        return None
    return await channel.send(**outgoing.arguments())


class _ShownProgress:
    """Shows a thread's progress at a rate that Discord takes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, locale: str, show: Show) -> None:
        self._loop = loop
        self._locale = locale
        self._show = show
        self._edit: Future[bool] | None = None
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

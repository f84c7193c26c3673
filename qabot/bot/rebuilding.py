"""One rebuild at a time, in a thread, with its progress in a message."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import discord

from qabot.bot.answering import explanation
from qabot.bot.interactions import say_privately
from qabot.bot.manage_views import finished_view, progress_view, running_text
from qabot.bot.messages import Outgoing, notice, view_message
from qabot.bot.protocols import Progress
from qabot.errors import QabotError, RebuildRunningError, SourceError
from qabot.render.markup import one_line

if TYPE_CHECKING:
    from qabot.bot.client import Bot

SECONDS_BETWEEN_EDITS = 2.5
"""Discord takes five edits in five seconds; a person reads slower."""

Show = Callable[[Outgoing], Coroutine[Any, Any, None]]

_log = logging.getLogger(__name__)


class Rebuilding:
    """Runs the bot's rebuilds and tells people how far they are.

    Args:
        bot: Whose ``rebuild`` is run.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._latest: Progress | None = None
        self._lock = asyncio.Lock()

    async def run(self, interaction: discord.Interaction[Any]) -> None:
        """Rebuild, and show how far it is in the interaction's message.

        Where a rebuild is running already, the person is told so instead, and how far that is.
        """
        locale = interaction.locale.value
        if self._bot.rebuild is None or self._lock.locked():
            offered = self._bot.rebuild is not None
            await say_privately(interaction, running_text(self._latest, locale, offered=offered))
            return
        await interaction.response.defer(thinking=True)
        await self.run_after_change(interaction)

    async def run_after_change(self, interaction: discord.Interaction[Any]) -> None:
        """Rebuild as soon as no other rebuild is running; for an acknowledged interaction."""
        locale = interaction.locale.value
        show = self._shower(interaction)
        await show(view_message(progress_view(None, locale)))
        async with self._lock:
            self._latest = None
            outcome = await self._outcome(locale, show)
        await show(outcome)

    def stop(self) -> None:
        """End a rebuild that runs, if it can be ended; the index stays as it was."""
        # A process that nobody waits for any more would keep this one from ending.
        stop = getattr(self._bot.rebuild, "stop", None)
        if stop is not None:
            stop()

    async def _outcome(self, locale: str, show: Show) -> Outgoing:
        """Rebuild, with progress shown meanwhile; what it came to."""
        teller = _Teller(asyncio.get_running_loop(), locale, show)
        try:
            summary = await asyncio.to_thread(self._rebuild, teller)
            return view_message(finished_view(summary, locale))
        except RebuildRunningError:
            return notice(running_text(None, locale))
        except QabotError as error:
            _log.error("a rebuild failed: %s", error)
            # It names files and remedies, which those who may rebuild need.
            return notice(f"⚠️ {one_line(str(error), 1900)}")
        except Exception as error:  # noqa: BLE001 (whatever it is, the person hears of it)
            return notice(explanation(error, locale))
        finally:
            await teller.end()

    def _rebuild(self, teller: _Teller) -> Any:
        """Bring the index up to date with its sources and with what was added in Discord."""
        rebuild = self._bot.rebuild
        if rebuild is None:
            raise AssertionError("nobody asks for a rebuild that is not offered")

        def note(progress: Progress) -> None:
            self._latest = progress
            teller.tell(progress)

        manifest = self._bot.engine.manifest()
        sources = self._bot.uploads.sources(manifest.sources)
        if not sources and not self._bot.engine.collections():
            raise SourceError(
                "no article would be left; the index stays as it is until one is added"
            )
        return rebuild(sources, note)

    def _shower(self, interaction: discord.Interaction[Any]) -> Show:
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
                    channel = self._bot.get_partial_messageable(interaction.channel_id)
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

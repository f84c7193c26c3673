"""Replies to interactions and to messages.

Both have the same steps: ``acknowledge``, ``place``, ``send``; or only ``refuse``, in private.
Discord may refuse each step, because messages are deleted, interactions expire and permissions are
missing. Then the reply goes elsewhere if it can; nothing is raised.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Protocol

import discord
from discord.abc import Messageable

from qabot.bot.channels import may_open_thread, missing_permissions
from qabot.bot.interactions import UNDELIVERED, deliver, say_privately, show
from qabot.bot.messages import Outgoing
from qabot.render.markup import inert
from qabot.render.translations import translate

_LONGEST_THREAD_NAME = 100

_log = logging.getLogger(__name__)


class Reply(Protocol):
    """The way back to the person who asked."""

    @property
    def addressed(self) -> bool:
        """True if the question was put to the bot; otherwise nobody waits for a reply."""
        ...

    @property
    def is_message(self) -> bool:
        """True for a message, whose author needs one refusal in a while at most."""
        ...

    @property
    def shows_question(self) -> bool:
        """True if the answer has to repeat the question, which people do not see beside it."""
        ...

    async def refuse(self, text: str, question: str = "") -> None:
        """Say in private why there will be no answer, and give a lost question back."""
        ...

    async def wait(self, text: str, question: str) -> None:
        """Say that the answer takes longer."""
        ...

    async def withdraw(self) -> None:
        """Send nothing after all."""
        ...

    async def acknowledge(self) -> bool:
        """Show at once that an answer is on its way; ``False`` if nobody waits any more."""
        ...

    async def place(self, question: str) -> int:
        """Return the id of the answer's channel; open a thread first if one is wanted."""
        ...

    async def send(self, outgoing: Outgoing) -> int | None:
        """Show the answer or an explanation; return the message's id, ``None`` if it failed."""
        ...


class InteractionReply:
    """Answers a command, a button or a form.

    Args:
        interaction: One without a response yet.
        private: Show the answer to this person only; Discord needs to know at once.
        threads: Put the answer into a thread of its own if possible.
    """

    addressed = True
    is_message = False

    def __init__(
        self, interaction: discord.Interaction, *, private: bool, threads: bool = False
    ) -> None:
        self._interaction = interaction
        self._private = private
        self._threads = threads and not private
        self._thread: discord.Thread | None = None

    @property
    def shows_question(self) -> bool:
        """True unless the answer goes into a thread that the question names."""
        return self._thread is None

    async def refuse(self, text: str, question: str = "") -> None:
        """Send the text so that only the person sees it."""
        await say_privately(self._interaction, text, question)

    async def wait(self, text: str, question: str) -> None:  # noqa: ARG002 (it is shown later)
        """Show the text where "thinking" stands."""
        with contextlib.suppress(*UNDELIVERED):
            await self._interaction.edit_original_response(content=text)

    async def withdraw(self) -> None:
        """Do nothing: a person who used a command always gets a reply."""

    async def acknowledge(self) -> bool:
        """Show "thinking"."""
        try:
            await self._interaction.response.defer(ephemeral=self._private, thinking=True)
        except UNDELIVERED as error:
            _log.info("an interaction could not be acknowledged: %s", error)
            return False
        return True

    async def place(self, question: str) -> int:
        """Return the thread under the response, or the channel."""
        interaction = self._interaction
        if self._threads and may_open_thread(interaction.channel):
            with contextlib.suppress(*UNDELIVERED):
                # The answer goes into the thread.
                message = await interaction.edit_original_response(
                    content=thread_line(question, interaction.locale.value)
                )
                self._thread = await message.create_thread(name=thread_name(question))
                return self._thread.id
        return interaction.channel_id or 0

    async def send(self, outgoing: Outgoing) -> int | None:
        """Replace "thinking" by the answer, or send it into the thread."""
        interaction, thread = self._interaction, self._thread
        try:
            if thread is not None:
                locale = interaction.locale.value
                sent = await deliver(lambda it: thread.send(**it.arguments()), outgoing, locale)
                return sent.id
            return (await show(interaction, outgoing)).id
        except UNDELIVERED as error:
            _log.info("an interaction could not be answered: %s", error)
            return await self._send_late(outgoing)

    async def _send_late(self, outgoing: Outgoing) -> int | None:
        """Send an ordinary message: an interaction's token lasts only 15 minutes."""
        channel = self._interaction.channel
        target = self._interaction.user if self._private else channel
        if not isinstance(target, Messageable) or (
            not self._private and missing_permissions(channel)
        ):
            return None
        with contextlib.suppress(*UNDELIVERED):
            return (await target.send(**outgoing.arguments())).id
        return None


def thread_name(question: str) -> str:
    """Name a thread after a question: 1 to 100 characters."""
    name = " ".join(question.split())
    return name if len(name) <= _LONGEST_THREAD_NAME else f"{name[: _LONGEST_THREAD_NAME - 1]}…"


def thread_line(question: str, locale: str) -> str:
    """Say in the channel that the answer is in the thread."""
    return translate(
        "The answer to “{question}” is in the thread.",
        locale,
        question=inert(thread_name(question)),
    )

"""Replies to interactions and to messages.

Both have the same steps: ``acknowledge``, ``place``, ``send``; or only ``refuse``, in private.
Discord may refuse each step, because messages are deleted, interactions expire and permissions are
missing. Then the reply goes elsewhere if it can; nothing is raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Container
from typing import Protocol

import discord
from discord.abc import Messageable

from qabot.bot.channels import may_open_thread, missing_permissions
from qabot.bot.interactions import UNDELIVERED, insist
from qabot.bot.messages import Outgoing
from qabot.render.markup import inert
from qabot.render.translations import translate

_LONGEST_THREAD_NAME = 100

_log = logging.getLogger(__name__)


class Reply(Protocol):
    """The way back to the person who asked.

    Attributes:
        unasked: True if nobody waits for a refusal, so that one in a while is enough.
    """

    unasked: bool

    async def refuse(self, text: str) -> None:
        """Say in private why there will be no answer."""
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

    unasked = False

    def __init__(
        self, interaction: discord.Interaction, *, private: bool, threads: bool = False
    ) -> None:
        self._interaction = interaction
        self._private = private
        self._threads = threads and not private
        self._thread: discord.Thread | None = None

    async def refuse(self, text: str) -> None:
        """Send the text so that only the person sees it."""
        with contextlib.suppress(*UNDELIVERED):
            await self._interaction.response.send_message(text, ephemeral=True)

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
                sent = await insist(lambda: thread.send(**outgoing.arguments()))
                return sent.id
            edited = await insist(
                lambda: interaction.edit_original_response(**outgoing.edit_arguments())
            )
            return edited.id
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


class MessageReply:
    """Answers a message: a mention, a direct message, a reply, a question in an opted-in channel.

    Args:
        message: The message to answer.
        private: Send the answer as a direct message.
        threads: Put the answer into a thread of its own if possible.
        locale: Discord's name for the language to answer in.
        deleted: Ids of deleted messages, which get no answer.
    """

    unasked = True

    def __init__(
        self,
        message: discord.Message,
        *,
        private: bool,
        threads: bool,
        locale: str,
        deleted: Container[int],
    ) -> None:
        self._message = message
        self._private = private and message.guild is not None
        self._threads = threads and not private
        self._locale = locale
        self._target: Messageable | None = None
        self._typing: asyncio.Task[None] | None = None
        self._deleted = deleted

    async def refuse(self, text: str) -> None:
        """Send the text as a direct message: channels have no private ones."""
        with contextlib.suppress(*UNDELIVERED):
            await self._message.author.send(text)

    async def acknowledge(self) -> bool:
        """Show "typing", without waiting for Discord to take it."""
        self._typing = asyncio.create_task(_show_typing(self._message.channel))
        return True

    async def place(self, question: str) -> int:
        """Return the thread under the message, the direct messages, or the channel."""
        message = self._message
        with contextlib.suppress(*UNDELIVERED):
            if message.id in self._deleted:
                return message.channel.id
            if self._private:
                self._target = await message.author.create_dm()
                return self._target.id
            if self._threads and may_open_thread(message.channel):
                self._target = await message.create_thread(name=thread_name(question))
                return self._target.id
        return message.channel.id

    async def send(self, outgoing: Outgoing) -> int | None:
        """Send the message."""
        try:
            if self._message.id in self._deleted:
                return None
            send = self._target.send if self._target is not None else self._message.reply
            sent: discord.Message = await insist(lambda: send(**outgoing.arguments()))
            return sent.id
        except UNDELIVERED as error:
            # The message was just deleted, the person takes no direct messages, or the bot may no
            # longer write in the channel.
            _log.info("a message could not be answered: %s", error)
            if self._private and isinstance(error, discord.Forbidden):
                await self._tell_in_channel()
            return None
        finally:
            if self._typing is not None:
                self._typing.cancel()

    async def _tell_in_channel(self) -> None:
        text = translate(
            "Answers are private on this server, and I cannot send you direct messages. "
            "Ask with `/ask`.",
            self._locale,
        )
        with contextlib.suppress(*UNDELIVERED):
            await self._message.reply(text)


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


async def _show_typing(channel: Messageable) -> None:
    with contextlib.suppress(*UNDELIVERED):
        async with channel.typing():
            # It lasts ten seconds; discord.py renews it until this is cancelled.
            await asyncio.sleep(15 * 60)

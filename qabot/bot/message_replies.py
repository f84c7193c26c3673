"""Replies to messages: mentions, direct messages, replies, questions in opted-in channels."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Container
from dataclasses import dataclass

import discord
from discord.abc import Messageable

from qabot.bot.channels import may_open_thread
from qabot.bot.interactions import UNDELIVERED, deliver
from qabot.bot.messages import Outgoing
from qabot.bot.replies import thread_name
from qabot.bot.store.records import GuildSettings
from qabot.render.translations import translate

_SECONDS_OF_TYPING = 15 * 60.0

_log = logging.getLogger(__name__)


class TypingIndicator:
    """Shows "typing" in channels, by one loop a channel however many answers are under way."""

    def __init__(self) -> None:
        self._loops: dict[int, asyncio.Task[None]] = {}
        self._users: dict[int, int] = {}

    def begin(self, channel: discord.abc.MessageableChannel) -> None:
        """Show "typing" until ``end`` was called as often as ``begin``."""
        self._users[channel.id] = self._users.get(channel.id, 0) + 1
        if channel.id not in self._loops:
            self._loops[channel.id] = asyncio.create_task(_type(channel))

    def end(self, channel: discord.abc.MessageableChannel) -> None:
        """Stop, unless other answers in the channel are under way."""
        self._users[channel.id] -= 1
        if not self._users[channel.id]:
            del self._users[channel.id]
            self._loops.pop(channel.id).cancel()


@dataclass(slots=True)
class Heard:
    """A message that was taken as a question.

    Attributes:
        text: The hash of the question as it stands now: memory keeps no texts.
        sent: The message that answers it.
    """

    text: int | None = None
    sent: discord.PartialMessage | None = None


class MessageReply:
    """Answers a message.

    Args:
        message: The message to answer.
        settings: The guild's settings: private answers go into a direct message, and answers in
            threads into a thread of their own if possible.
        locale: Discord's name for the language to answer in.
        addressed: True if the message speaks to the bot.
        deleted: Ids of deleted messages, which get no answer.
        typing: Shows that an answer is on its way.
        heard: The message as it stands now, with the answer to an earlier version, which is
            replaced. If it changes again, nothing is sent.
    """

    is_message = True
    shows_question = False

    def __init__(
        self,
        message: discord.Message,
        settings: GuildSettings,
        *,
        locale: str,
        addressed: bool,
        deleted: Container[int],
        typing: TypingIndicator,
        heard: Heard,
    ) -> None:
        self._message = message
        self._private = settings.private and message.guild is not None
        self._threads = settings.threads and not settings.private
        self.locale = locale
        self.addressed = addressed
        self._target: Messageable | None = None
        self._typing = typing
        self._is_typing = False
        self._deleted = deleted
        self._heard = heard
        self._text = heard.text
        self._waits = self._is_told = False

    async def refuse(self, text: str, question: str = "") -> None:  # noqa: ARG002 (it still stands)
        """Send the text as a direct message: channels have no private ones."""
        if self.addressed:
            with contextlib.suppress(*UNDELIVERED):
                await self._message.author.send(text)

    async def acknowledge(self) -> bool:
        """Show "typing" to people who wait, without waiting for Discord to take it."""
        if self.addressed:
            self._is_typing = True
            self._typing.begin(self._message.channel)
        return True

    async def wait(self, text: str, question: str) -> None:
        """Send the text to the place of the answer, which will replace it."""
        if self.addressed:
            await self.place(question)
            self._waits = await self._deliver(Outgoing(content=text)) is not None

    async def withdraw(self) -> None:
        """Send nothing, and take back what was sent meanwhile."""
        self._stop_typing()
        if self._waits and self._heard.sent is not None:
            with contextlib.suppress(*UNDELIVERED):
                await self._heard.sent.delete()
            self._heard.sent = None

    async def place(self, question: str) -> int:
        """Return the thread under the message, the direct messages, or the channel."""
        message = self._message
        if self._heard.sent is not None:
            return self._heard.sent.channel.id
        with contextlib.suppress(*UNDELIVERED):
            if self._is_gone():
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
            return await self._deliver(outgoing)
        finally:
            self._stop_typing()

    async def _deliver(self, outgoing: Outgoing) -> int | None:
        try:
            if self._is_gone():
                return None
            sent = await deliver(self._send, outgoing, self.locale)
            self._heard.sent = discord.PartialMessage(channel=sent.channel, id=sent.id)
            return sent.id
        except UNDELIVERED as error:
            # The message was just deleted, the person takes no direct messages, or the bot may no
            # longer write in the channel.
            _log.info("a message could not be answered: %s", error)
            if self._private and isinstance(error, discord.Forbidden) and not self._is_told:
                self._is_told = True
                await self._tell_in_channel()
            return None

    async def _send(self, outgoing: Outgoing) -> discord.Message:
        if self._heard.sent is not None:
            return await self._heard.sent.edit(**outgoing.edit_arguments())
        send = self._target.send if self._target is not None else self._message.reply
        sent: discord.Message = await send(**outgoing.arguments())
        return sent

    def _is_gone(self) -> bool:
        """Return whether the message was deleted, or asks something else by now."""
        return self._message.id in self._deleted or self._heard.text != self._text

    def _stop_typing(self) -> None:
        if self._is_typing:
            self._is_typing = False
            self._typing.end(self._message.channel)

    async def _tell_in_channel(self) -> None:
        text = translate(
            "Answers are private on this server, and I cannot send you direct messages. "
            "Ask with `/ask`.",
            self.locale,
        )
        with contextlib.suppress(*UNDELIVERED):
            await self._message.reply(text)


async def _type(channel: discord.abc.MessageableChannel) -> None:
    with contextlib.suppress(*UNDELIVERED):
        async with channel.typing():
            # It lasts ten seconds; discord.py renews it until this is cancelled.
            await asyncio.sleep(_SECONDS_OF_TYPING)

"""The buttons under answers. They work for a month, also after a restart."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from qabot.bot.answers import Asked, explanation, made
from qabot.bot.interactions import UNDELIVERED, say_privately, values_of
from qabot.bot.messages import Outgoing, answer_message, notice, view_message
from qabot.bot.replies import InteractionReply
from qabot.bot.services import services_of
from qabot.bot.store.records import AnswerRecord
from qabot.bot.store.saved_answers import read_answer, read_collection
from qabot.errors import SourceError, StateError
from qabot.render.discord import context_view
from qabot.render.translations import translate
from qabot.types import LONGEST_QUESTION

Pressed = discord.Interaction[Any]

SECONDS_KEPT = 31 * 24 * 3600.0
"""Time for which an answer's buttons work."""

_FOLLOW = re.compile(r"qabot:follow:(?P<answer>[\w-]{12})")
_log = logging.getLogger(__name__)


class AnswerButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"qabot:(?P<action>page|context|follow|helpful|unhelpful):(?P<answer>[\w-]{12})"
    r"(?::(?P<number>\d{1,3}))?",
):
    """A button under an answer: the action, the answer's id, and a page or quote number."""

    def __init__(self, item: discord.ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item)
        self._action = match["action"]
        self._answer_id = match["answer"]
        self._number = int(match["number"] or 0)

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 (discord.py passes it)
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> AnswerButton:
        """Make the button that was pressed."""
        if not isinstance(item, discord.ui.Button):
            raise TypeError("only buttons have this name")
        return cls(item, match)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Run the button's action, or say why it cannot be done."""
        locale = interaction.locale.value
        try:
            record = await _record(interaction, self._answer_id)
            if record is None:
                await say_privately(interaction, _too_old(locale))
            else:
                await _ACTIONS[self._action](interaction, record, self._number)
        except UNDELIVERED as error:
            _log.info("a button could not be answered: %s", error)
        except Exception as error:  # noqa: BLE001 (the person is told of every error)
            await say_privately(interaction, explanation(error, locale))


async def follow_up(interaction: Pressed) -> None:
    """Answer a follow-up form, also if the bot was restarted meanwhile."""
    if interaction.type is not discord.InteractionType.modal_submit or interaction.data is None:
        return
    match = _FOLLOW.fullmatch(str(interaction.data.get("custom_id")))
    if not match:
        return
    locale = interaction.locale.value
    try:
        record = await _record(interaction, match["answer"])
    except StateError as error:
        await say_privately(interaction, explanation(error, locale))
        return
    if record is None:
        await say_privately(interaction, _too_old(locale))
        return
    message = interaction.message
    services = services_of(interaction)
    settings = await services.guild_settings.settings(interaction.guild_id)
    asked = Asked(
        text=next(iter(values_of(interaction.data)), ""),
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        locale=locale,
        previous=(*record.previous, record.question),
        others=record.user_id != interaction.user.id,
        collection=read_collection(record.answer_json),
    )
    # A private conversation stays private.
    private = message.flags.ephemeral if message else settings.private
    await services.answering.answer(asked, InteractionReply(interaction, private=private))


async def _turn(interaction: Pressed, record: AnswerRecord, page: int) -> None:
    """Show another page: in place for the asker, privately for others."""
    services = services_of(interaction)
    locale = interaction.locale.value
    quotes = services.engine.settings.quotes
    answer = read_answer(record.answer_json)
    outgoing = await made(
        lambda: answer_message(answer, record.id, page, locale, per_page=quotes), locale
    )
    message = interaction.message
    if interaction.user.id == record.user_id or (message and message.flags.ephemeral):
        await interaction.response.edit_message(**outgoing.edit_arguments())
        await asyncio.to_thread(services.state.set_answer_page, record.id, page)
    else:
        await interaction.response.send_message(**outgoing.arguments(), ephemeral=True)


async def _show_context(interaction: Pressed, record: AnswerRecord, number: int) -> None:
    """Show a quote between the passages around it, privately."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    outgoing = await made(lambda: _context(interaction, record, number), interaction.locale.value)
    await interaction.edit_original_response(**outgoing.edit_arguments())


def _context(interaction: Pressed, record: AnswerRecord, number: int) -> Outgoing:
    locale = interaction.locale.value
    try:
        quote = read_answer(record.answer_json).quotes[number]
        before, passage, after = services_of(interaction).engine.context(quote)
    except SourceError:
        return notice(translate("The article has changed since. Please ask again.", locale))
    return view_message(context_view(quote, before, passage, after, locale))


async def _open_follow_up(interaction: Pressed, record: AnswerRecord, _: int) -> None:
    """Open a form for the next question."""
    locale = interaction.locale.value
    form = discord.ui.Modal(
        title=translate("Follow-up question", locale), custom_id=f"qabot:follow:{record.id}"
    )
    field: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id="question",
        style=discord.TextStyle.paragraph,
        max_length=LONGEST_QUESTION,
    )
    form.add_item(discord.ui.Label(text=translate("Your question", locale), component=field))
    form.stop()  # Its custom_id is enough: the text arrives in follow_up(), restart or not.
    await interaction.response.send_modal(form)


async def _rate(interaction: Pressed, record: AnswerRecord, *, helpful: bool) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    now = discord.utils.utcnow().timestamp()
    await asyncio.to_thread(
        services_of(interaction).state.save_feedback, record.id, interaction.user.id, helpful, now
    )
    locale = interaction.locale.value
    text = (
        translate("Thank you. You found this answer helpful.", locale)
        if helpful
        else translate("Thank you. You found this answer not helpful.", locale)
    )
    await interaction.edit_original_response(content=text)


async def _record(interaction: Pressed, answer_id: str) -> AnswerRecord | None:
    record = await asyncio.to_thread(services_of(interaction).state.answer, answer_id)
    if record and record.created < discord.utils.utcnow().timestamp() - SECONDS_KEPT:
        return None
    return record


def _too_old(locale: str) -> str:
    return translate(
        "I have forgotten this answer: I keep answers for a month. Please ask again.", locale
    )


_ACTIONS: dict[str, Callable[[Pressed, AnswerRecord, int], Awaitable[None]]] = {
    "page": _turn,
    "context": _show_context,
    "follow": _open_follow_up,
    "helpful": lambda interaction, record, _: _rate(interaction, record, helpful=True),
    "unhelpful": lambda interaction, record, _: _rate(interaction, record, helpful=False),
}

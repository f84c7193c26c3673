"""The buttons under answers. They work for a month, also after a restart."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from qabot.bot.answers import Asked, explanation, made
from qabot.bot.channels import elsewhere_text, may_answer
from qabot.bot.commands.look import article_page, articles_page
from qabot.bot.commands.permissions import may_manage
from qabot.bot.interactions import UNDELIVERED, say_privately, show, values_of
from qabot.bot.messages import Outgoing, answer_message, context_message, notice
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
    template=r"qabot:(?P<action>page|context|read|browse|follow|helpful|unhelpful|dismiss):(?P<answer>[\w-]{12})"
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
        await _act(interaction, self._action, self._answer_id, self._number)


class ContextMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=r"qabot:contexts:(?P<answer>[\w-]{12})",
):
    """A menu of the quotes whose context can be opened."""

    def __init__(self, item: discord.ui.Select[Any], answer_id: str) -> None:
        super().__init__(item)
        self._answer_id = answer_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 (discord.py passes it)
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> ContextMenu:
        """Make the menu that was used."""
        if not isinstance(item, discord.ui.Select):
            raise TypeError("only menus have this name")
        return cls(item, match["answer"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the context of the chosen quote."""
        data: dict[str, Any] = dict(interaction.data or {})
        number = next((int(value) for value in data.get("values", []) if value.isdecimal()), 0)
        await _act(interaction, "context", self._answer_id, number)


async def _act(interaction: Pressed, action: str, answer_id: str, number: int) -> None:
    """Run an action on an answer, or say why it cannot be done."""
    locale = interaction.locale.value
    try:
        record = await _record(interaction, answer_id)
        if record is None:
            await say_privately(interaction, _too_old(locale))
        else:
            await _ACTIONS[action](interaction, record, number)
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
    text = next(iter(values_of(interaction.data)), "")
    if record is None:
        await say_privately(interaction, _too_old(locale), text)
        return
    message = interaction.message
    services = services_of(interaction)
    settings = await services.guild_settings.settings(interaction.guild_id)
    if not may_answer(interaction.channel, settings):
        await say_privately(interaction, elsewhere_text(settings, locale), text)
        return
    asked = Asked(
        text=text,
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
    message = interaction.message
    shows_question = bool(message and message.embeds and message.embeds[0].title)
    outgoing = await made(
        lambda: answer_message(
            answer, record.id, page, locale, per_page=quotes, shows_question=shows_question
        ),
        locale,
    )
    if interaction.user.id == record.user_id or (message and message.flags.ephemeral):
        await interaction.response.edit_message(**outgoing.edit_arguments())
        await asyncio.to_thread(services.state.set_answer_page, record.id, page)
    else:
        await interaction.response.send_message(**outgoing.arguments(), ephemeral=True)


async def _show_context(interaction: Pressed, record: AnswerRecord, number: int) -> None:
    """Show a quote between the passages around it, privately."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    outgoing = await made(lambda: _context(interaction, record, number), interaction.locale.value)
    await show(interaction, outgoing)


def _context(interaction: Pressed, record: AnswerRecord, number: int) -> Outgoing:
    locale = interaction.locale.value
    try:
        quote = read_answer(record.answer_json).quotes[number]
        before, passage, after = services_of(interaction).engine.context(quote)
    except SourceError:
        return notice(translate("The article has changed since. Please ask again.", locale))
    view = context_view(quote, before, passage, after, locale)
    return context_message(view, record.id, number, locale)


async def _read(interaction: Pressed, record: AnswerRecord, number: int) -> None:
    """Open the article of a quote, at the quote, privately."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    services, locale = services_of(interaction), interaction.locale.value
    quote = read_answer(record.answer_json).quotes[number]
    outgoing = await made(
        lambda: article_page(services, quote.article.id, 0, locale, offset=quote.start), locale
    )
    await show(interaction, outgoing)


async def _browse(interaction: Pressed, record: AnswerRecord, _: int) -> None:  # noqa: ARG001
    """List the articles, privately."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    services, locale = services_of(interaction), interaction.locale.value
    await show(interaction, await made(lambda: articles_page(services, "", 0, locale), locale))


async def _dismiss(interaction: Pressed, record: AnswerRecord, _: int) -> None:
    """Delete the answer, for its asker and for managers."""
    locale = interaction.locale.value
    if interaction.user.id != record.user_id and not await may_manage(interaction):
        said = translate("Only the person who asked, or a manager, can remove this answer.", locale)
        await say_privately(interaction, said)
        return
    await interaction.response.defer()
    await interaction.delete_original_response()


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
    await show(interaction, notice(text))


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
    "read": _read,
    "browse": _browse,
    "dismiss": _dismiss,
    "follow": _open_follow_up,
    "helpful": lambda interaction, record, _: _rate(interaction, record, helpful=True),
    "unhelpful": lambda interaction, record, _: _rate(interaction, record, helpful=False),
}

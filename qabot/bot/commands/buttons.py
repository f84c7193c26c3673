"""The buttons under answers. They work for a month, also after a restart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from qabot.bot.answers import Asked
from qabot.bot.channels import elsewhere_text, may_answer
from qabot.bot.commands.controls import (
    Control,
    Used,
    answer_privately,
    chosen_values,
    form_match,
)
from qabot.bot.commands.look import article_page, articles_page
from qabot.bot.commands.permissions import may_manage
from qabot.bot.explanations import explanation, made
from qabot.bot.interactions import say_privately, show, values_of
from qabot.bot.messages import Outgoing, answer_message, context_message, notice
from qabot.bot.replies import InteractionReply
from qabot.bot.services import services_of
from qabot.bot.store.records import AnswerRecord
from qabot.bot.store.saved_answers import read_answer, read_collection
from qabot.errors import SourceError, StateError
from qabot.render.discord import context_view
from qabot.render.translations import translate
from qabot.types import LONGEST_QUESTION

SECONDS_KEPT = 31 * 24 * 3600.0
"""Time for which an answer's buttons work."""

_FOLLOW = re.compile(r"qabot:follow:(?P<answer>[\w-]{12})")


class AnswerButton(
    Control,
    template=r"qabot:(?P<action>page|context|read|browse|follow|helpful|unhelpful|dismiss)"
    r":(?P<answer>[\w-]{12})(?::(?P<number>\d{1,3}))?",
):
    """A button under an answer: the action, the answer's id, and a page or quote number."""

    async def act(self, interaction: Used) -> None:
        """Run the button's action, or say why it cannot be done."""
        number = int(self.match["number"] or 0)
        await _act(interaction, self.match["action"], self.match["answer"], number)


class ContextMenu(Control, template=r"qabot:contexts:(?P<answer>[\w-]{12})"):
    """A menu of the quotes whose context, or whose article, can be opened."""

    async def act(self, interaction: Used) -> None:
        """Show the context of the chosen quote, or its article."""
        value = next(iter(chosen_values(interaction)), "")
        number = value.removeprefix("read:")
        await _act(
            interaction,
            "context" if number == value else "read",
            self.match["answer"],
            int(number) if number.isdecimal() else 0,
        )


async def _act(interaction: Used, action: str, answer_id: str, number: int) -> None:
    """Run an action on an answer, or say that it is forgotten."""
    record = await _record(interaction, answer_id)
    if record is None:
        await say_privately(interaction, _too_old(interaction.locale.value))
    else:
        await _ACTIONS[action](interaction, record, number)


async def follow_up(interaction: Used) -> None:
    """Answer a follow-up form, also if the bot was restarted meanwhile."""
    match = form_match(interaction, _FOLLOW)
    if not match:
        return
    locale = interaction.locale.value
    text = next(values_of(interaction.data), "")
    try:
        record = await _record(interaction, match["answer"])
    except StateError as error:
        await say_privately(interaction, explanation(error, locale), text)
        return
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


async def _turn(interaction: Used, record: AnswerRecord, page: int) -> None:
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
        await interaction.response.defer()
        await show(interaction, outgoing)
        await asyncio.to_thread(services.state.set_answer_page, record.id, page)
    else:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await show(interaction, outgoing)


async def _show_context(interaction: Used, record: AnswerRecord, number: int) -> None:
    """Show a quote between the passages around it, privately."""
    await answer_privately(interaction, lambda: _context(interaction, record, number))


def _context(interaction: Used, record: AnswerRecord, number: int) -> Outgoing:
    locale = interaction.locale.value
    try:
        quote = read_answer(record.answer_json).quotes[number]
        before, passage, after = services_of(interaction).engine.context(quote)
    except SourceError:
        return notice(translate("The article has changed since. Please ask again.", locale))
    view = context_view(quote, before, passage, after, locale)
    return context_message(view, record.id, number, locale)


async def _read(interaction: Used, record: AnswerRecord, number: int) -> None:
    """Open the article of a quote, at the quote, privately."""
    services, locale = services_of(interaction), interaction.locale.value
    quote = read_answer(record.answer_json).quotes[number]
    await answer_privately(
        interaction,
        lambda: article_page(services, quote.article.id, 0, locale, offset=quote.start),
    )


async def _browse(interaction: Used, record: AnswerRecord, _: int) -> None:  # noqa: ARG001
    """List the articles, privately."""
    services, locale = services_of(interaction), interaction.locale.value
    await answer_privately(interaction, lambda: articles_page(services, "", 0, locale))


async def _dismiss(interaction: Used, record: AnswerRecord, _: int) -> None:
    """Delete the answer, for its asker and for managers."""
    locale = interaction.locale.value
    if interaction.user.id != record.user_id and not await may_manage(interaction):
        said = translate("Only the person who asked, or a manager, can remove this answer.", locale)
        await say_privately(interaction, said)
        return
    await interaction.response.defer()
    await interaction.delete_original_response()


async def _open_follow_up(interaction: Used, record: AnswerRecord, _: int) -> None:
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


async def _rate(interaction: Used, record: AnswerRecord, *, helpful: bool) -> None:
    state, locale = services_of(interaction).state, interaction.locale.value
    now = discord.utils.utcnow().timestamp()

    def thanks() -> Outgoing:
        state.save_feedback(record.id, interaction.user.id, helpful, now)
        return notice(
            translate("Thank you. You found this answer helpful.", locale)
            if helpful
            else translate("Thank you. You found this answer not helpful.", locale)
        )

    await answer_privately(interaction, thanks)


async def _record(interaction: Used, answer_id: str) -> AnswerRecord | None:
    record = await asyncio.to_thread(services_of(interaction).state.answer, answer_id)
    if record and record.created < discord.utils.utcnow().timestamp() - SECONDS_KEPT:
        return None
    return record


def _too_old(locale: str) -> str:
    return translate(
        "I have forgotten this answer: I keep answers for a month. Please ask again.", locale
    )


_ACTIONS: dict[str, Callable[[Used, AnswerRecord, int], Awaitable[None]]] = {
    "page": _turn,
    "context": _show_context,
    "read": _read,
    "browse": _browse,
    "dismiss": _dismiss,
    "follow": _open_follow_up,
    "helpful": lambda interaction, record, _: _rate(interaction, record, helpful=True),
    "unhelpful": lambda interaction, record, _: _rate(interaction, record, helpful=False),
}

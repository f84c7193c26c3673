"""The form in which managers write a short article: title and text."""

from __future__ import annotations

import json
import re
from typing import Any

import discord

from qabot.bot.commands.controls import Control, Used, form_match, guarded
from qabot.bot.commands.manage import offer_article
from qabot.bot.commands.permissions import refused
from qabot.bot.interactions import values_of
from qabot.bot.messages import Button
from qabot.render.translations import translate

_LONGEST_TITLE, _LONGEST_TEXT = 100, 4000
_FORM = re.compile("qabot:article")


def add_button(locale: str) -> Button:
    """Make the button that opens the form."""
    return discord.ui.Button(label=translate("Add an article", locale), custom_id="qabot:write")


class WriteButton(Control, template="qabot:write"):
    """The button that opens the form."""

    async def act(self, interaction: Used) -> None:
        """Open the form for people who manage the articles."""
        if not await refused(interaction, articles=True):
            await interaction.response.send_modal(_form(interaction.locale.value))


def _form(locale: str) -> discord.ui.Modal:
    form = discord.ui.Modal(title=translate("Add an article", locale), custom_id=_FORM.pattern)
    title: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id="title", max_length=_LONGEST_TITLE
    )
    text: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id="text", style=discord.TextStyle.paragraph, max_length=_LONGEST_TEXT
    )
    form.add_item(discord.ui.Label(text=translate("Title", locale), component=title))
    form.add_item(discord.ui.Label(text=translate("Text", locale), component=text))
    form.stop()  # Its custom_id is enough: the text arrives in article_written().
    return form


async def article_written(interaction: Used) -> None:
    """Offer to add the article of a form, also if the bot was restarted meanwhile."""
    if not form_match(interaction, _FORM):
        return
    title, text, *_ = [*values_of(interaction.data), "", ""]
    async with guarded(interaction, text):
        if await refused(interaction, articles=True, lost=text):
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        # JSON is YAML: whatever the title holds, it stays one.
        heading = json.dumps(" ".join(title.split()), ensure_ascii=False)
        data = f"---\ntitle: {heading}\n---\n\n{text}\n".encode("utf-8", "replace")
        name = f"{re.sub(r'[/.]', '-', title)}.md"
        await offer_article(interaction, name, data, text)

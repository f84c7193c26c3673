"""``/articles``, ``/show``, ``/status`` and ``/help``: looking around, always privately."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from qabot.bot.answers import made
from qabot.bot.commands.look_views import help_view, status_view
from qabot.bot.commands.permissions import may_manage_articles
from qabot.bot.interactions import UNDELIVERED
from qabot.bot.messages import LONGEST_KEY, Outgoing, notice, paged_message, view_message
from qabot.bot.rebuilds.status_rows import rebuild_rows
from qabot.errors import QabotError, SourceError
from qabot.render.discord import article_view, articles_view
from qabot.render.markup import one_line
from qabot.render.translations import mark, translate

if TYPE_CHECKING:
    from qabot.bot.client import Bot

# Discord's limits for what it offers while one types.
_MOST_CHOICES, _LONGEST_CHOICE = 25, 100

_log = logging.getLogger(__name__)


class LookCommands(commands.Cog):
    """Commands that show what there is."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @app_commands.command(
        name=mark("articles"), description=mark("List the articles that answers can quote.")
    )
    @app_commands.rename(words=mark("filter"))
    @app_commands.describe(words=mark("Words of the title, or a language."))
    async def articles(
        self,
        interaction: discord.Interaction,
        words: app_commands.Range[str, 0, LONGEST_KEY] = "",
    ) -> None:
        """List the articles."""
        await _show(interaction, lambda: articles_page(self._bot, words, 0, _locale(interaction)))

    @app_commands.command(name=mark("show"), description=mark("Read an article."))
    @app_commands.rename(article=mark("article"))
    @app_commands.describe(article=mark("Its title or id."))
    async def show(self, interaction: discord.Interaction, article: str) -> None:
        """Show an article's text."""
        await _show(interaction, lambda: article_page(self._bot, article, 0, _locale(interaction)))

    @articles.autocomplete("words")
    async def _complete_words(
        self, interaction: discord.Interaction, typed: str
    ) -> list[Choice[str]]:
        return await self._titles(typed, _locale(interaction), lambda info: info.title)

    @show.autocomplete("article")
    async def _complete_article(
        self, interaction: discord.Interaction, typed: str
    ) -> list[Choice[str]]:
        return await self._titles(typed, _locale(interaction), lambda info: info.id)

    async def _titles(
        self, typed: str, locale: str, value: Callable[[Any], str]
    ) -> list[Choice[str]]:
        try:
            infos = await asyncio.to_thread(self._bot.catalogue.fitting, typed, locale)
        except QabotError as error:
            _log.error("%s", error)
            return []
        return [
            Choice(name=_cut(info.title, _LONGEST_CHOICE), value=_cut(value(info), LONGEST_KEY))
            for info in infos[:_MOST_CHOICES]
        ]

    @app_commands.command(
        name=mark("status"), description=mark("What the answers come from, and how old it is.")
    )
    async def status(self, interaction: discord.Interaction) -> None:
        """Show what the index holds, and when it was and will be renewed."""
        locale, bot = _locale(interaction), self._bot
        manages = await may_manage_articles(bot, interaction)

        def page() -> Outgoing:
            rebuilding, plan = bot.rebuilding, bot.renewing.plan
            rows = rebuild_rows(
                rebuilding.last, plan, locale, runs=rebuilding.runs, manages=manages
            )
            return view_message(status_view(bot.engine.manifest(), locale, rows))

        await _show(interaction, page)

    @app_commands.command(
        name=mark("help"), description=mark("How to ask, and what else I can do.")
    )
    async def help(self, interaction: discord.Interaction) -> None:
        """Show how the bot is used."""
        await _show(interaction, lambda: view_message(help_view(_locale(interaction))))


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(r"qabot:(?P<what>articles|show):(?P<page>\d{1,6}):(?P<key>.*)", re.DOTALL),
):
    """Turns a page of a list or of an article."""

    def __init__(self, item: discord.ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item)
        self._page = articles_page if match["what"] == "articles" else article_page
        self._number = int(match["page"])
        self._key = match["key"]

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 (discord.py passes it)
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> PageButton:
        """The button that was pressed."""
        if not isinstance(item, discord.ui.Button):
            raise TypeError("only buttons have this name")
        return cls(item, match)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the page in place."""
        locale = _locale(interaction)
        try:
            await interaction.response.defer()
            outgoing = await made(
                lambda: self._page(interaction.client, self._key, self._number, locale), locale
            )
            await interaction.edit_original_response(**outgoing.edit_arguments())
        except UNDELIVERED as error:
            _log.info("a page could not be turned: %s", error)


def articles_page(bot: Bot, words: str, page: int, locale: str) -> Outgoing:
    """A page of the articles that fit; reads files."""
    infos = bot.catalogue.fitting(words, locale)
    title = (
        translate("Articles: {words}", locale, words=one_line(words, 100))
        if words
        else translate("Articles", locale)
    )
    view = articles_view(infos, bot.catalogue.held().counts, page, locale, title)
    return paged_message(view, "articles", words, locale)


def article_page(bot: Bot, name: str, page: int, locale: str) -> Outgoing:
    """A page of an article; reads files."""
    try:
        article = bot.engine.article(name)
    except SourceError:
        return notice(translate("There is no such article, or several begin like that.", locale))
    view = article_view(article, page, locale)
    return paged_message(view, "show", article.info.id[:LONGEST_KEY], locale)


async def _show(interaction: discord.Interaction, page: Callable[[], Outgoing]) -> None:
    """Answer privately with what ``page`` makes in a thread."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
        outgoing = await made(page, _locale(interaction))
        await interaction.edit_original_response(**outgoing.edit_arguments())
    except UNDELIVERED as error:
        _log.info("a command could not be answered: %s", error)


def _locale(interaction: discord.Interaction[Any]) -> str:
    return interaction.locale.value


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"

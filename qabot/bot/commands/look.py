"""``/articles``, ``/show``, ``/status`` and ``/help``; always private."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from qabot.bot.article_list import key_of
from qabot.bot.commands.choices import MOST_CHOICES, article_choice, words_choice
from qabot.bot.commands.controls import Control, Used, answer_privately, chosen_values
from qabot.bot.commands.look_views import help_view, status_view
from qabot.bot.commands.permissions import may_manage_articles
from qabot.bot.explanations import made
from qabot.bot.interactions import show
from qabot.bot.messages import LONGEST_KEY, Outgoing, notice, paged_message, view_message
from qabot.bot.rebuilds.status_rows import rebuild_rows
from qabot.bot.services import Services, services_of
from qabot.errors import QabotError, SourceError
from qabot.render.discord_articles import ARTICLES_ON_PAGE, article_view, articles_view
from qabot.render.markup import one_line
from qabot.render.translations import mark, translate
from qabot.types import ArticleInfo

_log = logging.getLogger(__name__)


class LookCommands(commands.Cog):
    """Commands that list and show articles, the index and the help."""

    def __init__(self, services: Services) -> None:
        self._services = services

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
        services, locale = self._services, _locale(interaction)
        await answer_privately(interaction, lambda: articles_page(services, words, 0, locale))

    @app_commands.command(name=mark("show"), description=mark("Read an article."))
    @app_commands.rename(article=mark("article"))
    @app_commands.describe(article=mark("Its title or id."))
    async def show(self, interaction: discord.Interaction, article: str) -> None:
        """Show an article's text."""
        services, locale = self._services, _locale(interaction)
        await answer_privately(interaction, lambda: article_page(services, article, 0, locale))

    @articles.autocomplete("words")
    async def _complete_words(
        self, interaction: discord.Interaction, typed: str
    ) -> list[Choice[str]]:
        infos = await self._matching(typed, _locale(interaction))
        return [words_choice(info, LONGEST_KEY) for info in infos]

    @show.autocomplete("article")
    async def _complete_article(
        self, interaction: discord.Interaction, typed: str
    ) -> list[Choice[str]]:
        infos = await self._matching(typed, _locale(interaction))
        return [article_choice(info) for info in infos]

    async def _matching(self, typed: str, locale: str) -> Sequence[ArticleInfo]:
        try:
            infos = await asyncio.to_thread(self._services.catalogue.fitting, typed, locale)
        except QabotError as error:
            _log.error("%s", error)
            return []
        return infos[:MOST_CHOICES]

    @app_commands.command(
        name=mark("status"), description=mark("What the answers come from, and how old it is.")
    )
    async def status(self, interaction: discord.Interaction) -> None:
        """Show what the index holds, and when it was and will be rebuilt."""
        locale, services = _locale(interaction), self._services
        manages = await may_manage_articles(interaction)

        def page() -> Outgoing:
            rebuilds, schedule = services.rebuilds, services.automatic.schedule
            rows = rebuild_rows(
                rebuilds.last, schedule, locale, is_running=rebuilds.is_running, manages=manages
            )
            view = status_view(services.engine.manifest(), locale, rows, manages=manages)
            return view_message(view)

        await answer_privately(interaction, page)

    @app_commands.command(
        name=mark("help"), description=mark("How to ask, and what else I can do.")
    )
    async def help(self, interaction: discord.Interaction) -> None:
        """Show how to use the bot."""
        await answer_privately(interaction, lambda: view_message(help_view(_locale(interaction))))


class PageButton(
    Control,
    template=re.compile(r"qabot:(?P<what>articles|show):(?P<page>\d{1,6}):(?P<key>.*)", re.DOTALL),
):
    """A button that turns a page of a list or an article."""

    async def act(self, interaction: Used) -> None:
        """Show the page in place."""
        services, locale = services_of(interaction), _locale(interaction)
        page = articles_page if self.match["what"] == "articles" else article_page
        number, key = int(self.match["page"]), self.match["key"]
        await interaction.response.defer()
        await show(interaction, await made(lambda: page(services, key, number, locale), locale))


class ArticleMenu(Control, template="qabot:open"):
    """A menu of articles, each of which it opens."""

    async def act(self, interaction: Used) -> None:
        """Show the chosen article, privately."""
        services, locale = services_of(interaction), _locale(interaction)
        key = next(iter(chosen_values(interaction)), "")
        await answer_privately(interaction, lambda: article_page(services, key, 0, locale))


def articles_page(services: Services, words: str, page: int, locale: str) -> Outgoing:
    """Make a page of the articles that match; reads files."""
    infos = services.catalogue.fitting(words, locale)
    title = (
        translate("Articles: {words}", locale, words=one_line(words, 100))
        if words
        else translate("Articles", locale)
    )
    view = articles_view(infos, services.catalogue.held().counts, page, locale, title)
    first = view.page * ARTICLES_ON_PAGE
    listed = infos[first : first + ARTICLES_ON_PAGE]
    return paged_message(view, "articles", words, locale, listed)


def article_page(
    services: Services, name: str, page: int, locale: str, *, offset: int | None = None
) -> Outgoing:
    """Make a page of an article; reads files.

    Args:
        offset: Show the page that holds this character instead.
    """
    try:
        article = services.engine.article(services.catalogue.article_id(name))
    except SourceError:
        return notice(translate("There is no such article, or several begin like that.", locale))
    view = article_view(article, page, locale, offset=offset)
    info = article.info
    return paged_message(
        view, "show", info.id if len(info.id) <= LONGEST_KEY else key_of(info), locale
    )


def _locale(interaction: discord.Interaction[Any]) -> str:
    return interaction.locale.value

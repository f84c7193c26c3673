"""``/rebuild``, ``/add`` and ``/remove``, for people who manage the articles."""

from __future__ import annotations

import asyncio
import logging

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from qabot.articles.formats import FORMATS
from qabot.bot.article_list import key_of
from qabot.bot.commands.choices import MOST_CHOICES, article_choice
from qabot.bot.commands.controls import Control, Used, guarded
from qabot.bot.commands.manage_views import preview_view, removal_view
from qabot.bot.commands.permissions import refused
from qabot.bot.interactions import say_privately, show
from qabot.bot.messages import Button, notice, view_message
from qabot.bot.rebuilds.progress import rebuild_after_change, rebuild_at_once
from qabot.bot.services import Services, services_of
from qabot.bot.store.uploads import LARGEST, ChangedError, known_format
from qabot.errors import QabotError, SourceError
from qabot.render.markup import inert, one_line
from qabot.render.translations import mark, number_text, translate
from qabot.types import ArticleInfo

_KNOWN = ", ".join(ending.removeprefix(".") for ending in FORMATS)

_log = logging.getLogger(__name__)


class ManageCommands(commands.Cog):
    """Commands for people with Manage Server or the role that the server named."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(
        name=mark("rebuild"), description=mark("Read the articles again and renew the index.")
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def rebuild(self, interaction: discord.Interaction) -> None:
        """Bring the index up to date."""
        async with guarded(interaction):
            if not await refused(interaction, articles=True):
                await rebuild_at_once(self._services.rebuilds, interaction)

    @app_commands.command(name=mark("add"), description=mark("Add an article from a file."))
    @app_commands.rename(file=mark("file"))
    @app_commands.describe(
        file=mark(
            "Text, Markdown, RST, HTML, PDF, DOCX, PPTX, XLSX, ODT, EPUB, CSV, EML, subtitles or a "
            "notebook."
        )
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def add(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        """Show the article read from a file, and offer to add it."""
        async with guarded(interaction):
            if not await refused(interaction, articles=True):
                await self._offer_to_add(interaction, file)

    async def _offer_to_add(
        self, interaction: discord.Interaction, file: discord.Attachment
    ) -> None:
        locale = interaction.locale.value
        problem = _file_problem(file, locale)
        if problem or not self._services.rebuilds.is_offered:
            closed = translate("Articles cannot be added from Discord.", locale)
            await say_privately(interaction, problem or closed)
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            # Discord's file addresses expire.
            data = await file.read()
        except discord.HTTPException as error:
            _log.info("a file could not be fetched: %s", error)
            said = translate("Discord did not give me the file. Try again.", locale)
            await say_privately(interaction, said)
            return
        await offer_article(interaction, file.filename, data)

    @app_commands.command(
        name=mark("remove"), description=mark("Remove an article that was added in Discord.")
    )
    @app_commands.rename(article=mark("article"))
    @app_commands.describe(article=mark("Its title or id."))
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def remove(self, interaction: discord.Interaction, article: str) -> None:
        """Show an article, and offer to remove it."""
        async with guarded(interaction):
            if not await refused(interaction, articles=True):
                await self._offer_to_remove(interaction, article)

    async def _offer_to_remove(self, interaction: discord.Interaction, article: str) -> None:
        locale = interaction.locale.value
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            info = await asyncio.to_thread(self._removable, article)
        except SourceError:
            said = translate(
                "No such article was added in Discord. Whoever runs me removes the others.", locale
            )
            await say_privately(interaction, said)
            return
        outgoing = view_message(
            removal_view(info, locale),
            [
                _button(translate("Remove", locale), f"qabot:remove:{key_of(info)}", "danger"),
                _button(translate("Cancel", locale), f"qabot:drop:{key_of(info)}"),
            ],
        )
        await show(interaction, outgoing)

    @remove.autocomplete("article")
    async def _complete_article(
        self, interaction: discord.Interaction, typed: str
    ) -> list[Choice[str]]:
        try:
            infos = await asyncio.to_thread(self._added, typed, interaction.locale.value)
        except QabotError as error:
            _log.error("%s", error)
            return []
        return [article_choice(info) for info in infos[:MOST_CHOICES]]

    def _added(self, typed: str, locale: str) -> list[ArticleInfo]:
        """Find articles added in Discord that match the typed text; reads files."""
        found = self._services.catalogue.fitting(typed, locale)
        return [info for info in found if self._services.uploads.holds(info)]

    def _removable(self, name: str) -> ArticleInfo:
        article_id = self._services.catalogue.article_id(name)
        info = self._services.engine.article(article_id).info
        if not self._services.uploads.holds(info):
            raise SourceError(f"{info.id}: not added in Discord")
        return info


async def offer_article(interaction: Used, filename: str, data: bytes, lost: str = "") -> None:
    """Show the article read from a file, with a button that adds it; after deferring.

    Args:
        lost: What the person typed; it is given back if it is no article.
    """
    services, locale = services_of(interaction), interaction.locale.value
    try:
        waiting = await services.slowly(lambda: services.uploads.put_aside(filename, data))
    except SourceError as error:
        said = translate("I cannot read this file as an article:", locale)
        await say_privately(interaction, f"{said} {one_line(str(error), 500)}", lost)
        return
    outgoing = view_message(
        preview_view(waiting.name, waiting.article, locale, replaces=waiting.replaces),
        [
            _button(translate("Add", locale), f"qabot:add:{waiting.token}", "success"),
            _button(translate("Cancel", locale), f"qabot:drop:{waiting.token}"),
        ],
    )
    await show(interaction, outgoing)


class ConfirmButton(Control, template=r"qabot:(?P<what>add|drop|remove):(?P<key>[\w-]{16,20})"):
    """A button that confirms or cancels an offer of ``/add`` or ``/remove``."""

    async def act(self, interaction: Used) -> None:
        """Do it if the person may still do that, and rebuild the index."""
        if await refused(interaction, articles=True):
            return
        services, locale = services_of(interaction), interaction.locale.value
        what, key = self.match["what"], self.match["key"]
        await interaction.response.defer()
        if what == "drop":
            await asyncio.to_thread(services.uploads.drop, key)
            said = translate("Nothing was changed.", locale)
        else:
            try:
                if await asyncio.to_thread(_apply, services, what, key):
                    kept = _kept(what, locale)
                    await rebuild_after_change(services.rebuilds, interaction, kept)
                    return
                said = translate("That is no longer there. Please begin again.", locale)
            except ChangedError as error:
                said = translate(
                    "Somebody else has changed {name} since. Please begin again.",
                    locale,
                    name=inert(str(error)),
                )
        await show(interaction, notice(said))


def _kept(what: str, locale: str) -> str:
    """Say what became of a file although the rebuild failed."""
    rebuild = translate("rebuild", locale)
    if what == "add":
        return translate(
            "The file is kept; `/{rebuild}` puts it into the answers.", locale, rebuild=rebuild
        )
    return translate(
        "The file is removed; `/{rebuild}` takes it out of the answers.", locale, rebuild=rebuild
    )


def _apply(services: Services, what: str, key: str) -> bool:
    """Add or remove a file; ``False`` if it is no longer there."""
    uploads = services.uploads
    if what == "add":
        return uploads.confirm(key) is not None
    for info in services.engine.articles():
        if key_of(info) == key and uploads.holds(info):
            uploads.remove(info)
            return True
    return False


def _file_problem(file: discord.Attachment, locale: str) -> str | None:
    """Say why a file is refused, by its name and size; ``None`` if it is taken."""
    if not known_format(file.filename):
        return translate(
            "I can read files that end in {endings}; this one is called {name}.",
            locale,
            endings=_KNOWN,
            name=one_line(file.filename, 100),
        )
    if file.size > LARGEST:
        return translate(
            "The file has {size} MiB; I take {largest} at most.",
            locale,
            size=number_text(-(-file.size // 2**20), locale),
            largest=number_text(LARGEST // 2**20, locale),
        )
    if not file.size:
        return translate("The file is empty.", locale)
    return None


def _button(label: str, custom_id: str, style: str = "secondary") -> Button:
    return discord.ui.Button(label=label, custom_id=custom_id, style=discord.ButtonStyle[style])

"""``/ask`` and the message menu "Ask the articles about this"."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.answers import Asked
from qabot.bot.channels import collection_of, elsewhere_text, may_answer
from qabot.bot.message_text import question_of
from qabot.bot.replies import InteractionReply
from qabot.bot.services import Services, services_of
from qabot.errors import QabotError
from qabot.render.translations import mark

_log = logging.getLogger(__name__)

# Discord's limit for autocompletion.
_MOST_CHOICES = 25
_NAME, _ABOUT = mark("ask"), mark("Ask the articles; the answer quotes them.")
_QUESTION, _PRIVATE = mark("In any language."), mark("Whether only you see the answer.")


class AskCommands(commands.Cog):
    """Commands that ask.

    Args:
        tree: Takes the commands that depend on the index.
        collections: True if a question can be limited to a collection.
    """

    def __init__(
        self, tree: app_commands.CommandTree[Any], services: Services, *, collections: bool
    ) -> None:
        self._tree = tree
        self._services = services
        command: app_commands.Command[Any, ..., None]
        if collections:
            command = app_commands.Command(name=_NAME, description=_ABOUT, callback=self.ask_in)
            command.autocomplete("collection")(self._complete_collection)
        else:
            command = app_commands.Command(name=_NAME, description=_ABOUT, callback=self.ask)
        menu = app_commands.ContextMenu(
            name=mark("Ask the articles about this"), callback=self.ask_about
        )
        self._commands = command, menu

    async def cog_load(self) -> None:
        """Add the commands that depend on the index, and the menu: discord.py leaves both to us."""
        for command in self._commands:
            self._tree.add_command(command)

    @app_commands.rename(question=mark("question"), private=mark("private"))
    @app_commands.describe(question=_QUESTION, private=_PRIVATE)
    async def ask(
        self, interaction: discord.Interaction, question: str, private: bool | None = None
    ) -> None:
        """Answer a question."""
        await ask(interaction, question, private=private)

    @app_commands.rename(
        question=mark("question"), private=mark("private"), collection=mark("collection")
    )
    @app_commands.describe(
        question=_QUESTION,
        private=_PRIVATE,
        collection=mark("Which articles to ask; all where left out."),
    )
    async def ask_in(
        self,
        interaction: discord.Interaction,
        question: str,
        private: bool | None = None,
        collection: str | None = None,
    ) -> None:
        """Answer a question, from one collection if the person names it."""
        if collection is not None:
            collection = await self._collection(collection)
        await ask(interaction, question, private=private, collection=collection)

    async def _collection(self, typed: str) -> str:
        """Return the only collection that fits; the text as it is if none or several do."""
        with contextlib.suppress(QabotError):
            names = await asyncio.to_thread(self._services.engine.collections)
            found = [typed] if typed in names else _fitting(names, typed)
            return found[0] if len(found) == 1 else typed
        return typed

    async def _complete_collection(
        self,
        interaction: discord.Interaction,  # noqa: ARG002 (discord.py passes it)
        typed: str,
    ) -> list[app_commands.Choice[str]]:
        try:
            names = await asyncio.to_thread(self._services.engine.collections)
        except QabotError as error:
            _log.error("%s", error)
            return []
        found = _fitting(names, typed)[:_MOST_CHOICES]
        return [app_commands.Choice(name=name, value=name) for name in found]

    async def ask_about(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Answer a message's text as a question."""
        await ask(interaction, await question_of(message, interaction.client.user))


def _fitting(names: Sequence[str], typed: str) -> Sequence[str]:
    """Return the names of collections that hold the typed text."""
    return [name for name in names if typed.strip().casefold() in name.casefold()]


async def ask(
    interaction: discord.Interaction[Any],
    question: str,
    *,
    private: bool | None = None,
    collection: str | None = None,
) -> None:
    """Answer a question from an interaction.

    Args:
        private: Show the answer to this person only; the guild's setting if ``None``.
        collection: Search this collection; the channel's collection if ``None``.
    """
    services = services_of(interaction)
    settings = await services.guild_settings.settings(interaction.guild_id)
    channel = interaction.channel
    locale = interaction.locale.value
    reply = InteractionReply(
        interaction,
        private=settings.private if private is None else private,
        threads=settings.threads,
    )
    if not may_answer(channel, settings):
        await reply.refuse(elsewhere_text(settings, locale), question)
        return
    asked = Asked(
        text=question,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        locale=locale,
        collection=collection or collection_of(channel, settings),
    )
    await services.answering.answer(asked, reply)

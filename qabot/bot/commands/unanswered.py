"""``/unanswered``: what people asked in a server and the articles did not answer."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from qabot.bot.alike import Group, grouped
from qabot.bot.commands.controls import guarded
from qabot.bot.commands.new_article import add_button
from qabot.bot.commands.permissions import may_manage_articles, refused
from qabot.bot.interactions import show
from qabot.bot.messages import Outgoing, notice, view_message
from qabot.bot.services import Services
from qabot.render.discord import LONGEST_TEXT, View
from qabot.render.markup import one_line
from qabot.render.translations import mark, number_text, plural, translate
from qabot.text import printable

SECONDS_BACK = 31 * 24 * 3600.0
# Older ones of a month with more are left out.
_MOST = 5000
_WORDING, _OTHERS = 200, 3
_FILE = "unanswered.txt"


class UnansweredCommand(commands.Cog):
    """The command that shows which articles are missing."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(
        name=mark("unanswered"),
        description=mark("What was asked here in the last month and not found."),
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def unanswered(self, interaction: discord.Interaction) -> None:
        """List the questions that were not answered."""
        async with guarded(interaction):
            if await refused(interaction):
                return
            await interaction.response.defer(ephemeral=True, thinking=True)
            services, locale = self._services, interaction.locale.value
            adds = services.rebuilds.is_offered and await may_manage_articles(interaction)
            guild_id = interaction.guild_id or 0
            since = discord.utils.utcnow().timestamp() - SECONDS_BACK

            def message() -> Outgoing:
                asked = services.state.unanswered(guild_id, since, _MOST)
                groups = grouped(asked, services.engine.encoder)
                return _message(groups, locale, logs=services.settings.log_questions, adds=adds)

            await show(interaction, await services.slowly(message))


def _message(groups: Sequence[Group], locale: str, *, logs: bool, adds: bool) -> Outgoing:
    """Show the groups as text and as a file.

    Args:
        logs: True if questions are kept.
        adds: True if the person may add articles.
    """
    if not groups:
        return notice(_nothing(locale, logs=logs))
    outgoing = view_message(unanswered_view(groups, locale), [add_button(locale)] if adds else [])
    return Outgoing(outgoing.content, outgoing.embeds, outgoing.rows, (_FILE, file_text(groups)))


def _nothing(locale: str, *, logs: bool) -> str:
    if logs:
        return translate("Of the last month, I know no question that was not answered.", locale)
    return translate(
        "I keep no questions. Whoever runs me can change that by the setting "
        "`log_questions = true`.",
        locale,
    )


def unanswered_view(groups: Sequence[Group], locale: str) -> View:
    """Show the groups that fit, each with its number of questions and some of their wordings."""
    parts: list[str] = []
    room = LONGEST_TEXT
    for group in groups:
        part = _entry(group, locale)
        room -= len(part) + 2
        if room < 0:
            break
        parts.append(part)
    total = sum(group.count for group in groups)
    footer = plural(
        "{count} question in the last month",
        "{count} questions in the last month",
        total,
        locale,
        count=number_text(total, locale),
    )
    if len(parts) < len(groups):
        more = translate("the file holds all", locale)
        footer = f"{footer} · {more}"
    return View(translate("Unanswered questions", locale), tuple(parts), footer)


def _entry(group: Group, locale: str) -> str:
    first, *others = (one_line(wording, _WORDING) for wording in group.wordings)
    lines = [f"**{number_text(group.count, locale)} ×** {first}"]
    named = [f"“{wording}”" for wording in others[:_OTHERS]]
    named += [f"+ {number_text(len(others) - _OTHERS, locale)}"] * (len(others) > _OTHERS)
    when = f"<t:{int(group.last)}:R>"
    lines.append(" · ".join([when, *named]))
    return "\n".join(lines)


def file_text(groups: Sequence[Group]) -> str:
    """Write all groups: a line for each, and its other wordings below."""
    lines = []
    for group in groups:
        first, *others = (" ".join(printable(wording).split()) for wording in group.wordings)
        lines += [f"{group.count} × {first}", *(f"    {other}" for other in others)]
    return "\n".join([*lines, ""])

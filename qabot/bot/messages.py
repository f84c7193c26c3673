"""The one place where what was rendered becomes Discord's objects: embeds and buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord

from qabot.render.markup import one_line, quote_block
from qabot.types import Answer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it is sent, or put in the place of another.

    Attributes:
        content: Text beside the embeds.
        rows: Buttons, by row.
    """

    content: str | None = None
    embeds: tuple[discord.Embed, ...] = ()
    rows: tuple[tuple[discord.ui.Button[Any], ...], ...] = ()

    def arguments(self) -> dict[str, Any]:
        """What to send it with."""
        arguments: dict[str, Any] = {}
        if self.content is not None:
            arguments["content"] = self.content
        if self.embeds:
            arguments["embeds"] = list(self.embeds)
        if self.rows:
            arguments["view"] = self._view()
        return arguments

    def edit_arguments(self) -> dict[str, Any]:
        """What to edit a message with, so that nothing of it stays."""
        return {
            "content": self.content,
            "embeds": list(self.embeds),
            "view": self._view() if self.rows else None,
        }

    def _view(self) -> discord.ui.View:
        view = discord.ui.View(timeout=None)
        for number, row in enumerate(self.rows):
            for button in row:
                button.row = number
                view.add_item(button)
        # discord.py keeps no finished view: the buttons' names say all that is needed, for a month
        # and through restarts.
        view.stop()
        return view


def answer_message(answer: Answer, answer_id: str, page: int, locale: str) -> Outgoing:
    """An answer's page with its buttons."""
    embed = discord.Embed(title=one_line(answer.question, 256))
    embed.description = "\n\n".join(quote_block(quote.text) for quote in answer.quotes[:3])
    return Outgoing(embeds=(embed,))


def notice(text: str) -> Outgoing:
    """A line of the bot's own."""
    return Outgoing(content=text)

"""Turns rendered views into Discord's objects: embeds and buttons.

A button's ``custom_id`` holds all that its answer needs, so no message is kept in memory:
``qabot:ACTION:…``, parsed again in ``buttons``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from qabot.render.discord import View, answer_view
from qabot.render.translations import translate
from qabot.types import Answer

Button = discord.ui.Button[Any]

_COLOUR = 0x5865F2
# Discord takes 100 characters; the page number and the words around it need some of them.
LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send, or to edit another into.

    Attributes:
        content: Text beside the embeds.
        rows: Buttons, at most five in a row.
    """

    content: str | None = None
    embeds: tuple[discord.Embed, ...] = ()
    rows: tuple[tuple[Button, ...], ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a send."""
        arguments: dict[str, Any] = {}
        if self.content is not None:
            arguments["content"] = self.content
        if self.embeds:
            arguments["embeds"] = list(self.embeds)
        if self.rows:
            arguments["view"] = self._view()
        return arguments

    def edit_arguments(self) -> dict[str, Any]:
        """Return the arguments of an edit that leaves nothing of the old message."""
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
        # discord.py keeps no finished view in memory.
        view.stop()
        return view


def notice(text: str) -> Outgoing:
    """Make a message of plain text."""
    return Outgoing(content=text)


def view_message(view: View, *rows: Sequence[Button]) -> Outgoing:
    """Make a message from a view, with buttons below it."""
    embed = discord.Embed(title=view.title, description=view.text, colour=_COLOUR)
    if view.footer:
        embed.set_footer(text=view.footer)
    return Outgoing(embeds=(embed,), rows=tuple(tuple(row) for row in rows if row))


def answer_message(
    answer: Answer, answer_id: str | None, page: int, locale: str, *, per_page: int
) -> Outgoing:
    """Make a page of an answer with its buttons.

    Args:
        answer_id: The buttons' key; ``None`` if the answer could not be kept, which leaves out
            the buttons.
        page: From 0.
        per_page: The most quotes on a page.
    """
    view = answer_view(answer, page, locale, per_page=per_page, near=answer.near)
    if answer_id is None:
        return view_message(view)
    turns = _turns(view, translate("Previous quotes", locale), translate("More quotes", locale))
    paging = [_button(label, f"qabot:page:{answer_id}:{page}") for label, page in turns]
    return view_message(
        view,
        [*paging, *_going_on(answer_id, locale)],
        _contexts(view, answer_id, locale, numbered=len(answer.quotes) > 1),
    )


def paged_message(view: View, action: str, key: str, locale: str) -> Outgoing:
    """Make a page of a list of articles or of an article, which each button looks up again.

    Args:
        action: The buttons' action.
        key: The words or id that they look up; at most ``LONGEST_KEY`` characters.
    """
    turns = _turns(view, translate("Previous page", locale), translate("Next page", locale))
    return view_message(
        view, [_button(label, f"qabot:{action}:{page}:{key}") for label, page in turns]
    )


def _turns(view: View, back: str, on: str) -> list[tuple[str, int]]:
    """Return the labels and numbers of the pages before and after this one."""
    turns = []
    if view.page > 0:
        turns.append((f"◂ {back}", view.page - 1))
    if view.page + 1 < view.pages:
        turns.append((f"{on} ▸", view.page + 1))
    return turns


def _going_on(answer_id: str, locale: str) -> list[Button]:
    return [
        _button(
            translate("Follow-up question", locale),
            f"qabot:follow:{answer_id}",
            style=discord.ButtonStyle.primary,
        ),
        _button(translate("Helpful", locale), f"qabot:helpful:{answer_id}", emoji="👍"),
        _button(translate("Not helpful", locale), f"qabot:unhelpful:{answer_id}", emoji="👎"),
    ]


def _contexts(view: View, answer_id: str, locale: str, *, numbered: bool) -> list[Button]:
    """Make a button for each quote on the page."""
    label = translate("Context", locale)
    return [
        _button(
            f"{label} {place + 1}" if numbered else label,
            f"qabot:context:{answer_id}:{place}",
            emoji="📖",
        )
        for place in view.places
    ]


def _button(
    label: str,
    custom_id: str,
    *,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    emoji: str | None = None,
) -> Button:
    return discord.ui.Button(label=label, custom_id=custom_id, style=style, emoji=emoji)

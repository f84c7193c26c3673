"""The one place where what was rendered becomes Discord's objects: embeds and buttons.

A button's ``custom_id`` says all that is needed to answer it, so nothing of a message is kept in
memory: ``qabot:ACTION:…``, read again in ``buttons``.
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
# Discord takes 100 characters; a page's number and the words around it need some of them.
LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it is sent, or put in the place of another.

    Attributes:
        content: Text beside the embeds.
        rows: Buttons, five in a row at most.
    """

    content: str | None = None
    embeds: tuple[discord.Embed, ...] = ()
    rows: tuple[tuple[Button, ...], ...] = ()

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
        """What to edit a message with, so that nothing of the old one stays."""
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
    """A line of the bot's own."""
    return Outgoing(content=text)


def view_message(view: View, *rows: Sequence[Button]) -> Outgoing:
    """A rendered view, with buttons below it."""
    embed = discord.Embed(title=view.title, description=view.text, colour=_COLOUR)
    if view.footer:
        embed.set_footer(text=view.footer)
    return Outgoing(embeds=(embed,), rows=tuple(tuple(row) for row in rows if row))


def answer_message(
    answer: Answer, answer_id: str | None, page: int, locale: str, *, per_page: int
) -> Outgoing:
    """A page of an answer with its buttons.

    Args:
        answer_id: What the buttons find it by; ``None`` where it could not be kept, and then
            there are none.
        page: From 0.
        per_page: The most quotes on it.
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
    """A page of what is looked up again for each page: a list of articles, or an article.

    Args:
        action: What the buttons do.
        key: What they look up; ``LONGEST_KEY`` characters at most.
    """
    turns = _turns(view, translate("Previous page", locale), translate("Next page", locale))
    return view_message(
        view, [_button(label, f"qabot:{action}:{page}:{key}") for label, page in turns]
    )


def _turns(view: View, back: str, on: str) -> list[tuple[str, int]]:
    """The pages that one may turn to, with what to call that."""
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
    """One button for each quote that is shown."""
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

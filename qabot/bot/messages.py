"""Turns rendered views into Discord's objects: embeds and buttons.

A button's ``custom_id`` holds all that its answer needs, so no message is kept in memory:
``qabot:ACTION:…``, parsed again in ``buttons``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from qabot.bot.article_list import article_name, key_of
from qabot.render.discord import MOST_NEAR, View, answer_view
from qabot.render.markup import web_address
from qabot.render.translations import translate
from qabot.types import Answer, ArticleInfo

Button = discord.ui.Button[Any]
Item = discord.ui.Item[Any]

_COLOUR = 0x5865F2
_LONGEST_OPTION, _MOST_IN_ROW = 100, 5
# Discord takes 100 characters; the page number and the words around it need some of them.
LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send, or to edit another into.

    Attributes:
        content: Text beside the embeds.
        rows: Buttons, at most five in a row, or one menu.
        file: The name and text of a file.
    """

    content: str | None = None
    embeds: tuple[discord.Embed, ...] = ()
    rows: tuple[tuple[Item, ...], ...] = ()
    file: tuple[str, str] | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a send."""
        arguments: dict[str, Any] = {}
        if self.content is not None:
            arguments["content"] = self.content
        if self.embeds:
            arguments["embeds"] = list(self.embeds)
        if self.rows:
            arguments["view"] = self._view()
        if self.file:
            arguments["files"] = self._files()
        return arguments

    def edit_arguments(self) -> dict[str, Any]:
        """Return the arguments of an edit that leaves nothing of the old message."""
        return {
            "content": self.content,
            "embeds": list(self.embeds),
            "view": self._view() if self.rows else None,
            "attachments": self._files(),
        }

    def _files(self) -> list[discord.File]:
        if self.file is None:
            return []
        name, text = self.file
        return [discord.File(io.BytesIO(text.encode("utf-8", "replace")), name)]

    def _view(self) -> discord.ui.View:
        view = discord.ui.View(timeout=None)
        for number, row in enumerate(self.rows):
            for item in row:
                item.row = number
                view.add_item(item)
        # discord.py keeps no finished view in memory.
        view.stop()
        return view


def notice(text: str) -> Outgoing:
    """Make a message of plain text."""
    return Outgoing(content=text)


def view_message(view: View, *rows: Sequence[Item]) -> Outgoing:
    """Make a message from a view, with buttons below it."""
    embed = discord.Embed(title=view.title or None, description=view.text or None, colour=_COLOUR)
    if view.footer:
        embed.set_footer(text=view.footer)
    shown = (embed,) if view.title or view.text else ()
    return Outgoing(view.lead or None, shown, tuple(tuple(row) for row in rows if row))


def answer_message(
    answer: Answer,
    answer_id: str | None,
    page: int,
    locale: str,
    *,
    per_page: int,
    shows_question: bool,
    person: str = "",
) -> Outgoing:
    """Make a page of an answer with its buttons.

    Args:
        answer_id: The buttons' key; ``None`` if the answer could not be kept, which leaves out
            the buttons.
        page: From 0.
        per_page: The most quotes on a page after the first.
        shows_question: True if the question is to be repeated.
        person: A mention of the channel or role that knows more, if nothing was found.
    """
    view = answer_view(answer, page, locale, per_page=per_page, near=answer.near)
    if not shows_question:
        view = replace(view, title="")
    if answer.status == "not_found" and person:
        asked = translate("Ask a person: {person}", locale, person=person)
        view = replace(view, lead=f"{view.lead}\n{asked}")
    if answer_id is None:
        return view_message(view)
    if answer.status == "not_found":
        return view_message(view, *_rows_of_none(answer, answer_id, locale))
    return view_message(view, *_rows(view, answer, answer_id, locale))


def _rows_of_none(answer: Answer, answer_id: str, locale: str) -> list[list[Item]]:
    """Make the buttons under "not found"."""
    browse = _button(translate("Browse articles", locale), f"qabot:browse:{answer_id}")
    near = [info for info in answer.near[:MOST_NEAR] if _is_closed(info)]
    buttons: list[Item] = [_follow_up(answer_id, locale), browse, _dismiss(answer_id, locale)]
    return [buttons, article_menu(near, locale)]


def _rows(view: View, answer: Answer, answer_id: str, locale: str) -> list[list[Item]]:
    """Make the buttons under quotes."""
    turns = _turns(view, translate("Previous quotes", locale), translate("More quotes", locale))
    paging = [_button(label, f"qabot:page:{answer_id}:{page}") for label, page in turns]
    ratings = [
        _button("", f"qabot:helpful:{answer_id}", emoji="👍"),
        _button("", f"qabot:unhelpful:{answer_id}", emoji="👎"),
    ]
    contexts = _contexts(view, answer, answer_id, locale)
    dismiss = _dismiss(answer_id, locale)
    first: list[Item] = [*paging, _follow_up(answer_id, locale)]
    second: list[Item] = [*ratings, dismiss]
    if len(view.places) == 1:
        second, contexts = [*ratings, *contexts, dismiss], []
    if len(first) + len(second) <= _MOST_IN_ROW:
        first, second = [*first, *second], []
    return [first, second, contexts]


def context_message(view: View, answer_id: str, place: int, locale: str) -> Outgoing:
    """Make a quote's context, with a button that opens the article there."""
    return view_message(view, [_read_button(answer_id, place, locale)])


def paged_message(
    view: View, action: str, key: str, locale: str, listed: Sequence[ArticleInfo] = ()
) -> Outgoing:
    """Make a page of a list of articles or of an article, which each button looks up again.

    Args:
        action: The buttons' action.
        key: The words or id that they look up; at most ``LONGEST_KEY`` characters.
        listed: Articles that a menu opens; at most 25.
    """
    turns = _turns(view, translate("Previous page", locale), translate("Next page", locale))
    buttons = [_button(label, f"qabot:{action}:{page}:{key}") for label, page in turns]
    return view_message(view, article_menu(listed, locale), buttons)


def article_menu(infos: Sequence[ArticleInfo], locale: str) -> list[Item]:
    """Make a menu that opens articles; empty if there is none."""
    if not infos:
        return []
    label = translate("Read the article", locale)
    options = [
        discord.SelectOption(label=article_name(info, _LONGEST_OPTION), value=key_of(info))
        for info in infos
    ]
    menu: discord.ui.Select[Any] = discord.ui.Select(
        custom_id="qabot:open", placeholder=f"📄 {label} …", options=options
    )
    return [menu]


def _turns(view: View, back: str, on: str) -> list[tuple[str, int]]:
    """Return the labels and numbers of the pages before and after this one."""
    turns = []
    if view.page > 0:
        turns.append((f"◂ {back}", view.page - 1))
    if view.page + 1 < view.pages:
        turns.append((f"{on} ▸", view.page + 1))
    return turns


def _contexts(view: View, answer: Answer, answer_id: str, locale: str) -> list[Item]:
    """Make the way to the context of the quotes on the page, and to articles without an address.

    Of one quote, these are buttons; of several, they are one menu.
    """
    label = translate("Context", locale)
    if len(view.places) == 1:
        [place] = view.places
        context = _button(label, f"qabot:context:{answer_id}:{place}", emoji="📖")
        is_closed = _is_closed(answer.quotes[place].article)
        return [context, *([_read_button(answer_id, place, locale)] if is_closed else [])]
    read = translate("Read the article", locale)
    options: list[discord.SelectOption] = []
    closed: dict[str, int] = {}
    for place in view.places:
        info = answer.quotes[place].article
        name = f"{place + 1} · {article_name(info, _LONGEST_OPTION)}"[:_LONGEST_OPTION]
        options.append(discord.SelectOption(label=name, value=str(place), emoji="📖"))
        if _is_closed(info):
            closed.setdefault(info.id, place)
    for place in closed.values():
        name = article_name(answer.quotes[place].article, _LONGEST_OPTION)
        options.append(
            discord.SelectOption(label=name, value=f"read:{place}", description=read, emoji="📄")
        )
    menu: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=f"qabot:contexts:{answer_id}", placeholder=f"📖 {label} …", options=options
    )
    return [menu]


def _follow_up(answer_id: str, locale: str) -> Button:
    label, style = translate("Follow-up question", locale), discord.ButtonStyle.primary
    return _button(label, f"qabot:follow:{answer_id}", style=style)


def _dismiss(answer_id: str, locale: str) -> Button:
    return _button(translate("Dismiss", locale), f"qabot:dismiss:{answer_id}", emoji="✖️")


def _read_button(answer_id: str, place: int, locale: str) -> Button:
    """Make the button that opens the article of a quote, there."""
    label = translate("Read the article", locale)
    return _button(label, f"qabot:read:{answer_id}:{place}", emoji="📄")


def _is_closed(info: ArticleInfo) -> bool:
    """Return whether the title of an article has no link: a button has to open it."""
    return web_address(info.url) is None


def _button(
    label: str,
    custom_id: str,
    *,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    emoji: str | None = None,
) -> Button:
    return discord.ui.Button(label=label or None, custom_id=custom_id, style=style, emoji=emoji)

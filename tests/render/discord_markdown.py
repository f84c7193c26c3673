"""How Discord's clients read a message: an oracle for what people see of it.

Written after the rules that the clients apply, in their order, at every character (a client skips
over words, so this is the stricter reading). Only backslashes, bold and block quotes are
understood; anything else that a client would format, link or mention is a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS = {
    "heading": r"#{1,3} +\S",
    "subtext": r"-# +\S",
    "list": r" *(?:[-*+]|\d+\.) +\S",
    "quote": r"(?:>>>|>) ",
}
_FAULTS = {
    "code": r"`+[^`]",
    "address": r"https?://[^\s<]",
    "angle address": r"<[^: >]+:/[^ >]+>",
    "invitation": r"discord(?:app)?\.(?:gg|com)/\w",
    "masked link": r"\[[^\]]*\]\(",
    "user": r"<@!?\d+>",
    "role": r"<@&\d+>",
    "channel": r"<#\d+>",
    "command": r"</[^>]+:\d+>",
    "guide": r"<id:\w+>",
    "timestamp": r"<t:-?\d+(?::\w)?>",
    "custom emoji": r"<a?:\w+:\d+>",
    "emoji": r":[^\s:]+?:",
    "everyone": r"@(?:everyone|here)",
    "spoiler": r"\|\|[\s\S]+?\|\|",
    "underline": r"__[\s\S]+?__",
    "italics": r"_[^_]+_|\*(?=[^\s*])[^*]+\*(?!\*)",
    "strike": r"~~[\s\S]+?~~",
}

_RIGHT_TO_LEFT = "\u200f"


def _any(patterns: dict[str, str]) -> re.Pattern[str]:
    groups = (f"(?P<{name.replace(' ', '_')}>{pattern})" for name, pattern in patterns.items())
    return re.compile("|".join(groups), re.IGNORECASE)


_MARK, _FAULT = _any(_MARKS), _any(_FAULTS)
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_BOLD = re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)")
# What Discord's servers look for in the raw text to tell whom to notify.
_PINGS = re.compile(r"<@[!&]?\d+>|@everyone|@here")


@dataclass(frozen=True)
class Shown:
    """The visible text, and the places of its bold characters."""

    text: str
    bold: frozenset[int]

    @property
    def bold_text(self) -> str:
        return "".join(self.text[place] for place in sorted(self.bold))


def shown(markdown: str) -> Shown:
    """The visible text of markup that must format nothing but bold."""
    assert not _PINGS.search(markdown), f"pings: {markdown!r}"
    characters: list[tuple[str, bool]] = []
    _read(markdown, bold=False, into=characters)
    text = "".join(character for character, _ in characters)
    return Shown(text, frozenset(n for n, (_, bold) in enumerate(characters) if bold))


def shown_quote(markdown: str) -> Shown:
    """The visible text of a block quote; every line must belong to it."""
    lines = markdown.split("\n")
    for line in lines:
        assert line.startswith("> "), f"outside of the quote: {line!r}"
    return shown("\n".join(_undirected(line[2:]) for line in lines))


def _undirected(line: str) -> str:
    """A line without the invisible marks that keep punctuation at its ends."""
    marked = len(line) > 1 and line[0] == line[-1] == _RIGHT_TO_LEFT
    return line[1:-1] if marked else line


def _read(text: str, *, bold: bool, into: list[tuple[str, bool]]) -> None:
    place = 0
    while place < len(text):
        _check(text, place)
        if match := _ESCAPE.match(text, place):
            into.append((match[1], bold))
        elif match := _BOLD.match(text, place):
            assert not bold, f"bold within bold: {text!r}"
            _read(match[1], bold=True, into=into)
        else:
            into.append((text[place], bold))
        place = match.end() if match else place + 1


def _check(text: str, place: int) -> None:
    starts_line = place == 0 or text[place - 1] in "\n\r\u2028\u2029"
    fault = _FAULT.match(text, place) or (starts_line and _MARK.match(text, place))
    assert not fault, f"{fault.lastgroup}: {text[place:]!r}"

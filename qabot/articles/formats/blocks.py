"""Trees of elements to blocks: one walk for pages, books and office documents.

The walk knows no format. A ``Vocabulary`` says what the tags of one mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from qabot.articles.formats.draft import Block, one_line

_BLANKS = re.compile(r"[ \t\n]+")

Role = Literal["heading", "line", "block", "list", "row", "verbatim", "break", "blank", "nothing"]
"""What an element is: a heading; running text, where line ends are blanks; anything else that
stands by itself; a list or table, whose blocks stand close together; a table's row; text that is
kept as it is; the end of a line; a blank; and what is not read."""


class Element(Protocol):
    """As much of lxml's elements as is read here."""

    tag: object
    text: str | None
    tail: str | None

    def __iter__(self) -> Iterator[Element]: ...

    def get(self, key: str, default: str = "") -> str:
        """An attribute."""

    def itertext(self) -> Iterator[str]:
        """All texts in it, in order."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the tags of a format mean.

    Attributes:
        roles: Tag → role; elements with other tags are looked through.
        level: The level of a heading, 1 to 6, or ``None`` for what is none after all; asked of
            elements with the roles ``heading`` and ``line``.
    """

    roles: Mapping[str, Role]
    level: Callable[[Element], int | None]


def blocks_of(root: Element, vocabulary: Vocabulary) -> Sequence[Block]:
    """The blocks of ``root`` and all below it; text outside of any block is one, too."""
    writer = _Writer(vocabulary)
    writer.walk(root, inline=False)
    writer.end()
    return writer.blocks


class _Writer:
    """Walks a tree and gathers its blocks."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.blocks: list[Block] = []
        self._vocabulary = vocabulary
        self._pieces: list[str] = []
        self._lists = 0
        self._tight = False

    def walk(self, element: Element, *, inline: bool) -> None:
        """Add ``element`` and all below it; ``inline`` says that it stands in running text."""
        if not isinstance(element.tag, str):  # Comments and instructions have functions for tags.
            return
        role = self._vocabulary.roles.get(element.tag)
        if role == "nothing":
            return
        if role == "break":
            self._pieces.append("\n")
        elif role == "blank":
            self._pieces.append(" ")
        elif role == "row":
            self._row(element)
        elif role == "verbatim" and not inline:
            self.end()
            self._add(Block("".join(element.itertext())))
        elif role in ("heading", "line", "block", "list"):
            self._block(element, role)
        else:
            self._content(element, inline=inline)

    def end(self, level: int | None = None) -> None:
        """End the block that is being gathered."""
        lines = "".join(self._pieces).split("\n")
        text = "\n".join(filter(None, (_BLANKS.sub(" ", line).strip() for line in lines)))
        self._pieces.clear()
        if text:
            self._add(Block(text, level))

    def _add(self, block: Block) -> None:
        self.blocks.append(Block(block.text, block.level, self._tight))
        self._tight = self._lists > 0

    def _block(self, element: Element, role: Role) -> None:
        self.end()
        nested = role == "list"
        if nested:
            self._tight = self._tight and self._lists > 0
            self._lists += 1
        self._content(element, inline=role in ("heading", "line"))
        self.end(self._vocabulary.level(element) if role in ("heading", "line") else None)
        if nested:
            self._lists -= 1
            self._tight = self._lists > 0

    def _content(self, element: Element, *, inline: bool) -> None:
        self._text(element.text, inline=inline)
        for child in element:
            self.walk(child, inline=inline)
            self._text(child.tail, inline=inline)

    def _text(self, text: str | None, *, inline: bool) -> None:
        # In running text a line end of the page's source is a blank, as in a browser.
        self._pieces.append(_BLANKS.sub(" ", text or "") if inline else text or "")

    def _row(self, row: Element) -> None:
        self.end()
        cells = (
            one_line(" ".join(block.text for block in blocks_of(cell, self._vocabulary)))
            for cell in row
        )
        self._add(Block(" | ".join(filter(None, cells))))

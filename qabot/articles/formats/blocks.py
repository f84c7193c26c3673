"""Trees of elements to blocks: one walk for pages, Markdown, books and office documents.

The walk knows no format. A ``Vocabulary`` says what the tags of one mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from qabot.articles.formats.draft import Block, one_line
from qabot.articles.formats.formulas import formula_text
from qabot.articles.formats.superscripts import raised
from qabot.articles.formats.tables import Cell, table_lines
from qabot.errors import ArticleError

_BLANKS = re.compile(r"[ \t\n]+")
_LONGEST_CELL = 400
_MOST_REPEATED = 100
_TERM_ENDS = tuple(".!?:;…。！？：；؟।")

_Text = Literal["heading", "line", "block", "list", "question", "term", "definition"]
_Table = Literal["table", "caption", "head", "row", "cell", "name", "covered"]
Role = Literal[_Text, _Table, "verbatim", "break", "blank", "raised", "formula", "nothing"]
"""The kind of an element. Text: a heading; running text, where line ends are blanks; all else that
stands by itself; a list, whose blocks stand close together; a line that what follows it answers; a
term and what it means. Tables: a table, its caption, the rows that name its columns, a row, a cell,
a cell that names a row or column, a cell that another one covers. The rest: text that is kept as it
is, the end of a line, a blank, what stands raised, a formula, and what is not read."""


class Element(Protocol):
    """As much of lxml's elements as is read here."""

    tag: object
    text: str | None
    tail: str | None

    def __iter__(self) -> Iterator[Element]: ...

    def __len__(self) -> int: ...

    def get(self, key: str, default: str = "") -> str:
        """An attribute."""

    def itertext(self) -> Iterator[str]:
        """All texts in it, in order."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The meaning of a format's tags.

    Attributes:
        roles: Tag → role; elements with other tags are looked through.
        level: The level of a heading, 1 to 6, or ``None`` for what is none after all; asked of
            elements with the roles ``heading`` and ``line``.
        across, down: The attributes that say how many columns and rows a cell covers.
        repeated: The attribute that says how often a cell stands there.
        is_shown: Whether people see an element; they see all of them where not given.
    """

    roles: Mapping[str, Role]
    level: Callable[[Element], int | None]
    across: str = "colspan"
    down: str = "rowspan"
    repeated: str = ""
    is_shown: Callable[[Element], bool] | None = None

    def role(self, element: Element) -> Role | None:
        """Return an element's kind; ``None`` for one that is looked through."""
        # Comments and instructions have functions for tags.
        if not isinstance(element.tag, str):
            return "nothing"
        role = self.roles.get(element.tag)
        return role if self.is_shown is None or self.is_shown(element) else "nothing"


def blocks_of(root: Element, vocabulary: Vocabulary) -> Sequence[Block]:
    """The blocks of ``root`` and all below it; text outside of any block is one, too.

    Raises:
        ArticleError: It is nested too deeply.
    """
    writer = _Writer(vocabulary)
    try:
        writer.walk(root, inline=False)
    except RecursionError:
        raise ArticleError("nested too deeply; write it with fewer levels") from None
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
        self._term: int | None = None

    def walk(self, element: Element, *, inline: bool) -> None:
        """Add ``element`` and all below it; ``inline`` says that it stands in running text."""
        role = self._vocabulary.role(element)
        if role == "nothing":
            return
        if role == "break":
            self._pieces.append("\n")
        elif role == "blank":
            self._pieces.append(" ")
        elif role == "raised" and (written := raised("".join(element.itertext()))):
            self._pieces.append(written)
        elif role == "formula":
            self._pieces.append(formula_text(element))
        elif role == "table":
            self._table(element)
        elif role == "verbatim" and (not inline or self._lists):
            self.end()
            self._add(Block("".join(element.itertext())))
        elif role in ("heading", "line", "block", "list", "question", "term", "definition"):
            self._block(element, role)
        elif role in ("head", "row", "cell", "name", "caption"):
            # Of a table that only places what it holds.
            self._block(element, "block")
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
        if self._term is not None and self._term == len(self.blocks) and block.level is None:
            block = self._explained(block)
        self._term = None
        self.blocks.append(Block(block.text, block.level, self._tight))
        self._tight = self._lists > 0

    def _explained(self, meaning: Block) -> Block:
        """The term that stands last, and what it means, on one line."""
        term = self.blocks.pop()
        self._tight = term.tight
        gap = " " if term.text.endswith(_TERM_ENDS) else ": "
        return Block(f"{term.text}{gap}{meaning.text}")

    def _block(self, element: Element, role: Role) -> None:
        term = self._term if role == "definition" else None
        self.end()
        self._term = term
        nested = role == "list"
        if nested:
            self._tight = self._tight and self._lists > 0
            self._lists += 1
        self._content(element, inline=role not in ("block", "list"))
        self.end(self._vocabulary.level(element) if role in ("heading", "line") else None)
        if nested:
            self._lists -= 1
            self._tight = self._lists > 0
        elif role == "question":
            # What answers it stays with it.
            self._tight = bool(self.blocks)
        elif role == "term" and self.blocks:
            self._term = len(self.blocks)

    def _content(self, element: Element, *, inline: bool) -> None:
        self._text(element.text, inline=inline)
        for child in element:
            self.walk(child, inline=inline)
            self._text(child.tail, inline=inline)

    def _text(self, text: str | None, *, inline: bool) -> None:
        # In running text a line end of the page's source is a blank, as in a browser.
        self._pieces.append(_BLANKS.sub(" ", text or "") if inline else text or "")

    def _lines(self, lines: Iterable[str]) -> None:
        """Add the rows of a table, close together."""
        for number, line in enumerate(filter(None, lines)):
            self._tight = self._tight or number > 0
            self._add(Block(line))

    def _table(self, table: Element) -> None:
        self.end()
        rows = table_rows(table, self._vocabulary)
        if rows is None:
            self._content(table, inline=False)
            self.end()
            return
        self._tight = self._tight and self._lists > 0
        for caption in table:
            if self._vocabulary.role(caption) == "caption":
                self._block(caption, "question")
        self._lines(table_lines(rows, guess=True))
        self._tight = self._lists > 0
        for stray in _strays(table, self._vocabulary):
            self.walk(stray, inline=False)
            self.end()


def table_rows(table: Element, vocabulary: Vocabulary) -> list[list[Cell]] | None:
    """The cells of each row; ``None`` for a table that only places what it holds."""
    rows = list(_rows(table, vocabulary, head=False))
    return None if _is_layout(rows, table, vocabulary) else rows


def _rows(parent: Element, vocabulary: Vocabulary, *, head: bool) -> Iterator[list[Cell]]:
    for element in parent:
        role = vocabulary.role(element)
        if role == "row":
            yield _cells(element, vocabulary, head=head)
        elif role in (None, "head"):
            yield from _rows(element, vocabulary, head=head or role == "head")


def _cells(row: Element, vocabulary: Vocabulary, *, head: bool) -> list[Cell]:
    cells: list[Cell] = []
    for element in row:
        role = vocabulary.role(element)
        if role in ("nothing", "covered"):
            continue
        cell = Cell(
            _joined(blocks_of(element, vocabulary)),
            head or role == "name",
            _count(element, vocabulary.across),
            _count(element, vocabulary.down),
        )
        cells += [cell] * min(_count(element, vocabulary.repeated), _MOST_REPEATED)
    return cells


def _strays(table: Element, vocabulary: Vocabulary) -> Iterator[Element]:
    """Return the text in a table outside of its rows: a browser shows it all the same."""
    for element in table:
        role = vocabulary.role(element)
        if role in (None, "head"):
            yield from _strays(element, vocabulary)
        elif role not in ("nothing", "caption", "row"):
            yield element


def _joined(blocks: Sequence[Block]) -> str:
    """The blocks of a cell on one line, items of a list told apart."""
    text = ""
    for block in blocks:
        gap = ", " if block.tight and text[-1:].isalnum() else " " if text else ""
        text += gap + one_line(block.text)
    return text


def _count(element: Element, attribute: str) -> int:
    value = element.get(attribute, "") if attribute else ""
    return max(int(value), 1) if value.isascii() and value.isdecimal() and len(value) < 6 else 1


def _is_layout(rows: Sequence[Sequence[Cell]], table: Element, vocabulary: Vocabulary) -> bool:
    """Tell whether a table is for layout: one column, long texts, tables or headings."""
    if all(len(row) < 2 for row in rows):
        return True
    if any(len(cell.text) > _LONGEST_CELL for row in rows for cell in row):
        return True
    return any(vocabulary.role(element) in ("table", "heading") for element in _below(table))


def _below(element: Element) -> Iterator[Element]:
    for child in element:
        yield child
        yield from _below(child)

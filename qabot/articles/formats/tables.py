"""Tables to lines: each row tells its cells with the names of their columns; pure.

``Pro | Storage: 200 GB | Price: 19 EUR``: a row that is quoted alone still says what its cells are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qabot.articles.formats.draft import has_words, one_line

_BETWEEN = " | "
# What a hostile table may take; a wider cell is no wider than these.
_MOST_ACROSS, _MOST_DOWN, _MOST_CELLS = 100, 1_000, 200_000
_LONGEST_NAME = 80
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        head: Whether it names a row or a column.
        across, down: How many columns and rows it covers.
    """

    text: str
    head: bool = False
    across: int = 1
    down: int = 1


_EMPTY = Cell("")
Rows = Sequence[Sequence[Cell]]


def table_lines(rows: Rows, *, guess: bool = False) -> list[str]:
    """A line for each row; empty ones are left out.

    Args:
        rows: The cells that each row names itself; cells of other rows may reach into it.
        guess: Whether a first row that is not marked as the names of columns may be that by its
            look: words above numbers.
    """
    grid = [row for row in _grid(rows) if any(cell.text for cell in row)]
    heads = _head_rows(grid)
    if not heads and guess and _looks_like_names(grid):
        heads = 1
    names = _names(grid[:heads])
    lines: list[str] = []
    for number, row in enumerate(grid):
        if number >= heads and _is_head_row(row):
            # The names of columns once more, or other names for what follows.
            names = _names([row])
            heads = number + 1
        lines.append(_told(row) if number < heads else _told(row, names))
    return lines


def _grid(rows: Rows) -> list[list[Cell]]:
    """The rows with a cell in each column: what covers several stands in each of them."""
    grid: list[list[Cell]] = []
    reaching: dict[int, tuple[Cell, int]] = {}
    cells = 0
    for row in rows:
        placed: list[Cell] = []
        waiting = list(row)
        while waiting or any(column >= len(placed) for column in reaching):
            column = len(placed)
            if column in reaching:
                cell, left = reaching.pop(column)
                placed.append(cell)
                if left > 1:
                    reaching[column] = cell, left - 1
                continue
            cell = waiting.pop(0) if waiting else _EMPTY
            across, down = min(cell.across, _MOST_ACROSS), min(cell.down, _MOST_DOWN)
            cells += across
            if cells > _MOST_CELLS:
                across = down = 1
            for offset in range(across):
                placed.append(cell)
                if down > 1:
                    reaching[column + offset] = cell, down - 1
        grid.append(placed)
        reaching = {column: item for column, item in reaching.items() if item[1] > 0}
    return grid


def _head_rows(grid: Rows) -> int:
    """How many rows at the top name the columns."""
    count = 0
    while count < len(grid) - 1 and _is_head_row(grid[count]):
        count += 1
    return count


def _is_head_row(row: Sequence[Cell]) -> bool:
    told = [cell for cell in row if cell.text]
    if len(row) < 2 or not told or not all(cell.head for cell in told):
        return False
    # One cell across the whole row is the name of what follows it, not of columns.
    return len(told) < len(row) or any(cell is not told[0] for cell in told)


def _looks_like_names(grid: Rows) -> bool:
    if len(grid) < 3 or len(grid[0]) < 2:
        return False
    texts = [cell.text for cell in grid[0]]
    if len(set(texts)) < len(texts) or any(map(_DIGIT.search, texts)) or not all(texts[1:]):
        return False
    return any(
        all(_DIGIT.search(text) for row in grid[1:] for text in _column(row, place) if text)
        and any(text for row in grid[1:] for text in _column(row, place))
        for place in range(1, len(texts))
    )


def _column(row: Sequence[Cell], place: int) -> Iterator[str]:
    if place < len(row):
        yield row[place].text


def _names(rows: Rows) -> list[str]:
    """The name of each column, out of all rows that name them."""
    width = max(map(len, rows), default=0)
    names = []
    for place in range(width):
        texts = [text for row in rows for text in _column(row, place) if text]
        name = " ".join(dict.fromkeys(texts))
        names.append(name if len(name) <= _LONGEST_NAME else "")
    return names


def _told(row: Sequence[Cell], names: Sequence[str] = ()) -> str:
    """A row on one line, each cell but the first with the name of its column."""
    pieces: list[str] = []
    before: Cell | None = None
    for place, cell in enumerate(row):
        if cell is before and cell.across > 1:
            continue
        before = cell
        name = names[place] if place < len(names) else ""
        if names and not cell.text:
            continue
        named = place > 0 and has_words(name) and name != cell.text
        pieces.append(f"{name.rstrip(':')}: {cell.text}" if named else cell.text)
    if not names:
        while pieces and not pieces[-1]:
            pieces.pop()
    return _label(row, one_line(_BETWEEN.join(pieces)), names)


def _label(row: Sequence[Cell], line: str, names: Sequence[str]) -> str:
    """``line``; of two cells of which the first names the second, one sentence."""
    told = [cell for cell in row if cell.text]
    if not names and len(row) == 2 and len(told) == 2 and row[0].head and not row[1].head:
        return f"{row[0].text.rstrip(':')}: {row[1].text}"
    return line

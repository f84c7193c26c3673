"""Tables and columns of a PDF's page, told by rules and gaps; pure.

A PDF draws cells of a table, and lines of two columns, as if they were one line of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from qabot.articles.formats.hyphens import Words, joined
from qabot.articles.formats.pdf_grids import Grid, grids_of
from qabot.articles.formats.pdf_lines import Line, Page, Piece, Rules
from qabot.articles.formats.tables import Cell, table_lines

# In parts of a line's size.
_GUTTER = 0.8
_WRAPPED = 1.35
# How far down the next line of a table may be, and how much larger. Lines of two columns need not
# stand at one height, and headings among them are larger.
_BELOW = 0.5, 3.0, 0.15
_CLOSE = -0.5, 3.0, 0.8
_LEAST_LINES = 3
_LEAST_SPLIT = 0.6
# Of lines of prose, some begin within a sentence.
_PROSE_CHARACTERS, _GOES_ON = 18, 0.3
_LONGEST_CELL = 400
# Of the cells of a table, few cover several columns or rows.
_MOST_WIDE = 0.4
_DIGIT = re.compile(r"\d")
_LABEL = re.compile(
    r"[•‣◦▪·–—*o-]|\(?(?:\d+(?:\.\d+)*|[a-zA-Z]|[ivxIVX]+)[.)]|\d+(?:\.\d+)+|\d{1,3}"
)
_LEADER = re.compile(r"(?:\. ?){4}")

_Place = tuple[int, int]
_Gutters = list[tuple[float, float]]


def arranged(page: Page, rules: Rules, words: Words) -> Page:
    """``page`` with the rows of its tables as lines, and its columns one after the other."""
    number = 0
    for grid in grids_of(rules):
        inside = [line for line in page if grid.holds(line)]
        if rows := _grid_rows(grid, inside, words):
            number += 1
            page = _replaced(page, inside, _told(rows, inside, number))
    found: Page = []
    start = 0
    while start < len(page):
        end, gutters = _run(page, start, _CLOSE)
        if gutters and _is_prose(page[start:end], gutters):
            end = _with_rest(page, end, gutters)
            found += _one_after_the_other(page[start:end], gutters)
            start = end
            continue
        end, gutters = _run(page, start, _BELOW)
        if gutters:
            number += 1
            rows = list(_gap_rows(page[start:end], gutters, words))
            found += _told(rows, page[start:end], number)
        else:
            end = start + 1
            found.append(page[start])
        start = end
    return found


def _replaced(page: Page, old: Page, new: Page) -> Page:
    at = page.index(old[0])
    gone = set(map(id, old))
    before = [line for line in page[:at] if id(line) not in gone]
    return before + new + [line for line in page[at:] if id(line) not in gone]


def _told(rows: Sequence[Sequence[Cell]], lines: Page, number: int) -> Page:
    """The rows of a table as lines that stand where ``lines`` do."""
    first, right = lines[0], max(line.right for line in lines)
    left, bottom = min(line.left for line in lines), min(line.bottom for line in lines)
    texts = list(filter(None, table_lines(rows, guess=True)))
    step = (first.bottom - bottom) / max(1, len(texts) - 1)
    return [
        Line(text, left, right, first.bottom - step * place, first.size, row=number)
        for place, text in enumerate(texts)
    ]


def _grid_rows(grid: Grid, lines: Page, words: Words) -> list[list[Cell]]:
    """The cells of a ruled table; none where rules only frame text."""
    cells: dict[_Place, list[tuple[int, str]]] = {}
    bold: dict[int, bool] = {}
    for line in sorted(lines, key=lambda line: -round(line.bottom)):
        for piece in line.parts():
            place = grid.cell((piece.left + piece.right) / 2, line.middle)
            cells.setdefault(place, []).append((round(line.bottom), piece.text))
            bold[place[0]] = bold.get(place[0], True) and line.bold
    texts = {place: joined([text for _, text in told], words)[0] for place, told in cells.items()}
    columns = sorted({column for _, column in texts})
    if not _is_table(grid, texts):
        return []
    heads = _bold_heads([bold.get(row, False) for row in range(grid.rows)])
    rows: list[list[Cell]] = []
    for row in range(grid.rows):
        told = [
            (column, across, Cell(texts.get((row, column), ""), row < heads, down=down))
            for column, across, down in grid.row(row)
            if column in columns
        ]
        if apart := _lines_apart(row, [column for column, _, _ in told], cells):
            rows += apart
            continue
        rows.append(
            [
                replace(cell, across=sum(column <= c < column + across for c in columns))
                for column, across, cell in told
            ]
        )
    return rows


def _is_table(grid: Grid, texts: Mapping[_Place, str]) -> bool:
    filled = [row for row in range(grid.rows) if sum(place[0] == row for place in texts) > 1]
    wide = [
        across > 1 or down > 1
        for row in range(grid.rows)
        for column, across, down in grid.row(row)
        if (row, column) in texts
    ]
    return (
        len(filled) > 1
        and all(len(text) <= _LONGEST_CELL for text in texts.values())
        and sum(wide) <= _MOST_WIDE * len(wide)
    )


def _lines_apart(
    row: int, columns: Sequence[int], cells: Mapping[_Place, Sequence[tuple[int, str]]]
) -> list[list[Cell]]:
    """The rows that stand between two rules without one of their own: each has its numbers."""
    told = [dict(cells.get((row, column), ())) for column in columns]
    bottoms = sorted({bottom for lines in told for bottom in lines}, reverse=True)
    filled = [lines for lines in told if lines]
    if len(bottoms) < 2 or len(filled) < 2 or any(len(lines) < len(bottoms) for lines in filled):
        return []
    rows = [[Cell(lines.get(bottom, "")) for lines in told] for bottom in bottoms]
    counted = all(any(_DIGIT.search(cell.text) for cell in cells) for cells in rows)
    return rows if counted else []


def _bold_heads(bold: Sequence[bool]) -> int:
    """How many rows at the top name the columns by their bold letters."""
    count = next((row for row, is_bold in enumerate(bold) if not is_bold), len(bold))
    return 0 if count == len(bold) else count


def _wide(line: Line) -> _Gutters:
    gaps = ((a.right, b.left) for a, b in pairwise(line.pieces))
    return [gap for gap in gaps if gap[1] - gap[0] >= _GUTTER * line.size]


def _run(page: Page, start: int, reach: tuple[float, float, float]) -> tuple[int, _Gutters]:
    """Where lines end that leave the same gutters free from ``start`` on; none is no run."""
    first = page[start]
    gutters = _wide(first)
    if not gutters or first.row or _LEADER.search(first.text):
        return start + 1, []
    end, last_split, split = start + 1, start + 1, 1
    while end < len(page) and _follows(page[end - 1], page[end], reach):
        left = _free(gutters, page[end])
        is_split = bool(_wide(page[end]))
        settled = reach is _CLOSE and split >= _LEAST_LINES
        if len(left) < (len(gutters) if settled else (len(gutters) + 1) // 2):
            break
        end += 1
        gutters = left
        if is_split:
            last_split, split = end, split + 1
    gutters = [gap for gap in gutters if _divides(page[start:last_split], gap)]
    gutters = _without_labels(page[start:last_split], gutters)
    lines = last_split - start
    return (
        (last_split, gutters)
        if lines >= _LEAST_LINES and split >= _LEAST_SPLIT * lines
        else (start + 1, [])
    )


def _follows(above: Line, line: Line, reach: tuple[float, float, float]) -> bool:
    least, most, same_size = (part * above.size for part in reach)
    return (
        not line.row
        and least < above.bottom - line.bottom < most
        and abs(above.size - line.size) <= same_size
        and not _LEADER.search(line.text)
    )


def _free(gutters: _Gutters, line: Line) -> _Gutters:
    """The parts of ``gutters`` that ``line`` leaves free."""
    left = []
    for gutter in gutters:
        middle = sum(gutter) / 2
        start = max((p.right for p in line.parts() if p.left + p.right < 2 * middle), default=0)
        end = min((p.left for p in line.parts() if p.left + p.right >= 2 * middle), default=1e9)
        free = max(start, gutter[0]), min(end, gutter[1])
        if free[1] - free[0] >= _GUTTER * line.size:
            left.append(free)
    return left


def _divides(lines: Page, gap: tuple[float, float]) -> bool:
    """Tell whether something stands on both sides of a gutter in two lines at least."""
    both = sum(line.left < gap[0] + 1 and line.right > gap[1] - 1 for line in lines)
    return both >= 2


def _without_labels(lines: Page, gutters: _Gutters) -> _Gutters:
    # Bullets and numbers stand before what they count; a list is no table.
    while gutters:
        cells = [row[0] for line in lines if (row := _cells(line, gutters))[0]]
        labels = all(_LABEL.fullmatch(cell) for cell in cells)
        if not labels or (len(gutters) > 1 and all(map(str.isdigit, cells))):
            break
        gutters = gutters[1:]
    return gutters


def _cells(line: Line, gutters: _Gutters) -> list[str]:
    told: list[list[str]] = [[] for _ in range(len(gutters) + 1)]
    for piece in line.parts():
        told[_column(piece, gutters)].append(piece.text)
    return [" ".join(texts) for texts in told]


def _column(piece: Piece, gutters: _Gutters) -> int:
    middle = (piece.left + piece.right) / 2
    return sum(middle > (start + end) / 2 for start, end in gutters)


def _is_prose(lines: Page, gutters: _Gutters) -> bool:
    """Tell whether each column is running text."""
    rows = [_cells(line, gutters) for line in lines]
    for column in range(len(gutters) + 1):
        texts = [row[column] for row in rows if row[column]]
        if not texts or median(map(len, texts)) < _PROSE_CHARACTERS:
            return False
        if sum(text[0].islower() for text in texts) < _GOES_ON * len(texts):
            return False
    return True


def _with_rest(page: Page, end: int, gutters: _Gutters) -> int:
    """Where columns end of which one is longer than the others."""
    while end < len(page):
        above, line = page[end - 1], page[end]
        close = 0 < above.bottom - line.bottom <= _WRAPPED * above.size
        if (
            not close
            or not _follows(above, line, _BELOW)
            or len(_free(gutters, line)) < len(gutters)
        ):
            break
        end += 1
    return end


def _one_after_the_other(lines: Page, gutters: _Gutters) -> Iterator[Line]:
    for column in range(len(gutters) + 1):
        for line in lines:
            own = tuple(p for p in line.parts() if _column(p, gutters) == column)
            if own:
                yield line.of(own)


def _gap_rows(lines: Page, gutters: _Gutters, words: Words) -> Iterator[list[Cell]]:
    """The rows of a table without rules: lines that go on in some of its cells belong to one."""
    grouped: list[list[str]] = []
    bold: list[bool] = []
    for number, line in enumerate(lines):
        cells = _cells(line, gutters)
        goes_on = bool(grouped) and not cells[0] and not all(cells[1:])
        if goes_on and lines[number - 1].bottom - line.bottom <= _WRAPPED * line.size:
            pairs = zip(grouped[-1], cells, strict=True)
            grouped[-1] = [joined([a, b], words)[0] if a and b else a or b for a, b in pairs]
        else:
            grouped.append(cells)
            bold.append(line.bold)
    heads = _bold_heads(bold)
    for number, cells in enumerate(grouped):
        yield [Cell(text, number < heads) for text in cells]

"""Grids that rules of a PDF's page draw; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qabot.articles.formats.pdf_lines import TOUCH, Line, Rule, Rules

# More are a drawing, not a table.
_MOST_RULES = 1_000
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's rules.

    Attributes:
        xs: Where columns begin and end, from left to right.
        ys: Where rows begin and end, from top to bottom.
        above, before: The cells, row and column from 0, that a rule parts from the one above or
            before them.
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    above: frozenset[tuple[int, int]]
    before: frozenset[tuple[int, int]]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.ys) - 1

    def holds(self, line: Line) -> bool:
        """Tell whether a line stands in it."""
        x, y = (line.left + line.right) / 2, line.middle
        return self.xs[0] < x < self.xs[-1] and self.ys[-1] < y < self.ys[0]

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The row and the column, from 0, of the cell that holds a place."""
        row = min(max(bisect_right([-place for place in self.ys], -y) - 1, 0), self.rows - 1)
        column = min(max(bisect_right(self.xs, x) - 1, 0), len(self.xs) - 2)
        while row > 0 and not self._above(row, column):
            row -= 1
        while column > 0 and not self._before(row, column):
            column -= 1
        return row, column

    def row(self, row: int) -> Iterator[tuple[int, int, int]]:
        """The cells that begin in a row: column, and how many columns and rows each covers."""
        columns = len(self.xs) - 1
        for column in range(columns):
            if not self._before(row, column) or not self._above(row, column):
                continue
            across = down = 1
            while column + across < columns and not self._before(row, column + across):
                across += 1
            while row + down < self.rows and not self._above(row + down, column):
                down += 1
            yield column, across, down

    def _before(self, row: int, column: int) -> bool:
        """Tell whether a rule stands before a cell; at the edge, there always is one."""
        return column == 0 or (row, column) in self.before

    def _above(self, row: int, column: int) -> bool:
        return row == 0 or (row, column) in self.above


def grids_of(rules: Rules) -> Iterator[Grid]:
    """The tables that rules draw, from the top of the page."""
    if not rules.across or not rules.down or len(rules.across) + len(rules.down) > _MOST_RULES:
        return
    left = [(rule, True) for rule in rules.across] + [(rule, False) for rule in rules.down]
    grids = []
    while left:
        touching, reached = [left.pop()], 0
        while reached < len(touching):
            rule, is_across = touching[reached]
            reached += 1
            near = list[tuple[Rule, bool]]()
            far = list[tuple[Rule, bool]]()
            for item in left:
                (near if _touch(rule, is_across, *item) else far).append(item)
            touching += near
            left = far
        across = [rule for rule, is_across in touching if is_across]
        down = [rule for rule, is_across in touching if not is_across]
        xs, ys = _places(down), _places(across)[::-1]
        if len(xs) >= _LEAST and len(ys) >= _LEAST:
            above = frozenset((row, column) for column, row in _parted(across, ys, xs))
            before = frozenset(_parted(down, xs, ys))
            grids.append(Grid(tuple(xs), tuple(ys), above, before))
    yield from sorted(grids, key=lambda grid: -grid.ys[0])


def _touch(rule: Rule, is_across: bool, other: Rule, other_is_across: bool) -> bool:
    if is_across == other_is_across:
        # Borders of cells beside each other.
        same = abs(rule.place - other.place) <= TOUCH
        return same and rule.start - TOUCH <= other.end and other.start - TOUCH <= rule.end
    return rule.covers(other.place, TOUCH) and other.covers(rule.place, TOUCH)


def _places(rules: Sequence[Rule]) -> list[float]:
    """Where rules stand, each place once."""
    places: list[float] = []
    for place in sorted(rule.place for rule in rules):
        if not places or place - places[-1] > TOUCH:
            places.append(place)
    return places


def _parted(
    rules: Sequence[Rule], places: Sequence[float], others: Sequence[float]
) -> Iterator[tuple[int, int]]:
    """The steps of ``others``, each with the place in ``places`` at which a rule crosses it."""
    middles = [(start + end) / 2 for start, end in pairwise(others)]
    for rule in rules:
        near = [n for n, place in enumerate(places) if abs(rule.place - place) <= 2 * TOUCH]
        steps = [n for n, middle in enumerate(middles) if rule.covers(middle)]
        yield from ((step, place) for step in steps for place in near)

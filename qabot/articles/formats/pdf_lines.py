"""Lines of a PDF's page as PDFium tells them, and the rules that are drawn between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

TOUCH = 3.0
"""How near, in points, rules are that meet."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line with more than a blank on either side, in points from the left."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page, on one line: where it stands, in points from the left and the bottom.

    Attributes:
        size: The height of its letters, with what reaches up and down.
        pieces: Its parts from left to right; empty for a line without gaps.
        bold: Whether its first letters are.
        row: Which table of its page it tells a row of, from 1; 0 for running text.
    """

    text: str
    left: float
    right: float
    bottom: float
    size: float
    pieces: tuple[Piece, ...] = ()
    bold: bool = False
    row: int = 0

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.bottom + self.size / 2

    def parts(self) -> Sequence[Piece]:
        """Its pieces; the line itself where it has no gaps."""
        return self.pieces or (Piece(self.text, self.left, self.right),)

    def of(self, pieces: tuple[Piece, ...]) -> Line:
        """Make a line of some of its pieces, at least one."""
        return replace(
            self,
            text=" ".join(piece.text for piece in pieces),
            left=pieces[0].left,
            right=pieces[-1].right,
            pieces=pieces if len(pieces) > 1 else (),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line that is drawn, from ``start`` to ``end``, at ``place`` of the other axis."""

    place: float
    start: float
    end: float

    def covers(self, point: float, slack: float = 2.0) -> bool:
        """Tell whether it passes ``point`` of its direction."""
        return self.start - slack <= point <= self.end + slack


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a page, each once and as long as it goes on."""

    across: tuple[Rule, ...] = ()
    down: tuple[Rule, ...] = ()


Page = list[Line]
Pages = list[Page]

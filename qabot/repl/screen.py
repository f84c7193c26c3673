"""What the chat prints: answers set apart by blank lines, and remarks."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

from qabot.render.terminal import open_console
from qabot.text import printable


class Screen:
    """Prints what the chat shows and says.

    Args:
        console: Takes all of it; standard output where not given.
        apart: Set what is shown apart from the line that was typed above it.
    """

    def __init__(self, console: Console | None = None, *, apart: bool) -> None:
        self.console = console or open_console()
        self._apart = apart

    def display(self, what: RenderableType, *, apart: bool = True) -> None:
        """Print ``what`` with a blank line after it and, below what was typed, one before it."""
        if apart and self._apart:
            self.console.print()
        self.console.print(what)
        self.console.print()

    def say(self, text: str, style: str = "") -> None:
        """Print a remark."""
        self.console.print(Text(printable(text), style))

    def say_over(self, text: str) -> None:
        """Print a remark in place of the "^C" with which the terminal shows that key."""
        self.console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
        self.say(text, "dim")

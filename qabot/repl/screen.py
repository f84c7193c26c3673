"""The output of the chat: answers between blank lines, and remarks."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

from qabot.render.terminal import open_console
from qabot.text import printable


class Screen:
    """Prints the answers and remarks of the chat.

    Args:
        console: By default, standard output.
        apart: Print a blank line between a typed line and the answer to it.
    """

    def __init__(self, console: Console | None = None, *, apart: bool) -> None:
        self.console = console or open_console()
        self._apart = apart

    def display(self, what: RenderableType, *, apart: bool = True) -> None:
        """Print ``what`` and a blank line; ``apart``, a blank line before it too."""
        if apart and self._apart:
            self.console.print()
        self.console.print(what)
        self.console.print()

    def say(self, text: str, style: str = "") -> None:
        """Print a remark."""
        self.console.print(Text(printable(text), style))

    def announce(self, text: str) -> None:
        """Print a line that ``erase_line`` takes away again."""
        self.console.print(Text(text, "dim"), end="")

    def erase_line(self) -> None:
        """Take away what stands on the line of the cursor."""
        self.console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))

    def say_over(self, text: str) -> None:
        """Print a remark over the "^C" that the terminal shows for that key."""
        self.erase_line()
        self.say(text, "dim")

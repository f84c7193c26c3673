"""The chat in the terminal (``qabot repl``)."""

from qabot.repl.chat import Repl

__all__ = ["Repl"]

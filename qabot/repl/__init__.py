"""The chat in the terminal (``qabot repl``)."""

from qabot.repl.chat import Chatted, Rebuilt, Repl

__all__ = ["Chatted", "Rebuilt", "Repl"]

"""The chat's input: a prompt with history and completion, or a plain stream."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import platformdirs
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output

PROMPT = "> "
_MENU_LINES = 8

Choices = Iterable[tuple[str, str]]
"""Completions, each with a short description."""


class Lines(Protocol):
    """Reads lines."""

    @property
    def interactive(self) -> bool:
        """True if a person types the lines."""
        ...

    def read(self) -> str:
        """Read the next line, without its line end.

        Raises:
            EOFError: The input has ended.
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        ...


def open_lines(
    commands: Mapping[str, str],
    arguments: Callable[[str], Choices],
    *,
    history: Path | None = None,
    input: Input | None = None,  # noqa: A002 (prompt_toolkit's name for it)
    output: Output | None = None,
) -> Lines:
    """Open standard input: with a prompt if it is a capable terminal, else as a stream.

    Args:
        commands: Commands and their descriptions, for completion.
        arguments: Lists what may follow a command.
        history: The file for the history; by default, in the user's state folder.
        input: The source of keys; by default, the process's terminal.
        output: The screen for the prompt; by default, the process's terminal.
    """
    person = sys.stdin.isatty() and sys.stdout.isatty()
    dumb = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    if input is None and output is None and (dumb or not person):
        return StreamLines(interactive=person)
    return PromptLines(
        PromptSession(
            [("bold", PROMPT)],
            history=open_history(history),
            completer=CommandCompleter(commands, arguments),
            # Only for commands: a question needs no menu, nor room for one.
            complete_while_typing=Condition(_at_command),
            reserve_space_for_menu=_MENU_LINES,
            key_bindings=_bindings(),
            enable_suspend=True,
            input=input,
            output=output,
        )
    )


class PromptLines:
    """Lines typed at a prompt_toolkit prompt."""

    interactive = True

    def __init__(self, session: PromptSession[str]) -> None:
        self._session = session

    def read(self) -> str:
        """See ``Lines``."""
        return self._session.prompt()


class StreamLines:
    """Lines of standard input, with a bare prompt if a person types them."""

    def __init__(self, *, interactive: bool) -> None:
        self.interactive = interactive
        # A line with bytes that are not text is refused by itself.
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="surrogateescape")

    def read(self) -> str:
        """See ``Lines``."""
        if self.interactive:
            sys.stdout.write(PROMPT)
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.removeprefix("\ufeff").rstrip("\r\n")


class CommandCompleter(Completer):
    """Completes commands and their arguments.

    Args:
        commands: Commands and their descriptions.
        arguments: Lists what may follow a command.
    """

    def __init__(self, commands: Mapping[str, str], arguments: Callable[[str], Choices]) -> None:
        self._commands = commands
        self._arguments = arguments

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 (prompt_toolkit passes it by name)
    ) -> Iterator[Completion]:
        """See ``Completer``."""
        text = document.text_before_cursor.lstrip()
        if not text.startswith("/"):
            return
        command, blank, argument = text.partition(" ")
        typed = argument.lstrip() if blank else command
        choices = self._arguments(command.lower()) if blank else self._commands.items()
        for choice, about in choices:
            fits = choice.casefold().startswith(typed.casefold())
            if fits or (blank and about.casefold().startswith(typed.casefold())):
                yield Completion(choice, start_position=-len(typed), display_meta=about)


def open_history(path: Path | None = None) -> History:
    """Open the history, a file that only the user can read.

    If it cannot be written, the history lasts as long as the chat.
    """
    path = path or platformdirs.user_state_path("qabot") / "history"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        return _PassingHistory()
    return _KeptHistory(path)


class _KeptHistory(FileHistory):
    def append_string(self, string: str) -> None:
        if not _secret(string):
            super().append_string(string)

    def store_string(self, string: str) -> None:
        # A full disk must not end the chat.
        with contextlib.suppress(OSError):
            super().store_string(string)


class _PassingHistory(InMemoryHistory):
    def append_string(self, string: str) -> None:
        if not _secret(string):
            super().append_string(string)


def _secret(line: str) -> bool:
    """As in shells, a line that begins with a blank is not kept."""
    return line[:1].isspace()


def _at_command() -> bool:
    return get_app().current_buffer.text.lstrip().startswith("/")


def _bindings() -> KeyBindings:
    """Bind Ctrl-C to clear a line with text; on an empty line, prompt_toolkit interrupts."""
    bindings = KeyBindings()
    typing = has_focus("DEFAULT_BUFFER") & Condition(lambda: bool(get_app().current_buffer.text))

    @bindings.add("c-c", filter=typing)
    @bindings.add("<sigint>", filter=typing)
    def clear(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    return bindings

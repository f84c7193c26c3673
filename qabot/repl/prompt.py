"""Where the chat's lines come from: a prompt with history and completion, or a plain stream."""

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
"""What may be typed at a place, each with a few words about it."""


class Lines(Protocol):
    """Gives one line after the other."""

    @property
    def interactive(self) -> bool:
        """Whether a person types the lines."""
        ...

    def read(self) -> str:
        """The next line, without its end.

        Raises:
            EOFError: There are no more.
            KeyboardInterrupt: Ctrl-C was pressed instead of typing one.
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
    """The lines of standard input: with all comforts if it is a terminal that can show them.

    Args:
        commands: Every command with a few words about it, for completion.
        arguments: Gives what may follow a command.
        history: File with the lines typed before; in the user's state folder where not given.
        input: What the prompt reads keys from, instead of the process's own terminal.
        output: Where the prompt is drawn, instead of the same.
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
            # Only while a command is typed: a question needs no menu, nor room kept free for one.
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
    """Lines of standard input as they come; a prompt only where a person waits for one."""

    def __init__(self, *, interactive: bool) -> None:
        self.interactive = interactive
        # Bytes that are no text stay in their line, which is then refused by itself.
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
    """Completes commands and what follows them.

    Args:
        commands: Every command with a few words about it.
        arguments: Gives what may follow a command.
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
    """The lines typed before, kept in a file that only the user can read.

    Where that cannot be written, they last as long as the chat.
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
        # A disk that has become full costs the history, not the chat.
        with contextlib.suppress(OSError):
            super().store_string(string)


class _PassingHistory(InMemoryHistory):
    def append_string(self, string: str) -> None:
        if not _secret(string):
            super().append_string(string)


def _secret(line: str) -> bool:
    """As in shells: what is typed after a blank is not remembered."""
    return line[:1].isspace()


def _at_command() -> bool:
    return get_app().current_buffer.text.lstrip().startswith("/")


def _bindings() -> KeyBindings:
    """Ctrl-C clears a line that has text; on an empty one prompt_toolkit raises the interrupt."""
    bindings = KeyBindings()
    typing = has_focus("DEFAULT_BUFFER") & Condition(lambda: bool(get_app().current_buffer.text))

    @bindings.add("c-c", filter=typing)
    @bindings.add("<sigint>", filter=typing)
    def clear(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    return bindings

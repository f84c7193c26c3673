"""The chat: it answers questions with numbered quotes, and obeys commands.

Questions are answered in a thread of their own, so that Ctrl-C returns to the prompt at once; the
thread's answer is then dropped.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from qabot.answering.follow_up import standalone
from qabot.errors import QabotError
from qabot.render.terminal import (
    render_answer,
    render_article,
    render_articles,
    render_context,
    render_quote,
)
from qabot.repl.prompt import Choices, open_lines
from qabot.repl.screen import Screen
from qabot.types import Answer, Quote

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.indexing.summary import Summary

# Seconds after which a search is announced.
_PATIENCE = 0.5
# Texts of more lines scroll off any screen.
_LONG = 200
# More languages are counted, not named.
_NAMED_LANGUAGES = 12


@dataclass(frozen=True, slots=True)
class _Command:
    """A command: its name, its argument, its description, and the function that runs it."""

    name: str
    argument: str
    about: str
    run: Callable[[str], None]


@dataclass(slots=True)
class _Asked:
    """The last question, the questions before it, and the quotes shown for it so far."""

    question: str
    previous: tuple[str, ...]
    quotes: list[Quote]


class Repl:
    """Reads questions and commands until the input ends or ``/quit``.

    At a terminal, there is a greeting, a prompt with history and completion, and Ctrl-C cancels;
    from a pipe, lines are just read and answered.

    Args:
        engine: Answers the questions.
        rebuild: Brings the index up to date and shows its progress.
        console: All output goes to it; by default, standard output.
        input: The source of keys; by default, the process's terminal.
        output: The screen for the prompt; by default, the process's terminal.
        history: The file for the history; by default, in the user's state folder.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        rebuild: Callable[[], Summary],
        console: Console | None = None,
        input: Input | None = None,  # noqa: A002 (prompt_toolkit's name for it)
        output: Output | None = None,
        history: Path | None = None,
    ) -> None:
        self._engine = engine
        self._rebuild = rebuild
        self._questions: list[str] = []
        self._last: _Asked | None = None
        self._left = False
        commands = [
            _Command(
                "/more", "", "the next quotes for the last question", lambda _: self._show_more()
            ),
            _Command("/context", "[N]", "the text around quote N, or 1", self._show_context),
            _Command("/articles", "[TEXT]", "the articles, or those with TEXT", self._list),
            _Command("/show", "ARTICLE", "a whole article", self._show),
            _Command("/rebuild", "", "bring the index up to date", lambda _: self._renew()),
            _Command("/help", "", "this list", lambda _: self._help()),
            _Command("/quit", "", "leave (or Ctrl-D)", lambda _: self._leave()),
        ]
        self._commands = {command.name: command for command in commands}
        self._lines = open_lines(
            {command.name: command.about for command in commands},
            self._choices,
            history=history,
            input=input,
            output=output,
        )
        self._screen = Screen(console, apart=self._lines.interactive)

    def run(self) -> None:
        """Read and answer until the input ends.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed while reading from a pipe.
        """
        if self._lines.interactive:
            self._greet()
        while not self._left:
            interrupted = "Ctrl-D leaves."
            try:
                line = self._lines.read()
                interrupted = "Cancelled."
                self._handle(line)
            except EOFError:
                self._left = True
            except KeyboardInterrupt:
                if not self._lines.interactive:
                    raise
                self._screen.say_over(interrupted)

    def _greet(self) -> None:
        infos = self._engine.articles()
        languages = sorted({info.language for info in infos})
        names = f" ({', '.join(languages)})" if len(languages) <= _NAMED_LANGUAGES else ""
        self._screen.say(
            f"{_count(len(infos), 'article')} in {_count(len(languages), 'language')}{names}"
        )
        self._screen.say("Ask in any language; /help lists the commands.")
        self._screen.say("")

    def _handle(self, line: str) -> None:
        words = line.split(maxsplit=1)
        if not words:
            return
        try:
            name = self._command_name(words)
            if name:
                self._obey(name, words[1].strip() if len(words) > 1 else "")
            else:
                self._ask(" ".join(line.split()))
        except QabotError as error:
            self._screen.say(str(error), "red")

    def _command_name(self, words: Sequence[str]) -> str:
        """The command that a line names, as other programs' are named, too; empty if none."""
        name = words[0].lower()
        named = f"/{name.removeprefix(':')}"
        if name.startswith(":") and named in (*self._commands, "/exit"):
            return named
        if len(words) == 1 and name in ("exit", "help", "quit"):
            return named
        return name if name.startswith("/") else ""

    def _obey(self, name: str, argument: str) -> None:
        command = self._commands.get("/quit" if name == "/exit" else name)
        if command:
            command.run(argument)
            return
        near = difflib.get_close_matches(name, self._commands, n=1)
        remedy = f"did you mean {near[0]}?" if near else "/help lists all."
        self._screen.say(f"There is no command {name}; {remedy}", "red")

    def _ask(self, question: str) -> None:
        previous = tuple(self._questions)
        answer = self._answer(question, previous)
        self._last = _Asked(question, previous, list(answer.quotes))
        # Thanks are not looked up, so they are read with no question, and none leans on them.
        if not answer.small_talk:
            self._questions.append(question)
            read_as = standalone(question, previous)
            if read_as != question:
                self._screen.say(f"Read as: {read_as}", "dim")
        self._screen.display(render_answer(answer))

    def _answer(self, question: str, previous: Sequence[str], limit: int | None = None) -> Answer:
        """Ask the engine in a thread, so that Ctrl-C ends the waiting."""
        pool = ThreadPoolExecutor(1)
        try:
            future = pool.submit(self._engine.ask, question, previous=previous, limit=limit)
            if self._screen.console.is_terminal and wait([future], _PATIENCE).not_done:
                # No rich.status: if Ctrl-C comes while that starts, it is drawn for ever.
                try:
                    self._screen.announce("Searching …  (Ctrl-C cancels)")
                    return future.result()
                finally:
                    self._screen.erase_line()
            return future.result()
        finally:
            pool.shutdown(wait=False)

    def _show_more(self) -> None:
        last = self._last
        if last is None:
            self._screen.say("Ask a question first; /more then shows further quotes.")
            return
        page = self._engine.settings.quotes
        answer = self._answer(last.question, last.previous, len(last.quotes) + page)
        shown = {(quote.article.id, quote.text) for quote in last.quotes}
        quotes = [q for q in answer.quotes if (q.article.id, q.text) not in shown][:page]
        first = len(last.quotes) + 1
        last.quotes += quotes
        for number, quote in enumerate(quotes, first):
            self._screen.display(render_quote(quote, number), apart=number == first)
        if not quotes:
            self._screen.say(f"There are no more quotes for: {last.question}")

    def _show_context(self, argument: str) -> None:
        quotes = self._last.quotes if self._last else []
        number = int(argument) if argument.isdecimal() else 0 if argument else 1
        if not quotes:
            self._screen.say("There is no quote yet; /context shows the text around one.")
        elif not 1 <= number <= len(quotes):
            self._screen.say(
                f"There is no quote {argument}; name one from 1 to {len(quotes)}.", "red"
            )
        else:
            quote = quotes[number - 1]
            self._screen.display(render_context(quote, *self._engine.context(quote)))

    def _list(self, argument: str) -> None:
        infos = self._engine.articles()
        wanted = argument.casefold()
        found = [
            info
            for info in infos
            if wanted in f"{info.id}\n{info.title}\n{info.language}".casefold()
        ]
        if not found:
            self._screen.say(f"No article has {argument!r} in its id, title or language.")
            return
        self._screen.display(render_articles(found, self._engine.passage_counts()))

    def _show(self, argument: str) -> None:
        if not argument:
            self._screen.say(
                "Name an article by its id, or by the beginning of its id or title.", "red"
            )
            return
        page = render_article(self._engine.article(argument))
        self._screen.display(page)
        lines = len(self._screen.console.render_lines(page, pad=False))
        if self._lines.interactive and lines > _LONG:
            self._screen.say(f"That was {lines} lines; scroll up for its beginning.", "dim")

    def _renew(self) -> None:
        before = self._engine.manifest().identity
        try:
            result = self._rebuild()
        except KeyboardInterrupt:
            if not self._lines.interactive:
                raise
            published = self._engine.manifest().identity != before
            told = "answers come from the new index" if published else "the index is unchanged"
            self._screen.say_over(f"Rebuild cancelled; {told}.")
            return
        if result.changed:
            self._screen.say("Answers come from the new index now.")

    def _help(self) -> None:
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for command in self._commands.values():
            table.add_row(Text(f"{command.name} {command.argument}", "bold"), command.about)
        self._screen.display(
            Group(
                table,
                Text(),
                "Anything else is a question. Ctrl-C cancels a search or rebuild. Lines that begin "
                "with a blank are not kept in the history.",
            )
        )

    def _leave(self) -> None:
        self._left = True

    def _choices(self, command: str) -> Choices:
        """List what may follow a command, for completion."""
        if command == "/show":
            return [(info.id, info.title) for info in self._engine.articles()]
        if command == "/context" and self._last:
            return [
                (str(number), quote.text.split("\n")[0])
                for number, quote in enumerate(self._last.quotes, 1)
            ]
        return []


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

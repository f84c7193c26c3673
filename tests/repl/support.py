"""Support for tests of the chat: a chat over a small index, and a person who types."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from qabot.answering.engine import Engine
from qabot.encoders import FloatArray
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Progress, Summary
from qabot.render.terminal import NOT_FOUND, confidence_words
from qabot.repl import Repl
from qabot.settings import Settings
from tests.support import HashingEncoder, build_index, write_article

# The first three hold nearly all words of GOLD, and each more others than the one before it: all
# answer it, in this order, whatever the weights. Volcano and wind are about other things.
ARTICLES = {
    "gold": "Gold covers the mirror of the telescope in space.",
    "dust": "Dust also covers the mirror of the telescope in space.",
    "ice": "Ice slowly covers the mirror of the telescope in space.",
    "volcano": "Lava from the volcano reached the sea.",
    "wind": "Turbines stand on hills.",
}
GOLD = "what covers the mirror of the telescope in space?"
LAVA = "which lava reached the sea?"
CHEESE = "who made cheese?"

# Keys, as a terminal sends them.
ENTER, CTRL_C, CTRL_D, UP = "\r", "\x03", "\x04", "\x1b[A"


class StallingEncoder(HashingEncoder):
    """At the word "stall" presses Ctrl-C and finds nothing until the next question comes.

    At "linger", only the latter.
    """

    def __init__(self) -> None:
        super().__init__()
        self._next = threading.Event()

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        if "stall" in texts[0] or "linger" in texts[0]:
            if "stall" in texts[0]:
                press_ctrl_c()
            assert self._next.wait(10)
        else:
            self._next.set()
        return super().encode_query(texts)


class Chat:
    """A chat over an index of ``ARTICLES``, answered with two quotes at a time.

    Attributes:
        articles: The folder that the index is made from.
        history: The file of the prompt's history.
        report: Called with a rebuild's progress.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)  # So that quotes name short paths.
        self.articles = Path("articles")
        self.history = folder / "state" / "history"
        self.report: Callable[[Progress], None] = lambda progress: None
        self._index = folder / "index"
        self._cache = folder / "cache"
        self._monkeypatch = monkeypatch
        for name, text in ARTICLES.items():
            write_article(self.articles, name, text, title=name.title(), published="2024-05")
        build_index(self._index, self.articles)
        self.engine = Engine(
            IndexStore(self._index), StallingEncoder(), Settings(quotes=2, threshold=0.15)
        )

    def typed(self, *keys: str, said: io.StringIO | None = None, terminal: bool = False) -> str:
        """Press ``keys`` at a terminal of 80 columns; return the output.

        Args:
            said: Takes the output.
            terminal: It is drawn as on a terminal.
        """
        said = said or io.StringIO()
        with create_pipe_input() as pressed:
            pressed.send_text("".join(keys))
            Repl(
                self.engine,
                rebuild=self.rebuild,
                console=Console(file=said, width=80, force_terminal=terminal or None),
                input=pressed,
                output=DummyOutput(),
                history=self.history,
            ).run()
        return seen(said)

    def piped(self, *lines: str | bytes) -> str:
        """Pipe ``lines`` in; return the output."""
        data = b"".join(line.encode() + b"\n" if isinstance(line, str) else line for line in lines)
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        said = io.StringIO()
        self._monkeypatch.setattr("sys.stdout", said)
        Repl(self.engine, rebuild=self.rebuild).run()
        return seen(said)

    def sure(self, question: str, *previous: str) -> str:
        """The line that says how sure the answer to ``question`` is."""
        answer = self.engine.ask(question, previous=previous)
        if answer.status == "not_found":
            return f"{NOT_FOUND}  confidence {round(100 * answer.confidence)} %"
        return f"Answered here: {confidence_words(answer.confidence)}"

    def rebuild(self) -> Summary:
        """Bring the index up to date."""
        return rebuild(
            IndexStore(self._index),
            HashingEncoder(),
            IndexPlan((str(self.articles),), self._cache),
            self.report,
        )


def press_ctrl_c() -> None:
    """Send the signal that a terminal sends at Ctrl-C while no prompt is shown."""
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


def quote(number: int, name: str) -> tuple[str, str, str, str]:
    """The lines of a quote: the whole text of an article of ``ARTICLES``."""
    text = ARTICLES[name]
    return (
        f"{number}  {name.title()} (as of 2024-05, en)",
        f"   {text}",
        f"   articles/{name}.md:0–{len(text)}",
        "",
    )


def seen(said: io.StringIO) -> str:
    """The output, without invisible blanks at the ends of lines."""
    return lines(*(line.rstrip() for line in said.getvalue().splitlines()))


def lines(*parts: str) -> str:
    """``parts``, each a line."""
    return "".join(f"{part}\n" for part in parts)

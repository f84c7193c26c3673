"""The command ``qabot repl`` as it is: in a terminal, and at the end of a pipe."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest

from qabot.answering.engine import Engine
from qabot.render.terminal import confidence_words
from qabot.settings import Settings
from tests.conftest import RealIndex
from tests.support import clean_environment, run_qabot

COLUMNS, ROWS = 80, 24


class Terminal(pyte.Screen):
    """A terminal with a program in it; shows what a person would see.

    Attributes:
        program: The program.
    """

    def __init__(self, *command: str, cwd: Path, environment: dict[str, str]) -> None:
        super().__init__(COLUMNS, ROWS)
        self._stream = pyte.Stream(self)
        self.program = pexpect.spawn(
            command[0],
            list(command[1:]),
            cwd=str(cwd),
            env={**environment, "TERM": "xterm-256color"},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
        )

    def write_process_input(self, data: str) -> None:
        """The terminal's own answer to a request for the cursor's position."""
        self.program.send(data)

    def seen(self) -> list[str]:
        """The lines of the screen, without blanks at their ends and blank lines at its end."""
        return "\n".join(line.rstrip() for line in self.display).rstrip().split("\n")

    def wait(self, expected: list[str]) -> None:
        """Wait until the screen shows ``expected``; after half a minute, say what it shows."""
        deadline = time.monotonic() + 30
        while self.seen() != expected and time.monotonic() < deadline:
            try:
                self._stream.feed(self.program.read_nonblocking(4096, timeout=1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        assert expected == self.seen()


QUESTION = "wie breit ist der Spiegel des Teleskops?"
QUOTED = "Its main mirror is 6.5 metres wide and consists of 18 segments that are coated with gold."


@pytest.fixture(scope="module")
def answer(real_index: RealIndex) -> list[str]:
    """The lines that answer ``QUESTION``, where lines are long."""
    settings = Settings(cache=str(real_index.cache), threads=1)
    with Engine.open(real_index.folder, settings=settings) as engine:
        confidence = engine.ask(QUESTION).confidence
    return [
        "1  A telescope for the infrared (as of 2021-12-25, en)",
        f"   {QUOTED}",
        "   Mirror · https://example.org/jwst · 134–223",
        "",
        f"Answered here: {confidence_words(confidence)}",
        "",
    ]


# Newer Pythons warn of forks beside threads; pexpect replaces the fork by the program at once.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_in_a_terminal(real_index: RealIndex, tmp_path: Path, answer: list[str]) -> None:
    terminal = Terminal(
        *(sys.executable, "-c", "from qabot.cli import main; main()", "repl"),
        *("--index", str(real_index.folder)),
        cwd=tmp_path,
        environment=clean_environment(
            QABOT_CACHE=str(real_index.cache), QABOT_QUOTES="1", XDG_STATE_HOME=str(tmp_path)
        ),
    )
    greeting = [
        "4 articles in 4 languages (de, en, es, ja)",
        "Ask in any language; /help lists the commands.",
        "",
    ]
    with contextlib.closing(terminal.program):
        terminal.wait([*greeting, ">"])

        terminal.program.send("/s")
        terminal.wait([*greeting, "> /s", "     /show  a whole article"])
        terminal.program.send("\t")
        terminal.wait([*greeting, "> /show", "     /show  a whole article"])
        terminal.program.send(" はや")
        terminal.wait([*greeting, "> /show はや", "             hayabusa.ja  はやぶさ2の帰還"])
        terminal.program.send("\x03")
        terminal.wait([*greeting, ">"])

        terminal.program.send(f"{QUESTION}\r")
        wrapped = [f"   {line}" for line in (QUOTED[:71], QUOTED[72:])]
        answered = [*greeting, f"> {QUESTION}", "", answer[0], *wrapped, *answer[2:]]
        terminal.wait([*answered, ">"])
        terminal.program.send("\x03")
        terminal.wait([*answered, ">", "Ctrl-D leaves.", ">"])
        terminal.program.send("\x04")
        terminal.program.expect(pexpect.EOF)
    expected = 0
    assert expected == terminal.program.exitstatus


def test_at_the_end_of_a_pipe(real_index: RealIndex, tmp_path: Path, answer: list[str]) -> None:
    finished = run_qabot(
        *("repl", "--index", real_index.folder),
        cwd=tmp_path,
        environment={"QABOT_CACHE": str(real_index.cache), "QABOT_QUOTES": "1"},
        stdin=f"{QUESTION}\n/foo\n",
    )
    said = [*answer, "There is no command /foo; /help lists all."]
    expected = (0, "".join(f"{line}\n" for line in said), "")
    assert expected == (finished.returncode, finished.stdout, finished.stderr)

"""Commands, options and exit codes in the documentation are those of ``qabot``, and all of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from qabot.cli import app
from qabot.cli.exits import BAD_INPUT, NOT_FOUND
from qabot.errors import QabotError
from tests.docs.support import PAGES, blocks, code, name_of, page, rows
from tests.support import ROOT
from tools.write_help import renewed

COMMANDS = typer.main.get_group(app).commands
OPTIONS = {
    name: {text for option in command.params for text in (*option.opts, *option.secondary_opts)}
    | {"--help", "-h", "--debug"}
    for name, command in COMMANDS.items()
}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))


def lines(text: str) -> Iterator[list[str]]:
    """The words of each command line in a page's shell blocks."""
    for block in blocks(text, "sh"):
        for line in block.splitlines():
            for command in line.split(" && "):
                yield shlex.split(command, comments=True)


def errors(base: type[QabotError]) -> Iterator[type[QabotError]]:
    yield base
    for kind in base.__subclasses__():
        yield from errors(kind)


def test_the_reference_is_what_the_commands_print():
    assert page("commands") == renewed(page("commands")), "run python -m tools.write_help"


def test_the_list_of_commands_cuts_no_sentence_off(call):
    _, found, listed = call("--help").out.partition("Commands:\n")
    assert found
    assert listed.count("\n") == len(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed.splitlines())


def test_usage_lines_bracket_each_argument_once():
    usages = re.findall(r"^Usage: .*$", page("commands"), re.MULTILINE)
    assert len(usages) == len(COMMANDS)
    assert not [usage for usage in usages if re.search(r"\[\[|\.\.\.\]", usage)]


def test_the_readme_and_the_reference_name_every_command():
    assert re.findall(r"^## qabot (.+)$", page("commands"), re.MULTILINE) == list(COMMANDS)
    assert {"rebuild", "ask", "repl", "bot", "doctor", "verify"} <= set(COMMANDS)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_command_lines_are_such_as_qabot_takes(path: Path):
    for line in lines(path.read_text("utf-8")):
        words = [word for word in line if not word.startswith("QABOT_")]
        if ">" in words:
            words = words[: words.index(">")]
        if words and Path(words[0]).name == "qabot":
            name, arguments = words[1], [word for word in words[2:] if word != "--debug"]
            assert name in COMMANDS, words
            # Raises UsageError for an option or a number of arguments that it does not take.
            COMMANDS[name].make_context(name, list(arguments))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_options_and_commands_in_the_text_exist(path: Path):
    prose = re.sub(r"^ *```.*?^ *```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    known = set().union(*OPTIONS.values())
    for text in re.findall(r"`([^`\n]+)`", prose):
        words = text.split()
        options = {word for word in words if re.fullmatch(r"--[a-z][a-z-]*", word)}
        if words[0].startswith("-"):
            assert options <= known, text
        if words[0] == "qabot" and len(words) > 1:
            assert words[1] in COMMANDS or words[1].startswith("-"), text
            assert options <= OPTIONS.get(words[1], known), text


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_make_has_the_targets(path: Path):
    text = path.read_text("utf-8")
    in_prose = [words.split() for words in re.findall(r"`make ([^`\n]+)`", text)]
    in_blocks = [words[1:] for words in lines(text) if words[:1] == ["make"]]
    for words in (*in_prose, *in_blocks):
        named = [word for word in words if re.fullmatch(r"[a-z]+", word)]
        assert set(named) <= TARGETS, words


def test_exit_codes_are_those_that_are_given():
    documented = [int(number) for number, _ in rows(page("commands"), "exit code")]
    given = {kind.exit_code for kind in errors(QabotError)} | {0, NOT_FOUND, BAD_INPUT, 130}
    assert documented == sorted(given)


def test_the_commands_of_the_chat_are_listed(real_index, call, monkeypatch):
    monkeypatch.setenv("QABOT_CACHE", str(real_index.cache))
    listed = [code(cells[0])[0] for cells in rows(page("answers"), "command")]
    shown = call("repl", "--index", real_index.folder, "--no-reader", stdin=b"/help\n")
    assert listed == re.findall(r"^(/[a-z]+)", shown.out, re.MULTILINE)

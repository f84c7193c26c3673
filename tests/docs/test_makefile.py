"""The README's first commands do what it says of them: what make would run in a fresh clone."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.support import blocks
from tests.support import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CLONE, ASK, TEST = (
    shlex.split(line, comments=True) for line in blocks(README, "sh")[0].splitlines()
)
VENV, INSTALL, BUILD = "-m venv .venv", "-e '.[dev]' -c constraints.txt", "qabot rebuild"
ANSWER, TESTS = 'qabot ask -- "$ASK_QUESTION"', "-m pytest"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what make reads of a fresh clone."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def steps(folder: Path, command: list[str]) -> list[str]:
    """What a command line of make would run, in order, without running it."""
    # The tests themselves may have been started by make.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    run = subprocess.run(
        [command[0], "-n", *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    known = "|".join(map(re.escape, (VENV, INSTALL, BUILD, ANSWER, TESTS)))
    return re.findall(known, run.stdout)


def test_two_commands_follow_the_clone():
    assert CLONE[:2] == ["git", "clone"]
    assert (ASK[:2], TEST) == (["make", "ask"], ["make", "test"])


def test_the_first_installs_builds_an_index_and_asks(clone):
    assert steps(clone, ASK) == [VENV, INSTALL, BUILD, ANSWER]


def test_the_second_needs_not_the_first(clone):
    assert steps(clone, TEST) == [VENV, INSTALL, TESTS]


def test_what_is_there_is_not_made_again(clone):
    for name in (".venv/bin/pip", ".venv/.installed", "index/CURRENT"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).touch()
    assert (steps(clone, ASK), steps(clone, TEST)) == ([ANSWER], [TESTS])

"""Signals: a command that is interrupted says so on one line and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import clean_environment, write_article

# Presses Ctrl-C when a module is about to be imported, which may be at any moment of a command.
PRESSED = """
import os, signal, sys

MOMENT = sys.argv.pop(1)

class Presser:
    def find_spec(self, name, path=None, target=None):
        if name == MOMENT:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Presser())
from qabot.__main__ import main
main()
"""
LONG = "\n\n".join(f"Line {number} is new." for number in range(9000))


def pressed(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in ``folder`` a script that presses Ctrl-C at some moment of a command."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=clean_environment(QABOT_CACHE=str(folder / "cache")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    "module",
    ["qabot.cli", "typer", "qabot.cli.rebuild", "qabot.settings", "numpy", "pathspec"],
)
def test_ctrl_c_at_any_moment_is_one_line(tmp_path, module):
    write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
    result = pressed(tmp_path, PRESSED, module, "rebuild", "articles", "--exclude", "*.tmp")
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "qabot: interrupted\n")


# Sends a signal when the command is done and Python ends.
PRESSED_LATE = """
import atexit, os, sys
from qabot.__main__ import main
atexit.register(os.kill, os.getpid(), int(sys.argv.pop(1)))
main()
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 2), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)],
)
def test_a_signal_after_the_work_adds_no_line(tmp_path, number, code):
    result = pressed(tmp_path, PRESSED_LATE, str(int(number)), "rebuild", "missing")
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr == "qabot: missing: no such file or folder; check the path\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, -signal.SIGTERM),
        (signal.SIGHUP, -signal.SIGHUP),
    ],
)
def test_a_rebuild_that_is_ended_leaves_nothing_behind(tmp_path, real_index, number, code):
    write_article(tmp_path / "articles", "long", LONG)
    with subprocess.Popen(
        [sys.executable, "-m", "qabot", "rebuild", "articles", "--progress"],
        cwd=tmp_path,
        env=clean_environment(QABOT_CACHE=str(real_index.cache)),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if '"stage": "encoding"' in line:
                break
        process.send_signal(number)
        rest = [line for line in process.stderr if not line.startswith("{")]
    assert process.returncode == code
    assert rest == (["qabot: interrupted\n"] if number == signal.SIGINT else [])
    assert leftovers(tmp_path) == []


def leftovers(folder: Path) -> list[str]:
    """Everything in the index folder but its lock."""
    names = {path.name for path in (folder / "index").rglob("*")}
    return sorted(names - {"LOCK", "generations"})

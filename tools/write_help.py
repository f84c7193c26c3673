"""Write the help of every command into ``docs/commands.md``: ``python -m tools.write_help``."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from qabot.cli import app

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
_FIRST = "## qabot "
_WIDTH = 100


def renewed(page: str) -> str:
    """``page`` with the help of all commands, in the order of ``qabot --help``, as its end."""
    introduction = page.partition(_FIRST)[0]
    names = typer.main.get_group(app).commands
    return introduction + "\n".join(f"{_FIRST}{name}\n\n{_help(name)}" for name in names)


def _help(name: str) -> str:
    result = CliRunner().invoke(
        app, [name, "--help"], prog_name="qabot", terminal_width=_WIDTH, catch_exceptions=False
    )
    return f"```text\n{result.stdout}```\n"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")

"""Print results on standard output, notes and complaints on standard error."""

from __future__ import annotations

import io
import os
import sys

from qabot.processes import hide_secrets
from qabot.text import UNPRINTABLE, printable_line


def prepare_output() -> None:
    """Make the standard streams exist and take every character; pipes are UTF-8."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # Closed by the caller (`>&-`).
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def flush() -> None:
    """Flush standard output; drop the rest if it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        # Otherwise the interpreter would try again at exit and print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(line: str) -> None:
    """Print one line on standard error about what is wrong."""
    sys.stderr.write(f"qabot: {printable_line(hide_secrets(line))}\n")


def note(line: str) -> None:
    """Print one line on standard error about what is going on."""
    sys.stderr.write(f"{_shown(hide_secrets(line))}\n")


def write_line(line: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(f"{_shown(line)}\n")


def write_bold(bold: str, rest: str) -> None:
    """Print a line that begins in bold if the terminal can."""
    from rich.text import Text

    from qabot.render.terminal import open_console

    open_console().print(Text.assemble((_shown(bold), "bold"), _shown(rest)))


def _shown(line: str) -> str:
    """Replace what a terminal would obey: names of folders may hold anything."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line)

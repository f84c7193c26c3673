"""What commands print: lines on standard output, notes and complaints on standard error."""

from __future__ import annotations

import io
import os
import sys

from qabot.text import printable_line


def prepare_output() -> None:
    """Streams that exist and take every character: UTF-8 where programs read them."""
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
    """Write what is left to be written, or drop it where that cannot be."""
    try:
        sys.stdout.flush()
    except OSError:
        # Else the interpreter tries again when it ends, and prints a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(line: str) -> None:
    """Say on standard error what is wrong, on one line."""
    sys.stderr.write(f"qabot: {printable_line(line)}\n")


def note(line: str) -> None:
    """Say on standard error what is going on."""
    sys.stderr.write(f"{line}\n")


def write_line(line: str) -> None:
    """Print a line of what was asked for."""
    sys.stdout.write(f"{line}\n")


def write_bold(bold: str, rest: str) -> None:
    """Print a line that begins in bold, where the terminal can."""
    from rich.text import Text

    from qabot.render.terminal import open_console

    open_console().print(Text.assemble((bold, "bold"), rest))

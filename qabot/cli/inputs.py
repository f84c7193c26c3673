"""Open what flags name: settings, an engine, a generation of the index, the lines of a file."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qabot.cli.output import note
from qabot.errors import UsageError

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.index import AnyGeneration
    from qabot.settings import Settings


def settings_with(**flags: Any) -> Settings:
    """Load the settings in force; ``None`` means that a flag was not given."""
    from qabot.settings import load_settings

    return load_settings(flags)


def named_reader(reader: str | None, no_reader: bool) -> str | None:
    """Return the reader that the flags name; ``None`` for the settings' one."""
    if reader and no_reader:
        raise UsageError("--reader and --no-reader were given; give one of them")
    return "none" if no_reader else reader


@contextmanager
def opened_engine(settings: Settings) -> Iterator[Engine]:
    """Open an engine with the settings' index and models for the block."""
    from qabot.answering.engine import Engine

    with Engine.open(settings=settings, notify=note) as engine:
        yield engine


@contextmanager
def opened_generation(settings: Settings) -> Iterator[AnyGeneration]:
    """Open the live generation of the settings' index for the block."""
    from qabot.index import open_store

    generation = open_store(settings).open()
    try:
        yield generation
    finally:
        generation.close()


def lines_of(file: str) -> list[str]:
    """Read the lines of a text file, or of standard input for ``-``.

    Raises:
        UsageError: The file cannot be read, or is not UTF-8 text.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        # Not splitlines(): it would also split at U+2028, which JSON may hold.
        return io.StringIO(data.decode("utf-8-sig"), newline=None).read().split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a text file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text; convert it") from error

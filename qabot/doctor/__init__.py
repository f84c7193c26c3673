"""Check everything that qabot needs, and say how to mend each fault.

The checks change nothing, and a fault in one does not stop the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from qabot.doctor.check import Check, fault
from qabot.doctor.index import generation_checks, index_checks, leftovers_check
from qabot.doctor.surroundings import (
    confidence_check,
    model_check,
    reader_check,
    sources_check,
    space_checks,
    token_check,
)
from qabot.doctor.web import web_checks
from qabot.errors import SettingsError, UnusableIndexError
from qabot.index import open_store
from qabot.settings import Settings, load_settings

__all__ = ["Check", "examine", "exit_code"]

_OF_THE_INDEX = {"index", "counts", "vectors"}


def examine(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Check]:
    """Run all checks, one with each step.

    Args:
        flags: Settings from the command line, as ``load_settings`` takes them.
        environment: The process's variables, perhaps with a Discord token.
    """
    try:
        settings = load_settings(flags, environment=environment)
        yield Check("settings", "ok", f"index {settings.index}, encoder {settings.encoder}")
    except SettingsError as error:
        yield fault("settings", error)
        settings = _usable_settings(flags, environment)
    store = open_store(settings)
    yield sources_check(store, settings)
    encoder, model = model_check(settings)
    yield model
    reader, read = reader_check(settings, model)
    yield read
    if encoder and read.status == "ok":
        yield confidence_check(store, encoder, reader)
    yield from index_checks(store, encoder)
    yield from generation_checks(store)
    yield leftovers_check(store, settings.cache_folder)
    yield from web_checks(store, settings)
    yield from space_checks(store, settings)
    yield token_check(settings.token_file, environment)


def _usable_settings(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Load the settings without the flags, else the flags alone, else the defaults."""
    with contextlib.suppress(SettingsError):
        return load_settings({}, environment=environment)
    with contextlib.suppress(ValueError):
        return Settings(**{name: flag for name, flag in flags.items() if flag is not None})
    return Settings()


def exit_code(checks: Iterable[Check]) -> int:
    """Return 3 if the index cannot be used, 2 for any other fault, else 0."""
    faults = {check.name for check in checks if check.status == "fault"}
    return UnusableIndexError.exit_code if faults & _OF_THE_INDEX else 2 if faults else 0

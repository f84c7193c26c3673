"""What can be fuzzed, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Function = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A parser of qabot's.

    Attributes:
        run: Hands it bytes; raises where it breaks its promise.
        seeds: Input that it can read, to begin with.
    """

    name: str
    run: Function
    seeds: tuple[bytes, ...]


TARGETS: dict[str, Target] = {}
"""Filled by the modules of targets, which ``fuzz.targets`` imports."""


def target(*seeds: bytes | str) -> Callable[[Function], Function]:
    """Enter a function among the targets, under its own name."""

    def enter(function: Function) -> Function:
        given = tuple(seed.encode() if isinstance(seed, str) else seed for seed in seeds)
        TARGETS[function.__name__] = Target(function.__name__, function, given)
        return function

    return enter


def text_of(data: bytes) -> str:
    """Any text; bytes that are none become lone surrogates, as they do in arguments."""
    return data.decode("utf-8", "surrogateescape")


def is_line(text: str) -> bool:
    """Whether ``text`` can be told to a person on one line."""
    return bool(text) and text.isprintable() and len(text) <= 1_000

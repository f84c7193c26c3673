"""Readers whose reads fail, or whose files change while they are open."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from faults import reads
from faults.site import ASK, Campaign, Row, Site

Damage = Callable[[Path], object]
# The engine has answered so many questions when a file changes.
_ANSWERED = 2


def _rewrite(path: Path, content: bytes) -> None:
    """Put other bytes into a file that stays the same, as open files see it."""
    with path.open("r+b") as file:
        file.truncate(len(content))
        file.write(content)


def _overwrite(path: Path) -> None:
    size = path.stat().st_size
    begin = path.read_bytes()[:128]  # Its header stays.
    _rewrite(path, begin + random.Random(0).randbytes(max(0, size - len(begin))))


def _zero(path: Path) -> None:
    _rewrite(path, bytes(path.stat().st_size))


def _halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


CHANGES: dict[str, tuple[Damage, ...]] = {
    "is cut short": (_halve, _empty),
    "is overwritten with random bytes or zeros": (_overwrite, _zero),
}


def count_reads(campaign: Campaign) -> int:
    """Count the reads of the index while all questions are asked."""
    for site in campaign.sites(1):
        log = site.folder / "log"

        def enter(_: str, log: Path = log) -> None:
            # By the system's own calls, which nobody watches here.
            descriptor = _OPEN(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(descriptor, b".")
            os.close(descriptor)

        site.run(*ASK, harm=_harm(enter, site))
        return log.stat().st_size
    raise AssertionError("unreachable")


_OPEN = os.open


def _harm(happens: reads.Happens, site: Site) -> Callable[[], object]:
    stack = contextlib.ExitStack()
    return lambda: stack.enter_context(reads.watched(happens, site.index))


def failing_reads(campaign: Campaign, numbers: list[int]) -> Iterator[Row]:
    """Each read of the index in turn fails, while questions are asked."""
    row = Row("each read of a question in turn fails: the disk is broken")
    for number, site in zip(numbers, campaign.sites(len(numbers)), strict=True):
        count = -1

        def happens(name: str, number: int = number) -> None:
            nonlocal count
            count += 1
            if count == number:
                reads.fail(name)

        ended = site.run(*ASK, harm=_harm(happens, site))
        row.codes[ended.code] += 1
        site.judge_begun(row, ended)
        site.repair(row)
        yield row


def changed_files(campaign: Campaign, what: str, names: list[str]) -> Iterator[Row]:
    """Each file of the live generation changes under an engine that has answered questions."""
    row = Row(f"each file of the index {what}, under an open engine")
    cases = [(name, damage) for name in names for damage in CHANGES[what]]
    for (name, damage), site in zip(cases, campaign.sites(len(cases)), strict=True):
        ended = site.run(*ASK, harm=_changing(site.index / name, damage))
        row.codes[ended.code] += 1
        if site.judge_begun(row, ended, answered=_ANSWERED) == "refused":
            if f"index/{name}: " not in ended.err:
                row.problems.append(f"{name} is not named: {ended.err!r}")
        elif not name.startswith("CURRENT"):
            row.problems.append(f"{name}: nobody noticed")
        site.repair(row)
        yield row


def _changing(path: Path, damage: Damage) -> Callable[[], None]:
    """Changes a file before question ``_ANSWERED``, in the process that asks."""

    def harm() -> None:
        from qabot.answering.engine import Engine

        real = Engine.ask_many
        asked = 0

        def ask_many(engine: Engine, requests: object) -> object:
            nonlocal asked
            if asked == _ANSWERED:
                damage(path)
            asked += 1
            return real(engine, requests)  # type: ignore[arg-type]  # passed on as given

        Engine.ask_many = ask_many  # type: ignore[method-assign, assignment]

    return harm

"""Rebuilds that are killed, whose writes fail, or whose power is cut."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from faults.commands import Ended
from faults.disk import Happens, Write, watched
from faults.site import REBUILD, Campaign, Row, Site

ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "permission is denied",
    errno.EIO: "the disk is broken",
}

_BEYOND = 1.1


def _harm(happens: Happens, *, after: bool = False) -> Callable[[], object]:
    """Puts ``happens`` before or after the writes of a process, for as long as that lives."""
    stack = contextlib.ExitStack()
    return lambda: stack.enter_context(watched(happens, after=after))


def _at(number: int, act: Callable[[], object]) -> Happens:
    """Act before write ``number``."""
    count = -1

    def happens(_: Write) -> None:
        nonlocal count
        count += 1
        if count == number:
            act()

    return happens


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _look(site: Site, row: Row, ended: Ended) -> None:
    """After a rebuild that may have been stopped: whole answers, and the next one repairs."""
    _look_on(site, row, ended)
    site.repair(row)


def _look_on(site: Site, row: Row, ended: Ended) -> None:
    """After a rebuild that may have been stopped: whole answers."""
    site.rebuilt(row, ended)
    state = site.judge(row)
    if state == "refused" or (ended.code == 2 and state != "before"):
        row.problems.append(f"code {ended.code}, but {state}: {ended.err!r}")


def writes(campaign: Campaign) -> list[Write]:
    """The writes of a rebuild that nothing harms, in their order."""
    for site in campaign.sites(1):
        with _logged(site) as log:
            site.run(*REBUILD, harm=_harm(log))
            return _log(site)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def _logged(site: Site) -> Iterator[Happens]:
    """Enters each write in a file, by a descriptor of its own, whatever becomes of the process."""
    number = os.open(site.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:

        def enter(write: Write) -> None:
            line = json.dumps([write.name, write.paths, write.inode])
            os.write(number, f"{line}\n".encode())

        yield enter
    finally:
        os.close(number)


def _log(site: Site) -> list[Write]:
    lines = (site.folder / "log").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [Write(name, tuple(paths), inode) for name, paths, inode in entries]


def killed_at_random(campaign: Campaign, times: int, seed: int) -> Iterator[Row]:
    """SIGKILL at moments drawn over the whole length of a rebuild, every other one in full."""
    row = Row("SIGKILL at a random moment of a rebuild")
    chance = random.Random(seed)
    while (number := row.codes.total()) < times:
        for site in campaign.sites(1):
            running = site.start(*REBUILD, *(["--full"] if number % 2 else []))
            # A little beyond, as some take longer: the last moments are those that publish.
            time.sleep(chance.uniform(0, _BEYOND * campaign.seconds))
            running.kill()
            ended = running.end()
            # Where it was done before, another moment is drawn: nothing was killed.
            if ended.code != 0:
                _look(site, row, ended)
                yield row


def killed_at_writes(campaign: Campaign, numbers: list[int]) -> Iterator[Row]:
    """SIGKILL just before each write, those that publish among them."""
    row = Row("SIGKILL before each write of a rebuild")
    for number, site in zip(numbers, campaign.sites(len(numbers)), strict=True):
        _look(site, row, site.run(*REBUILD, harm=_harm(_at(number, _die))))
        yield row


def killed_after_moves(campaign: Campaign, numbers: list[int]) -> Iterator[Row]:
    """SIGKILL when a file or folder has just got its name, and nothing has followed yet.

    Args:
        numbers: Which of them, counted by themselves.
    """
    row = Row("SIGKILL after each renaming of a rebuild")
    for number, site in zip(numbers, campaign.sites(len(numbers)), strict=True):
        die = _at(number, _die)

        def happens(write: Write, die: Happens = die) -> None:
            if write.moves:
                die(write)

        _look(site, row, site.run(*REBUILD, harm=_harm(happens, after=True)))
        yield row


def killed_while_encoding(campaign: Campaign, numbers: list[int]) -> Iterator[Row]:
    """SIGKILL when some texts were encoded, and again when the next rebuild has encoded more.

    Args:
        numbers: After how many texts.
    """
    row = Row("SIGKILL while a rebuild encodes, and while the next one goes on from there")
    for number, site in zip(numbers, campaign.sites(len(numbers)), strict=True):
        site.run(*REBUILD, "--full", harm=_encoding_ends(number))
        _look_on(site, row, site.run(*REBUILD, "--full", harm=_encoding_ends(number)))
        site.repair(row)
        yield row


def _encoding_ends(number: int) -> Callable[[], object]:
    """Keep each vector at once, and die when so many were kept."""

    def harm() -> None:
        from qabot.index import encoded
        from qabot.indexing import encode

        encoded.SECONDS, encode.GROUP = 0.0, 1
        add, count = encoded.EncodedTexts.add, 0

        def adding(*arguments: Any) -> None:
            nonlocal count
            add(*arguments)
            count += 1
            if count == number:
                _die()

        mock.patch.object(encoded.EncodedTexts, "add", adding).start()

    return harm


def failing_writes(campaign: Campaign, numbers: list[int], error: int) -> Iterator[Row]:
    """Each write in turn fails."""
    row = Row(f"each write of a rebuild in turn fails: {ERRORS[error]}")

    def fail() -> None:
        raise OSError(error, os.strerror(error))

    for number, site in zip(numbers, campaign.sites(len(numbers)), strict=True):
        _look(site, row, site.run(*REBUILD, harm=_harm(_at(number, fail))))
        yield row


def limited_files(campaign: Campaign, sizes: list[int]) -> Iterator[Row]:
    """No file may grow beyond some bytes: libraries that write without Python meet it, too."""
    row = Row("a file of a rebuild cannot grow, at each file's size")
    for size, site in zip(sizes, campaign.sites(len(sizes)), strict=True):
        limits = size, resource.RLIM_INFINITY

        def harm(limits: tuple[int, int] = limits) -> None:
            # Python ignores the signal of such a write, so that the write itself fails.
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

        _look(site, row, site.run(*REBUILD, harm=harm))
        yield row


def file_sizes(campaign: Campaign) -> list[int]:
    """One byte less than each file of an index has, so that it is the first that does not fit."""
    for site in campaign.sites(1):
        from qabot.index import IndexStore

        manifest = IndexStore(site.index).manifest()
        own = site.index / f"generations/{manifest.generation}/manifest.json"
        sizes = [stamp.size for stamp in manifest.paths().values()]
        return sorted({size - 1 for size in (*sizes, own.stat().st_size)})
    raise AssertionError("unreachable")


def power_cuts(campaign: Campaign, numbers: list[int], seed: int) -> Iterator[Row]:
    """The power fails before each write: what was not flushed is cut short, or never happened."""
    row = Row("the power fails before each write of a rebuild")
    chance = random.Random(seed)
    for number, site in zip(numbers, campaign.sites(len(numbers)), strict=True):
        known = {path.stat().st_ino for path in site.index.rglob("*")}
        current = (site.index / "CURRENT").read_text("ascii")
        with _logged(site) as log:
            die = _at(number, _die)

            def happens(write: Write, log: Happens = log, die: Happens = die) -> None:
                die(write)
                log(write)

            ended = site.run(*REBUILD, harm=_harm(happens))
        _lose(site, known, current, chance)
        _look(site, row, ended)
        yield row


def _lose(site: Site, known: set[int], current: str, chance: random.Random) -> None:
    """Undo what no flush has made last."""
    done = _log(site)
    flushed = {write.inode for write in done if write.name == "fsync"}
    for path in (path for path in site.index.rglob("*") if path.is_file()):
        if path.stat().st_ino not in known | flushed:
            os.truncate(path, chance.randint(0, path.stat().st_size))
    moves = [(at, write) for at, write in enumerate(done) if write.moves]
    for at, write in reversed(moves):
        target = Path(write.paths[-1])
        folder = site.folder / target.parent
        later = {w.inode for w in done[at:] if w.name == "fsync"}
        if folder.exists() and folder.stat().st_ino in later:
            continue
        # Whether the name has reached the disk without a flush is a matter of luck.
        if target.name == "CURRENT" and chance.random() < 0.5:
            (site.folder / target).write_text(current, "ascii")
        elif target.parent.name in ("generations", "segments"):
            shutil.rmtree(site.folder / target, ignore_errors=True)

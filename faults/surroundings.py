"""Faults around an index: clocks, vanishing sources, crowds, readers that are killed."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from faults.commands import Ended
from faults.corpus import AFTER, BEFORE, write
from faults.site import REBUILD, Campaign, Row, Site

DAY = 86_400
# From today: at the beginning of time, last year, and at the end of what 32 bits hold.
CLOCKS = (-time.time(), -365.0 * DAY, 11 * 365.0 * DAY)


def _shifted_clock(seconds: float) -> Callable[[], None]:
    """Sets the clock of a process, as far as its Python code can see it."""

    def harm() -> None:
        real = time.time

        class Shifted(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Shifted:
                return cls.fromtimestamp(max(0.0, real() + seconds), tz)

        mock.patch("time.time", side_effect=lambda: max(0.0, real() + seconds)).start()
        for name, module in list(sys.modules.items()):
            if name.startswith("qabot") and getattr(module, "datetime", None) is dt.datetime:
                mock.patch.object(module, "datetime", Shifted).start()

    return harm


def wrong_clock(campaign: Campaign) -> Iterator[Row]:
    """The clock is set back or ahead before a rebuild, and the times of the sources with it."""
    row = Row("the clock is set back or ahead")
    for seconds, site in zip(CLOCKS, campaign.sites(len(CLOCKS)), strict=True):
        harm = _shifted_clock(seconds)
        for path in (site.folder / "articles").iterdir():
            os.utime(path, (max(0, time.time() + seconds),) * 2)
        site.rebuilt(row, site.run(*REBUILD, harm=harm))
        _expect_state(
            site, row, "after", site.start("ask", "--batch", "questions", "--json", harm=harm).end()
        )
        # Back to the articles as they were, under a clock that is right again, and to and fro.
        write(site.folder / "articles", BEFORE)
        for _ in range(3):
            site.run(*REBUILD, "--full")
        _expect_state(site, row, "before")
        if (numbers := _numbers(site)) != [5, 6, 7]:
            row.problems.append(f"the generations are {numbers}, not the last three")
        write(site.folder / "articles", AFTER)
        site.repair(row)
        yield row


def _numbers(site: Site) -> list[int]:
    names = [path.name for path in (site.index / "generations").iterdir()]
    return sorted(int(name) for name in names if name.isdecimal())


def _expect_state(site: Site, row: Row, wanted: str, ended: Ended | None = None) -> None:
    if (state := site.judge(row, ended)) != wanted:
        row.problems.append(f"answers are {state}, not {wanted}")


def vanishing_sources(campaign: Campaign) -> Iterator[Row]:
    """A file, or the whole folder, vanishes before the file of each number is read."""
    row = Row("a source vanishes half-way")
    cases = [(number, whole) for whole in (True, False) for number in range(len(AFTER))]
    for (number, whole), site in zip(cases, campaign.sites(len(cases)), strict=True):
        articles = site.folder / "articles"
        gone = articles if whole else articles / f"{sorted(AFTER)[number]}.md"
        ended = site.run(*REBUILD, harm=_vanishing(articles, gone, number))
        site.rebuilt(row, ended, may_skip=not whole)
        if whole:
            _expect_state(site, row, "before")
        else:
            row.states["after"] += 1
            left = {name: text for name, text in AFTER.items() if name != gone.stem}
            if ended.code != 2 or gone.name not in ended.out or site.texts() != left:
                row.problems.append(f"without {gone.name}: {ended}, {sorted(site.texts())}")
        write(articles, AFTER)
        site.repair(row)
        yield row


def _vanishing(articles: Path, gone: Path, number: int) -> Callable[[], object]:
    """Removes ``gone`` when file ``number`` of ``articles`` is about to be opened."""
    count = -1
    real = Path.open

    def opened(path: Path, mode: str = "r", *arguments: object, **options: object) -> object:
        nonlocal count
        if path.parent.name == articles.name and mode == "rb":
            count += 1
            if count == number:
                shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        return real(path, mode, *arguments, **options)  # type: ignore[call-overload]  # passed on as given

    return lambda: mock.patch.object(Path, "open", opened).start()


def crowds(campaign: Campaign, rounds: int, readers: int = 10) -> Iterator[Row]:
    """Two rebuilds and ten readers at once; every generation but the live one may be removed."""
    row = Row(f"two rebuilds and {readers} readers at once")
    for site in campaign.sites(rounds):
        reading = [site.ask() for _ in range(readers // 2)]
        rebuilding = [site.start(*REBUILD) for _ in range(2)]
        reading += [site.ask() for _ in range(readers - len(reading))]
        codes = []
        for running in rebuilding:
            ended = running.end()
            site.rebuilt(row, ended)
            codes.append(ended.code)
        if 0 not in codes or not set(codes) <= {0, 4}:
            row.problems.append(f"the rebuilds ended with {codes}")
        for running in reading:
            if site.judge(row, running.end(), during=True) == "refused":
                row.problems.append("a reader was refused")
        site.repair(row)
        yield row


def killed_readers(campaign: Campaign, times: int, seed: int) -> Iterator[Row]:
    """Readers are killed at random moments: what they read must not be held for ever."""
    row = Row("SIGKILL at a random moment of a reader")
    chance = random.Random(seed)
    while row.codes.total() < 2 * times:
        for site in campaign.sites(1):
            reading = [site.ask() for _ in range(2)]
            time.sleep(chance.uniform(0, campaign.seconds))
            for running in reading:
                running.kill()
            codes = [running.end().code for running in reading]
            # Where one was done before, another moment is drawn.
            if 0 in codes:
                continue
            row.codes.update(codes)
            for _ in range(3):
                site.run(*REBUILD, "--full")
            if (numbers := _numbers(site)) != [4, 5, 6]:
                row.problems.append(f"the generations are {numbers}: one is still held")
            _expect_state(site, row, "after")
            site.repair(row)
            yield row


def held_generations(campaign: Campaign) -> Iterator[Row]:
    """A generation is read while rebuilds would remove it."""
    from qabot.index import IndexStore

    row = Row("a generation is to be removed while it is read")
    for site in campaign.sites(1):
        with contextlib.closing(IndexStore(site.index).open()) as held:
            for _ in range(4):
                site.rebuilt(row, site.run(*REBUILD, "--full"))
            infos = held.database.infos()
            articles = [held.database.article(info.id) for info in infos]
            texts = {article.info.id: article.text for article in articles if article}
        row.states["before" if texts == BEFORE else "wrong"] += 1
        if texts != BEFORE or 3 not in _numbers(site):
            row.problems.append(f"generation 3 was read as {sorted(texts)}")
        site.run(*REBUILD, "--full")
        if (numbers := _numbers(site)) != [6, 7, 8]:
            row.problems.append(f"the generations are {numbers}: one is still held")
        site.repair(row)
        yield row

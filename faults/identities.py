"""Folders and files that are whole, but in the place of others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from faults.commands import cache_folder
from faults.site import REBUILD, Campaign, Row, Site, told_by

Change = Callable[[Path], object]


def _exchange(index: Path) -> None:
    folder = index / "generations"
    (folder / "2").rename(folder / "aside")
    (folder / "3").rename(folder / "2")
    (folder / "aside").rename(folder / "3")


def _copy_earlier(index: Path) -> None:
    shutil.rmtree(index / "generations/3")
    shutil.copytree(index / "generations/2", index / "generations/3")


def _rename(index: Path) -> None:
    _name_live(index, 7)
    (index / "generations/3").rename(index / "generations/7")


def _earlier_number(index: Path) -> None:
    _name_live(index, 2)


def _name_live(index: Path, number: int) -> None:
    """Give the live generation another number in ``CURRENT``, with a checksum that is right."""
    from qabot.index import Identity, IndexStore

    (index / "CURRENT").write_text(Identity(number, IndexStore(index).live().id).line, "ascii")


def _bare_number(index: Path) -> None:
    (index / "CURRENT").write_text("3\n")


CHANGES: dict[str, Change] = {
    "two generations are exchanged": _exchange,
    "an earlier one is copied over the live one": _copy_earlier,
    "the live one is renamed, and CURRENT with it": _rename,
    "CURRENT gets the number of another": _earlier_number,
    "CURRENT loses its id": _bare_number,
}


def confused(campaign: Campaign) -> Iterator[Row]:
    """Whole generations in the place of others."""
    row = Row("a generation in the place of another, or `CURRENT` with another's number")
    for (what, change), site in zip(CHANGES.items(), campaign.sites(len(CHANGES)), strict=True):
        change(site.index)
        ended = site.ask().end()
        row.codes[ended.code] += 1
        if site.judge(row, ended) != "refused":
            row.problems.append(f"{what}: {ended.out!r}")
        site.repair(row)
        yield row


def _another_index(site: Site) -> None:
    """An index of the articles as they are now, built from nothing, in the place of the old one."""
    shutil.rmtree(site.index)
    site.run(*REBUILD)


def _a_link(site: Site) -> None:
    site.index.rename(site.folder / "old")
    site.index.symlink_to("new")
    site.run(*REBUILD, "--index", "new")


def replaced(campaign: Campaign) -> Iterator[Row]:
    """The folder is built anew, or reached by a link that now leads elsewhere, under an engine."""
    from qabot.answering.engine import Engine
    from qabot.settings import Settings

    settings = Settings(cache=str(cache_folder()), threads=1)
    row = Row("an index is built anew, or its link switched, under an open engine")
    for change, site in zip((_another_index, _a_link), campaign.sites(2), strict=True):
        with Engine.open(site.index, settings=settings) as engine:
            before = told_by(engine)
            change(site)
            after = told_by(engine)
        row.codes[0] += 1
        state = site.state_of(after)
        row.states[state] += 1
        if site.state_of(before) != "before" or state != "after":
            row.problems.append(f"{change.__name__}: answers {state}")
        site.repair(row)
        yield row


_FOR_REBUILDS = ("LOCK", "CURRENT.new", "encoded.sqlite", "files.seen")
_PLACED: dict[str, Change] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def misplaced(campaign: Campaign, names: list[str]) -> Iterator[Row]:
    """A pipe, a folder or a link in the place of each file; the lock and the next CURRENT, too."""
    row = Row("a pipe, a folder or a broken link in the place of each file of the index")
    cases = [(name, what) for name in [*names, *_FOR_REBUILDS] for what in _PLACED]
    for (name, what), site in zip(cases, campaign.sites(len(cases)), strict=True):
        path = site.index / name
        path.unlink(missing_ok=True)
        _PLACED[what](path)
        ended = site.ask().end()
        row.codes[ended.code] += 1
        state = site.judge(row, ended)
        inside = name.startswith(("generations/", "segments/"))
        # The lock, and what a rebuild writes next, are nothing that readers need.
        if state == "after" or (state == "before") != (name in _FOR_REBUILDS):
            row.problems.append(f"{what} as {name}: {state}")
        # Only what is not in a generation or segment may have to be removed by hand: that is said.
        if not inside:
            ended = site.run(*REBUILD)
            if ended.code != 0 and f"{name}: " not in ended.err:
                row.problems.append(f"{what} as {name}: the rebuild says {ended.err!r}")
            _remove(path)
        site.repair(row)
        yield row

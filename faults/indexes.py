"""Indexes whose files are damaged, each in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from faults.site import Campaign, Row

Damage = Callable[[Path], object]


def _flipped(place: float) -> Damage:
    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[round(place * (len(content) - 1))] ^= 0x10
        path.write_bytes(content)

    return flip


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: dict[str, tuple[Damage, ...]] = {
    "is removed": (Path.unlink,),
    "is cut short": (_cut, _empty),
    "has one bit flipped, at three places": (_flipped(0), _flipped(0.5), _flipped(1)),
}


def files() -> list[str]:
    """All files of an index, below its folder."""
    from qabot.index.manifest import FILES, NAME, SEGMENT_FILES

    segment = (f"segments/3-1/{name}" for name in SEGMENT_FILES)
    return ["CURRENT", *segment, *(f"generations/3/{name}" for name in (*FILES, NAME))]


def damaged(campaign: Campaign, what: str, names: list[str]) -> Iterator[Row]:
    """Each file is damaged in each of the ways that ``what`` names."""
    row = Row(f"each file of the index {what}")
    cases = [(name, damage) for name in names for damage in DAMAGES[what]]
    for (name, damage), site in zip(cases, campaign.sites(len(cases)), strict=True):
        damage(site.index / name)
        ended = site.ask().end()
        row.codes[ended.code] += 1
        state = site.judge(row, ended)
        if state == "after":
            row.problems.append(f"{name}: answers of articles that were not indexed yet")
        # Without CURRENT there is no index at all, and that is said.
        if state == "refused" and name != "CURRENT" and f"index/{name}" not in ended.err:
            row.problems.append(f"{name} is not named: {ended.err!r}")
        site.repair(row)
        yield row


def all_gone(campaign: Campaign) -> Iterator[Row]:
    """The whole folder is removed, or all generations."""
    row = Row("the index, or all its generations, are removed")
    for name, site in zip((".", "generations"), campaign.sites(2), strict=True):
        shutil.rmtree(site.index / name)
        ended = site.ask().end()
        row.codes[ended.code] += 1
        if site.judge(row, ended) != "refused":
            row.problems.append(f"{name}: {ended.out!r}")
        site.repair(row)
        yield row

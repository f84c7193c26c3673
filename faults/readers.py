"""Readers whose reads fail, or whose files change while they are open."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import qabot
from faults import models, reads
from faults.corpus import BEFORE
from faults.site import ASK, Campaign, Row

Damage = Callable[[Path], object]
# So many reads of one file are alike.
_OFTEN = 8
_MODELS = (".json", ".npz", ".onnx")
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


def failing_reads(campaign: Campaign, *, step: int) -> Iterator[Row]:
    """Each read of the index and of the models in turn fails, while questions are asked.

    Args:
        step: Take each so-many-th read.
    """
    row = Row("each read of `ask` in turn fails, of the index and of the models")
    number, total = -1, 1
    seen: Counter[str] = Counter()
    while number < total:
        for site in campaign.sites(1):
            # A model that cannot be read is unpacked again: never in the user's own cache.
            cache = site.folder / "cache"
            models.copied_cache(cache)
            harm = reads.failing([site.index, cache, *_packaged_models()], number)
            ended = site.run(*ASK, harm=harm, environment={"QABOT_CACHE": str(cache)})
            if number < 0:
                number, total = 0, reads.count()
                continue
            row.codes[ended.code] += 1
            of_index = f" {site.index}/" in reads.struck()
            if site.judge_begun(row, ended, model=not of_index) == "wrong":
                row.problems.append(reads.struck())
            # Nothing was written: the index is as it was.
            row.repaired += site.texts() == BEFORE
            # Word embeddings are read row by row: of many such reads, some stand for all.
            seen[reads.struck()] += 1
            number += step if seen[reads.struck()] < _OFTEN else step * _OFTEN
            yield row


def _packaged_models() -> list[Path]:
    """The files of models that are in the package."""
    return [path for path in Path(qabot.__file__).parent.rglob("*") if path.suffix in _MODELS]


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

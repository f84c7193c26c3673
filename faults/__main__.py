"""``python -m faults``: the whole campaign; ``--quick`` for a look at each fault."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from faults import (
    chats,
    identities,
    indexes,
    milvus,
    models,
    readers,
    reads,
    rebuilds,
    signals,
    surroundings,
    sweeps,
)
from faults.commands import prepare
from faults.report import render, table
from faults.site import Campaign, Row
from tests.index.milvus_server import Lite

Faults = Callable[[], Iterator[Iterator[Row]]]

_OUTPUT = Path("docs/reliability.md")
_SLOW = "surroundings"
_GROUPS = ["rebuilds", "index", "bytes", "readers", "model", "signals", "milvus", _SLOW]
_KILLS = 100
_SEED = 20211225


def main() -> None:
    """Run it; exit with 1 if anything was lost or answered wrongly."""
    arguments = _arguments()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if not reads.loaded():
        reads.begin_anew()
    prepare()
    started = time.monotonic()
    rows = []
    with tempfile.TemporaryDirectory(prefix="qabot-faults-") as folder:
        campaign = Campaign(Path(folder))
        groups = _faults(campaign, arguments.kills, arguments.seed, quick=arguments.quick)
        for name in arguments.only or groups:
            rows += [_come_of(runs) for runs in groups[name]()]
    quick = " --quick" if arguments.quick else ""
    command = f"python -m faults{quick} --kills {arguments.kills} --seed {arguments.seed}"
    if arguments.only:
        print(table(rows))
    else:
        arguments.output.write_text(render(rows, command, time.monotonic() - started), "utf-8")
        print(f"written to {arguments.output}")
    sys.exit(any(row.problems for row in rows))


def _come_of(runs: Iterator[Row]) -> Row:
    """Run one kind of fault to its end, and tell what came of it."""
    row = Row("")
    for row in runs:
        _progress(row)
    _progress(row, end="\n")
    for problem in row.problems:
        print(f"    {problem}")
    return row


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few faults of most kinds, in a minute or so"
    )
    parser.add_argument("--kills", type=int, default=_KILLS, help="rebuilds killed at random")
    parser.add_argument("--seed", type=int, default=_SEED, help="of all that is drawn by chance")
    parser.add_argument(
        "--only",
        action="append",
        choices=_GROUPS,
        help="these faults only (may be given several times): the table goes to the terminal",
    )
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="where the table is written")
    arguments = parser.parse_args()
    if arguments.quick and _SLOW in (arguments.only or ()):
        parser.error(f"--quick leaves {_SLOW} out: run it without")
    return arguments


def _faults(campaign: Campaign, kills: int, seed: int, *, quick: bool) -> dict[str, Faults]:
    """Group → the faults in it, each a function that begins it."""
    groups = {
        "rebuilds": lambda: _rebuilds(campaign, kills, seed, quick=quick),
        "index": lambda: _indexes(campaign, quick=quick),
        "bytes": lambda: (
            sweeps.swept(campaign, what, seed, quick=quick) for what in sweeps.SWEEPS
        ),
        "readers": lambda: _readers(campaign, quick=quick),
        "model": lambda: _models(campaign, quick=quick),
    }
    groups["signals"] = lambda: _signals(campaign, seed, quick=quick)
    groups["milvus"] = lambda: _milvus(campaign, seed, quick=quick)
    if not quick:
        groups[_SLOW] = lambda: _surroundings(campaign, seed)
    return groups


def _rebuilds(campaign: Campaign, kills: int, seed: int, *, quick: bool) -> Iterator[Iterator[Row]]:
    writes = rebuilds.writes(campaign)
    numbers = list(range(len(writes)))
    moves = list(range(sum(write.moves for write in writes)))
    sizes = rebuilds.file_sizes(campaign)
    # The power may fail when all is written, too.
    cuts = [*numbers, len(writes)]
    if quick:
        kills, numbers, moves, sizes = 2, numbers[5::25], moves[-1:], sizes[3:4]
        cuts = cuts[-3:]
    yield rebuilds.killed_at_random(campaign, kills, seed)
    yield rebuilds.killed_at_writes(campaign, numbers)
    yield rebuilds.killed_after_moves(campaign, moves)
    yield rebuilds.killed_while_encoding(campaign, [1] if quick else [1, 2, 4, 6])
    for error in list(rebuilds.ERRORS)[: 1 if quick else None]:
        yield rebuilds.failing_writes(campaign, numbers, error)
    yield rebuilds.limited_files(campaign, sizes)
    yield rebuilds.power_cuts(campaign, cuts, seed)


def _indexes(campaign: Campaign, *, quick: bool) -> Iterator[Iterator[Row]]:
    files = indexes.files()[3:4] if quick else indexes.files()
    for what in indexes.DAMAGES:
        yield indexes.damaged(campaign, what, files)
    yield identities.confused(campaign)
    yield identities.replaced(campaign)
    yield identities.misplaced(campaign, files)
    if not quick:
        yield indexes.all_gone(campaign)


def _readers(campaign: Campaign, *, quick: bool) -> Iterator[Iterator[Row]]:
    files = [name for name in indexes.files() if not name.endswith(("CURRENT", "manifest.json"))]
    if reads.loaded():
        yield readers.failing_reads(campaign, step=40 if quick else 1)
        for who in chats.TALKS:
            for lasting in (False, True):
                yield chats.failing_reads(campaign, who, step=40 if quick else 1, lasting=lasting)
    for what in readers.CHANGES:
        yield readers.changed_files(campaign, what, files[2:3] if quick else files)


def _models(campaign: Campaign, *, quick: bool) -> Iterator[Iterator[Row]]:
    for silent in (False, True):
        cases = models.cases(silent=silent)
        yield models.damaged(campaign, cases[:1] if quick else cases, silent=silent)


def _signals(campaign: Campaign, seed: int, *, quick: bool) -> Iterator[Iterator[Row]]:
    commands = signals.COMMANDS[:1] if quick else signals.COMMANDS
    for number in signals.SIGNALS:
        yield signals.ended(campaign, number, commands, 1 if quick else 4, seed)
    yield signals.killed_watches(campaign, 1 if quick else 8, seed)


def _surroundings(campaign: Campaign, seed: int) -> Iterator[Iterator[Row]]:
    yield surroundings.wrong_clock(campaign)
    yield surroundings.vanishing_sources(campaign)
    yield surroundings.crowds(campaign, rounds=5)
    yield surroundings.killed_readers(campaign, 10, seed)
    yield surroundings.held_generations(campaign)


def _milvus(campaign: Campaign, seed: int, *, quick: bool) -> Iterator[Iterator[Row]]:
    if not milvus.prepared():
        return
    with (
        tempfile.TemporaryDirectory(prefix="qabot-milvus-") as folder,
        Lite(Path(folder) / "data") as server,
    ):
        for what in list(milvus.FAULTS)[: 1 if quick else None]:
            for who in milvus.COMMANDS:
                yield milvus.failing(campaign, server, what, who, 1 if quick else 5, seed)


def _progress(row: Row, end: str = "") -> None:
    if end or sys.stdout.isatty():
        told = ", ".join(f"{count} {state}" for state, count in sorted(row.states.items()))
        print(f"\r{row.fault}: {told}; {len(row.problems)} problems", end=end, flush=True)


if __name__ == "__main__":
    main()

"""``python -m faults``: the whole campaign; ``--quick`` for a look at each fault."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from faults import indexes, rebuilds, surroundings
from faults.commands import prepare
from faults.report import render
from faults.site import Campaign, Row

_OUTPUT = Path("docs/reliability.md")
_KILLS = 100
_SEED = 20211225


def main() -> None:
    """Run it; exit with 1 if anything was lost or answered wrongly."""
    arguments = _arguments()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    prepare()
    started = time.monotonic()
    rows = []
    with tempfile.TemporaryDirectory(prefix="qabot-faults-") as folder:
        campaign = Campaign(Path(folder))
        for runs in _faults(campaign, arguments.kills, arguments.seed, quick=arguments.quick):
            row = Row("")
            for row in runs:
                _progress(row)
            rows.append(row)
            _progress(row, end="\n")
            for problem in row.problems:
                print(f"    {problem}")
    quick = " --quick" if arguments.quick else ""
    command = f"python -m faults{quick} --kills {arguments.kills} --seed {arguments.seed}"
    arguments.output.write_text(render(rows, command, time.monotonic() - started), "utf-8")
    print(f"written to {arguments.output}")
    sys.exit(any(row.problems for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few faults of most kinds, in half a minute"
    )
    parser.add_argument("--kills", type=int, default=_KILLS, help="rebuilds killed at random")
    parser.add_argument("--seed", type=int, default=_SEED, help="of all that is drawn by chance")
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="where the table is written")
    return parser.parse_args()


def _faults(campaign: Campaign, kills: int, seed: int, *, quick: bool) -> Iterator[Iterator[Row]]:
    writes = rebuilds.writes(campaign)
    numbers = list(range(len(writes)))
    moves = list(range(sum(write.moves for write in writes)))
    sizes, files = rebuilds.file_sizes(campaign), indexes.files()
    if quick:
        kills, numbers, moves = 2, numbers[5::25], moves[-1:]
        sizes, files = sizes[3:4], files[3:4]
    yield rebuilds.killed_at_random(campaign, kills, seed)
    yield rebuilds.killed_at_writes(campaign, numbers)
    yield rebuilds.killed_after_moves(campaign, moves)
    for error in list(rebuilds.ERRORS)[: 1 if quick else None]:
        yield rebuilds.failing_writes(campaign, numbers, error)
    yield rebuilds.limited_files(campaign, sizes)
    yield rebuilds.power_cuts(campaign, numbers, seed)
    for what in indexes.DAMAGES:
        yield indexes.damaged(campaign, what, files)
    if quick:
        return
    yield indexes.all_gone(campaign)
    yield surroundings.wrong_clock(campaign)
    yield surroundings.vanishing_sources(campaign)
    yield surroundings.crowds(campaign, rounds=5)
    yield surroundings.killed_readers(campaign, 10, seed)
    yield surroundings.held_generations(campaign)


def _progress(row: Row, end: str = "") -> None:
    if end or sys.stdout.isatty():
        told = ", ".join(f"{count} {state}" for state, count in sorted(row.states.items()))
        print(f"\r{row.fault}: {told}; {len(row.problems)} problems", end=end, flush=True)


if __name__ == "__main__":
    main()

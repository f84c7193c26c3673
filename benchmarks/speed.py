"""Measure speed and memory: cold and warm questions, rebuilds. One run, on one machine.

    python -m benchmarks.speed [SOURCE...] [--rounds N]

Alternatives run in turn, in several rounds, and medians are reported, since machines are noisy:
trust the ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from qabot.answering.engine import Engine
from qabot.encoders import PACKAGED, open_encoder
from qabot.encoders.e5.packaged import unpack
from qabot.index import IndexStore
from qabot.indexing.encoding_plan import passage_input
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings

QUESTIONS = (
    "who is on the PyTorch Foundation board?",
    "Wie viel kostet das Deutschlandticket?",
    "¿cuántos días duró la erupción?",
    "はやぶさ2の試料は何グラムですか？",
    "嫦娥五号带回了多少样品？",
    "quand la cathédrale a-t-elle rouvert ?",
    "when did the probe enter orbit around Mars?",
    "who won the 2014 world cup?",
)


def main() -> None:
    """Measure everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=["seeds"])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cache = Settings().cache_folder
    unpack(cache, print)
    table = Table("what", "measured", "goal", title=machine())
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        encoder = open_encoder(PACKAGED, cache=cache)
        rebuild(IndexStore(index), encoder, IndexPlan(tuple(options.sources), cache))
        _cold(table, index, options.rounds)
        _warm(table, index, options.rounds)
        _unchanged(table, index, options.sources, options.rounds)
        _throughput(table, Path(folder), options.sources, min(options.rounds, 3))
    Console().print(table)


def machine() -> str:
    """Describe the machine."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{time.strftime('%Y-%m-%d')}"
    )


# A process's peak memory includes that of its parent, so a small process starts it.
_LAUNCHER = """
import os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, _, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss / 1024)
os._exit(0)
"""


def _run(*arguments: str) -> tuple[float, float]:
    """Run one `qabot` process: wall seconds and peak MB."""
    command = [sys.executable, "-c", "from qabot.cli import main; main()", *arguments]
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command], capture_output=True, text=True, check=True
    )
    seconds, megabytes = map(float, launched.stdout.split())
    return seconds, megabytes


def _cold(table: Table, index: Path, rounds: int) -> None:
    """With the reader and without it, in turn."""
    modes = {"": (), ", --no-reader": ("--no-reader",)}
    runs: dict[str, list[tuple[float, float]]] = {mode: [] for mode in modes}
    for _ in range(rounds):
        for mode, flags in modes.items():
            runs[mode].append(_run("ask", "--index", str(index), *flags, QUESTIONS[0]))
    for mode, (goal, room) in zip(modes, (("1.5", 400), ("1.2", 300)), strict=True):
        seconds, memory = (statistics.median(values) for values in zip(*runs[mode], strict=True))
        name = f"cold `ask`{mode}"
        table.add_row(f"{name}, process start to answer", f"{seconds:.2f} s", f"≤ {goal} s")
        table.add_row(f"{name}, peak memory", f"{memory:.0f} MB", f"≤ {room} MB")


def _warm(table: Table, index: Path, rounds: int) -> None:
    """With the reader and without it, in turn."""
    read, plain = Engine.open(index), Engine.open(index, settings=Settings(reader="none"))
    with read, plain:
        times: dict[str, list[float]] = {"": [], ", no reader": []}
        for number in range(4 * rounds + 1):
            for engine, name in zip((read, plain), times, strict=True):
                for question in QUESTIONS:
                    took = _seconds(lambda e=engine, q=question: e.ask(q)) * 1000  # type: ignore[misc]
                    # The first round fills caches.
                    times[name] += [took] if number else []
    for (name, values), goal in zip(times.items(), (150, 12), strict=True):
        middle, slow = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        table.add_row(
            f"warm question{name}, median / 95th percentile",
            f"{middle:.1f} / {slow:.1f} ms",
            f"≤ {goal} ms",
        )


def _unchanged(table: Table, index: Path, sources: list[str], rounds: int) -> None:
    starts = [_run("--help")[0] for _ in range(rounds)]
    runs = [_run("rebuild", "--index", str(index), *sources)[0] for _ in range(rounds)]
    whole, start = statistics.median(runs), statistics.median(starts)
    table.add_row(
        "rebuild, nothing changed, after start",
        f"{whole - start:.2f} s ({whole:.2f} s in all)",
        "≤ 1 s",
    )


def _throughput(table: Table, folder: Path, sources: list[str], rounds: int) -> None:
    """Compare rebuilds with sentence-transformers encoding only the passages, in turn."""
    from sentence_transformers import SentenceTransformer

    cache = Settings().cache_folder
    encoder = open_encoder(PACKAGED, cache=cache)
    store = IndexStore(folder / "throughput")
    plan = IndexPlan(tuple(sources), cache)
    full = replace(plan, full=True)
    rebuild(store, encoder, plan)
    generation = store.open()
    texts = []
    for row in generation.rows.tolist():
        passage, info = generation.database.passage(row)
        texts.append(passage_input(info.title, passage))
    generation.close()
    torch = SentenceTransformer(str(unpack(cache).folder))
    torch.encode_document(texts[:8])
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: rebuild(store, encoder, full)))
        theirs.append(_seconds(lambda: torch.encode_document(texts)))
    mine, other = (len(texts) / statistics.median(values) for values in (ours, theirs))
    table.add_row("rebuild, passages and sentences", f"{mine:.1f} passages/s", "")
    table.add_row("sentence-transformers fp32, passages alone", f"{other:.1f} passages/s", "")
    table.add_row("ratio of the two", f"{mine / other:.2f}", "≥ 0.9")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

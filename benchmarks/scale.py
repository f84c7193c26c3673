"""Measure how retrieval and rebuilds grow with the index, without a model.

    python -m benchmarks.scale [--sizes 1000 10000 100000] [--data FOLDER] [--folder DIR]
        [--picture FILE]

Articles of ten passages are put together from real sentences that stand near one another: in the
seed articles, or in the contexts of FOLDER's ``*.jsonl.gz``. Their vectors come from a stand-in for
the model, which adds up a random vector for each word, so that texts about one matter lie together.

Up to 10,000 passages are built from their articles. A larger index is ten copies of the next
smaller one under other names, each with noise of its own in all its vectors; up to 100,000 passages
the copies are then merged into one segment. Each step is a process of its own. With `--folder`,
articles and indexes stay there.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.scale_articles import (
    COPIES,
    UNSPACED,
    WordEncoder,
    change,
    copy_articles,
    write_articles,
)
from benchmarks.scale_copies import grow
from benchmarks.scale_picture import drawn
from benchmarks.scale_recall import BEST, NEAREST, Exact, recalls
from benchmarks.speed import machine
from qabot.answering.retrieval import Retriever
from qabot.index import IndexStore
from qabot.indexing import merging
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild

_QUESTIONS, _WARM_UP = 60, 10
# Of a sentence without spaces, as long as six words.
_CHARACTERS = 20
_BUILT, _MERGED = 10_000, 100_000
_STEPS = ("build", "ask", "change one", "ask again", "change 0.1 %", "ask at last")


def main() -> None:
    """Measure all sizes and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--data", type=Path, help="real text: a folder of contexts")
    parser.add_argument("--folder", type=Path, help="keep articles and indexes here")
    parser.add_argument("--picture", type=Path, help="draw the curves into this file (SVG)")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        _run(options.step, options.folder)
        return
    runs: dict[int, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            folder = (options.folder or Path(temporary)) / str(size)
            _make_articles(folder, size, options.data)
            runs[size] = {step: _measured(step, folder) for step in _STEPS}
            print(json.dumps({size: runs[size]}), flush=True)
    if options.picture:
        options.picture.write_text(drawn(runs), "utf-8")
    Console(width=160).print(_table(runs))


def _measured(step: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale", "--step", step, "--folder", str(folder)]
    # A child's peak memory counts what its parent had when it was forked.
    launcher = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", launcher, *command], stdout=-1, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _run(step: str, folder: Path) -> None:
    """Do one step and print its figures."""
    if step == "build":
        shutil.rmtree(folder / "index", ignore_errors=True)
    if step.startswith("ask"):
        found = _ask(folder)
    elif step == "build" and int(folder.name) > _BUILT:
        found = _grow(folder)
    else:
        if step.startswith("change"):
            change(folder / "articles", everything=step.endswith("%"))
        found = _rebuild(folder)
    found["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


def _rebuild(folder: Path) -> dict[str, float]:
    encoder = WordEncoder()
    marks: dict[str, float] = defaultdict(float)
    last, stage = time.process_time(), "opening"

    def report(progress: Any) -> None:
        nonlocal last, stage
        now = time.process_time()
        marks[stage] += now - last
        last, stage = now, progress.stage

    started, used = time.perf_counter(), time.process_time()
    plan = IndexPlan((str(folder / "articles"),), folder / "cache")
    summary = rebuild(IndexStore(folder / "index"), encoder, plan, report)
    seconds = time.perf_counter() - started
    marks[stage] += time.process_time() - last
    return {
        "s": seconds,
        "CPU s": time.process_time() - used,
        "without encoding, CPU s": time.process_time() - used - encoder.seconds,
        "passages": summary.passages,
        **{f"– {name}, CPU s": value for name, value in marks.items()},
    }


def _grow(folder: Path) -> dict[str, float]:
    passages = grow(_smaller(folder), folder)
    if int(folder.name) > _MERGED:
        return {"passages": passages}
    change(folder / "articles", everything=False)
    with mock.patch.object(merging, "dissolved", lambda sizes, added: set(range(len(sizes)))):
        return _rebuild(folder)


def _make_articles(folder: Path, size: int, data: Path | None) -> None:
    """Write the articles of an index of ``size`` passages, and the smaller indexes it is made of.

    Raises:
        SystemExit: The size is not one that copies make.
    """
    if (folder / "articles").exists():
        return
    if size <= _BUILT:
        write_articles(folder / "articles", size, data)
        return
    if size % COPIES:
        sys.exit(f"{size:,}: no ten times a smaller size")
    smaller = _smaller(folder)
    _make_articles(smaller, size // COPIES, data)
    if not (smaller / "index").exists():
        _measured("build", smaller)
    copy_articles(smaller / "articles", folder / "articles")


def _smaller(folder: Path) -> Path:
    return folder.parent / str(int(folder.name) // COPIES)


def _ask(folder: Path) -> dict[str, float]:
    encoder, store = WordEncoder(), IndexStore(folder / "index")
    before = resident()
    started, used = time.perf_counter(), time.process_time()
    generation = store.open()
    retriever = Retriever(generation, encoder)
    opened, computed = time.perf_counter() - started, time.process_time() - used
    questions = questions_of(folder, random.Random(1))
    vectors = generation.subspace.queries(encoder.encode_query(questions))
    raw = encoder.encode_query(questions)
    spans: dict[str, list[float]] = defaultdict(list)
    found: dict[str, list[Any]] = defaultdict(list)
    for question, vector, whole in zip(questions, vectors, raw, strict=True):
        parts: dict[str, Callable[[], Any]] = {
            "question": partial(retriever.search, question, BEST, vector=whole),
            "words": partial(generation.lexical.search, question, 50),
            "vectors": partial(generation.vectors.search, vector, NEAREST),
        }
        for name, work in parts.items():
            begun, used = time.perf_counter(), time.process_time()
            with generation.reading():
                found[name].append(work())
            spans[f"{name}, ms"].append((time.perf_counter() - begun) * 1000)
            spans[f"{name}, CPU ms"].append((time.process_time() - used) * 1000)
    figures = {"opening, s": opened, "opening, CPU s": computed}
    figures |= {"resident MB": resident() - before, "segments": len(generation.manifest.segments)}
    for name, times in spans.items():
        figures[name] = float(np.median(times[_WARM_UP:]))
        figures[f"{name} (95 %)"] = float(np.quantile(times[_WARM_UP:], 0.95))
    paths = [path for path in store.folder.rglob("*") if path.is_file()]
    figures["disk MB"] = sum(path.stat().st_size for path in paths) / 1e6
    figures |= recalls(generation, vectors, [rows for _, rows in found["vectors"]])
    exact = Exact(generation, vectors)
    generation.__dict__["vectors"] = exact
    shares = []
    for question, whole, hits in zip(questions, raw, found["question"], strict=True):
        best = retriever.search(question, BEST, vector=whole)
        known = {(hit.article.id, hit.passage.start) for hit in hits}
        shares.append(np.mean([(hit.article.id, hit.passage.start) in known for hit in best]))
    figures["three signals, recall@10"] = float(np.mean(shares))
    generation.close()
    return figures


def questions_of(folder: Path, chance: random.Random) -> list[str]:
    """Some words of a sentence of an article, each, or as much in a language without spaces."""
    articles = sorted((folder / "articles").rglob("*.md"))
    found: list[str] = []
    while len(found) < _QUESTIONS:
        path = chance.choice(articles)
        words = path.read_text("utf-8").split()[12:]
        at = chance.randrange(max(1, len(words) - 12))
        unspaced = path.suffixes[0][1:3] in UNSPACED  # Of "zh-Hant", too.
        asked = max(words[at : at + 12], key=len) if unspaced else " ".join(words[at : at + 12 : 2])
        found.append(asked[: _CHARACTERS if unspaced else 300] + "?")
    return found


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _table(runs: dict[int, dict[str, dict[str, float]]]) -> Table:
    table = Table("", *(f"{size:,}" for size in runs), title=machine())
    for step in _STEPS:
        for name in dict.fromkeys(name for run in runs.values() for name in run[step]):
            values = [run[step].get(name) for run in runs.values()]
            cells = ["" if value is None else f"{value:,.2f}" for value in values]
            table.add_row(f"{step}: {name}", *cells)
    return table


if __name__ == "__main__":
    main()

"""Compare speed and size: each system in turn, in several rounds; medians and ratios."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparison import Column, Parallel, evenly, table, three_digits
from benchmarks.harness import ASKERS
from benchmarks.systems import SYSTEMS, Runner

_QUESTIONS = 100
_COLUMNS = {
    "documents_per_second": Column("rebuild (paragraphs/s)", three_digits, with_ratio=True),
    "cold_seconds": Column("cold start to first answer (s)", three_digits, False, True),
    "resident_mb": Column("resident memory after it (MB)", three_digits, False, True),
    "p50": Column("warm question, p50 (ms)", three_digits, False, True),
    "p95": Column("p95 (ms)", three_digits, False, True),
    "questions_per_second": Column(f"questions/s, {ASKERS} askers", three_digits, with_ratio=True),
    "disk_mb": Column("index on disk (MB)", three_digits, False, True),
    "change_seconds": Column("rebuild after one change (s)", three_digits, False, True),
}


def measure(
    runner: Runner,
    systems: Sequence[str],
    corpus: Parallel,
    model: str,
    command: Callable[[str], str],
    *,
    documents: int,
    rounds: int,
) -> list[str]:
    """Write the section on speed and size, as lines of Markdown."""
    chosen = evenly(corpus.pool, documents)
    questions = [question for part in corpus.questions.values() for question in part]
    asked = evenly(questions, _QUESTIONS)
    task: dict[str, Any] = {
        "model": model,
        "documents": chosen,
        "questions": [{"text": q.text, "language": q.language} for q in asked],
        "changed": {**chosen[0], "text": f"{chosen[0]['text']} {chosen[-1]['text']}"},
    }
    runs: dict[str, list[dict[str, float]]] = {system: [] for system in systems}
    for number in range(1, rounds + 1):
        for system in systems:
            print(f"Round {number} of {rounds}: {SYSTEMS[system].title} …", file=sys.stderr)
            runs[system].append(_run(runner, system, task))
    rows = {
        system: {name: statistics.median(run[name] for run in runs[system]) for name in _COLUMNS}
        for system in systems
    }
    head = (
        f"{len(chosen)} paragraphs, {len(asked)} questions; medians of {rounds} rounds in turn; "
        "in brackets, how many times qabot's."
    )
    return [head, "", *table(_COLUMNS, rows, command)]


def _run(runner: Runner, system: str, task: dict[str, Any]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        given = {**task, "folder": str(Path(folder) / "index")}
        result, _ = runner.run(system, {**given, "mode": "speed"})
        opened, cold = runner.run(system, {**given, "mode": "cold"})
    warm = result.pop("warm_ms")
    result.pop("versions")
    return {
        **result,
        "cold_seconds": cold,
        "resident_mb": opened["resident_mb"],
        "p50": statistics.median(warm),
        "p95": statistics.quantiles(warm, n=20, method="inclusive")[-1],
    }

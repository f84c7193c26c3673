"""Compare quality: which system ranks the right paragraph first, in which languages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import ir_measures
import numpy as np

from benchmarks.comparison import Asked, Column, Parallel, table
from benchmarks.systems import SYSTEMS, Runner

_DEPTH = 50
_POOL = "all languages"


def _share(value: float) -> str:
    return f"{value:.3f}"


_COLUMNS = {
    "same R@1": Column("one language: Recall@1", _share),
    "same RR@10": Column("MRR@10", _share),
    "across R@1": Column("across languages: Recall@1", _share),
    "across RR@10": Column("MRR@10 across", _share),
    "pool Success@1": Column("mixed pool: right one first", _share),
    "pool AP@50": Column("mixed pool: mean average precision", _share),
}


def measure(
    runner: Runner,
    systems: Sequence[str],
    corpus: Parallel,
    model: str,
    command: Callable[[str], str],
) -> tuple[list[str], dict[str, str]]:
    """Write the section on quality, as lines of Markdown, with the versions of the peers."""
    questions = [question for part in corpus.questions.values() for question in part]
    task = {
        "mode": "quality",
        "model": model,
        "indexes": {**corpus.documents, _POOL: corpus.pool},
        "questions": [{"text": q.text, "language": q.language} for q in questions],
        "depth": _DEPTH,
    }
    rows: dict[str, dict[str, float]] = {}
    versions: dict[str, str] = {}
    for system in systems:
        print(f"Quality: {SYSTEMS[system].title} …", file=sys.stderr)
        result, _ = runner.run(system, task)
        rows[system] = _figures(corpus, questions, result["rankings"])
        if SYSTEMS[system].is_peer:
            versions |= result["versions"]
    # One language has no pairs across.
    columns = {name: column for name, column in _COLUMNS.items() if name in rows[systems[0]]}
    return table(columns, rows, command), versions


def _figures(
    corpus: Parallel, questions: Sequence[Asked], rankings: dict[str, list[list[str]]]
) -> dict[str, float]:
    """Average each measure over pairs of languages."""
    same: list[dict[str, float]] = []
    across: list[dict[str, float]] = []
    for articles in corpus.languages:
        for asked in corpus.languages:
            chosen = [n for n, question in enumerate(questions) if question.language == asked]
            values = _measured(
                {n: [f"{articles}/{questions[n].paragraph}"] for n in chosen},
                {n: rankings[articles][n] for n in chosen},
                [ir_measures.R @ 1, ir_measures.RR @ 10],
            )
            (same if asked == articles else across).append(values)
    pool = _measured(
        {
            n: [f"{language}/{question.paragraph}" for language in corpus.languages]
            for n, question in enumerate(questions)
        },
        dict(enumerate(rankings[_POOL])),
        [ir_measures.Success @ 1, ir_measures.AP @ _DEPTH],
    )
    kinds = {"same": same, "across": across, "pool": [pool]}
    return {
        f"{kind} {name}": float(np.mean([values[name] for values in part]))
        for kind, part in kinds.items()
        for name in (part[0] if part else ())
    }


def _measured(
    wanted: dict[int, list[str]], found: dict[int, list[str]], measures: list[Any]
) -> dict[str, float]:
    """Average each measure over the questions."""
    qrels = {str(n): dict.fromkeys(names, 1) for n, names in wanted.items()}
    run = {
        str(n): {name: -float(place) for place, name in enumerate(names)}
        for n, names in found.items()
    }
    values = ir_measures.calc_aggregate(measures, qrels, run)
    return {str(measure): float(value) for measure, value in values.items()}

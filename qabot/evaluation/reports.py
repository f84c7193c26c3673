"""Report measurements: JSON objects for programs, tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from qabot.evaluation.comparison import Difference
from qabot.evaluation.figures import METRICS, Figure
from qabot.evaluation.measurement import Group, Measurement

# The figures shown per group of questions: column → metric. JSON has all of them.
_BY_GROUP = {
    "article R@1": "article_recall@1",
    "passage R@1": "passage_recall@1",
    "MRR@10": "passage_mrr@10",
    "quote @1": "quote_hit@1",
    "@3": "quote_hit@3",
    "F1": "highlight_f1",
    "right": "accuracy",
}
# The same for each kind of question without an answer.
_BY_KIND = {"auroc": "auroc", "answered": "wrongly_answered"}


@dataclass(frozen=True, slots=True)
class Run:
    """A measurement, with what was measured.

    Attributes:
        file: The labelled questions.
        index: The index or settings file, as the user named it.
        generation: The number of the index generation.
        encoder: The name of the embedding model.
    """

    file: str
    index: str
    generation: int
    encoder: str
    measurement: Measurement


def run_object(run: Run) -> dict[str, Any]:
    """Make a run's JSON object; undefined figures are null."""
    measured = run.measurement
    return {
        "file": run.file,
        "index": {"name": run.index, "generation": run.generation, "encoder": run.encoder},
        "threshold": measured.threshold,
        "questions": measured.count,
        "answerable": measured.answerable,
        "figures": _figures(measured.figures),
        "groups": [
            {
                "name": group.name,
                "asked": group.asked,
                "article": group.answered,
                "questions": group.count,
                "figures": _figures(group.figures),
            }
            for group in measured.groups
        ],
        "kinds": [
            {"why": kind.name, "questions": kind.count, "figures": _figures(kind.figures)}
            for kind in measured.kinds
        ],
        "risk_coverage": [_rounded(asdict(point)) for point in measured.risk],
        "calibration": [_rounded(asdict(part)) for part in measured.calibration],
        "latency_ms": {name: round(value, 1) for name, value in measured.latency_ms.items()},
    }


def comparison_object(first: Run, second: Run, by: Mapping[str, Difference]) -> dict[str, Any]:
    """Make the JSON object of two runs: the first, with ``compared`` and ``differences``."""
    differences = {
        name: {**_rounded(asdict(difference)), "significant": difference.significant}
        for name, difference in by.items()
    }
    return {**run_object(first), "compared": run_object(second), "differences": differences}


def render_run(run: Run) -> RenderableType:
    """Render a run as tables: all questions, then by pair of languages."""
    measured = run.measurement
    table = _table("metric", "figure", "95 % interval", "questions")
    table.add_column("meaning")
    for name, figure in measured.figures.items():
        numbers = (_number(figure.value), _range(figure), str(figure.count))
        table.add_row(name, *numbers, Text(_meaning(name), "dim"))
    latency = " / ".join(f"{value:.1f}" for value in measured.latency_ms.values())
    names = " / ".join(measured.latency_ms)
    return Stack(
        *_head(run),
        Text(),
        table,
        Text(),
        _table_of_groups("question → article", measured.groups, _BY_GROUP),
        Text(),
        *_kinds(measured.kinds),
        Text(f"Milliseconds to an answer, {names}: {latency}"),
    )


def render_comparison(first: Run, second: Run, by: Mapping[str, Difference]) -> RenderableType:
    """Render two runs side by side; a star marks significant differences."""
    table = _table("metric", "first", "second", "difference", "95 % interval", "p")
    for name, difference in by.items():
        values = (run.measurement.figures[name].value for run in (first, second))
        star = "*" if difference.significant else ""
        table.add_row(
            name,
            *map(_number, values),
            _signed(difference.value) + star,
            _range(difference, signed=True),
            _number(difference.p),
        )
    latency = [
        " / ".join(f"{value:.1f}" for value in run.measurement.latency_ms.values())
        for run in (first, second)
    ]
    names = " / ".join(first.measurement.latency_ms)
    return Stack(
        *_head(first, "first:  "),
        *_head(second, "second: "),
        Text(),
        table,
        Text(),
        Text(f"Milliseconds to an answer, {names}: {latency[0]}, then {latency[1]}"),
        Text("* significant at 5 %", "dim"),
    )


def _head(run: Run, title: str = "") -> Iterator[Text]:
    measured = run.measurement
    yield Text.assemble(
        title,
        (run.index, "bold"),
        f" (generation {run.generation}, {run.encoder}, threshold {measured.threshold:g}): "
        f"{measured.count} questions of {run.file}, "
        f"{measured.count - measured.answerable} without an answer",
    )


def _kinds(kinds: tuple[Group, ...]) -> Iterator[RenderableType]:
    if kinds:
        yield _table_of_groups("no answer", kinds, _BY_KIND)
        yield Text()


def _table_of_groups(title: str, groups: tuple[Group, ...], shown: Mapping[str, str]) -> Table:
    """Make a table with a row per group.

    Args:
        shown: Column → metric.
    """
    table = _table(title, "questions", *shown)
    for group in groups:
        values = (_number(group.figures[metric].value) for metric in shown.values())
        table.add_row(group.name, str(group.count), *values)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _meaning(name: str) -> str:
    metric = METRICS[name]
    return metric.meaning if metric.higher_is_better else f"{metric.meaning} (less is better)"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _range(figure: Figure | Difference, *, signed: bool = False) -> str:
    if figure.low is None or figure.high is None:
        return "–"
    if signed:
        return f"{figure.low:+.3f} to {figure.high:+.3f}"
    return f"{figure.low:.3f}–{figure.high:.3f}"


def _figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: _rounded(asdict(figure)) for name, figure in figures.items()}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in values.items()
    }

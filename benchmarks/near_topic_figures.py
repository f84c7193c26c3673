"""Answers to near-topic questions → figures, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.near_topic_data import Row
from qabot.evaluation import calibration

Figures = Mapping[str, float | None]
"""By name; ``None`` where no question tells the figure."""

_NAMES = {
    "questions": "questions",
    "answerable": "of them with an answer",
    "auroc": "AUROC, with an answer against without",
    "answered_with": "answered, of those with an answer",
    "answered_without": "answered, of those without",
    "first": "first quote holds the answer",
    "any": "one of the quotes does",
    "precision": "share of shown quotes that do",
    "quotes": "quotes in an answer",
    "f1": "highlight F1 of the first quote",
    "calibration_answerable": "calibration error, confidence: is there an answer",
    "calibration_first": "calibration error, confidence: does the first quote hold it",
    "calibration_quotes": "calibration error, each quote's score",
    "median_ms": "milliseconds a question, median",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """The figures of one setting.

    Attributes:
        kinds: ``why`` → figures of the questions without an answer of that kind.
    """

    every: Figures
    one_language: Figures
    across_languages: Figures
    kinds: Mapping[str, Figures]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Setting:
        """The figures of ``rows``."""
        having = [row for row in rows if row.item.answers]
        kinds: dict[str, Figures] = {}
        for why in sorted({row.item.why for row in rows if not row.item.answers}):
            part = [row for row in rows if not row.item.answers and row.item.why == why]
            kinds[why] = {
                "questions": len(part),
                "auroc": _auroc([*having, *part]),
                "answered": _mean([bool(row.held) for row in part]),
            }
        return cls(
            _figures(rows),
            _figures([row for row in rows if row.item.language == row.item.article_language]),
            _figures([row for row in rows if row.item.language != row.item.article_language]),
            kinds,
        )


def shares_answered(name: str, lines: Sequence[tuple[str, bool]]) -> Figures:
    """The share of lines that were answered, of all under ``name`` and by kind.

    Args:
        lines: Of each its kind and whether it was answered.
    """
    kinds = sorted({kind for kind, _ in lines} - {"question"})
    return {
        name: _mean([answered for _, answered in lines]),
        **{kind: _mean([done for other, done in lines if other == kind]) for kind in kinds},
    }


def print_settings(settings: Mapping[str, Setting]) -> None:
    """Print the figures of each setting, by its name, as tables of Markdown."""
    if not settings:
        return
    columns = {}
    for name, setting in settings.items():
        columns[name] = setting.every
        columns[f"{name}, one language"] = setting.one_language
        columns[f"{name}, across"] = setting.across_languages
    _line("", *columns)
    _line(*["---"] * (len(columns) + 1))
    for key, meaning in _NAMES.items():
        _line(meaning, *(_text(figures[key]) for figures in columns.values()))
    for name, setting in settings.items():
        print()
        _line(f"{name}, no answer", *setting.kinds)
        _line(*["---"] * (len(setting.kinds) + 1))
        for key in ("questions", "auroc", "answered"):
            _line(key, *(_text(figures[key]) for figures in setting.kinds.values()))


def print_figures(title: str, figures: Figures) -> None:
    """Print figures as one row, if there are any."""
    if not figures:
        return
    print()
    _line(title, *figures)
    _line(*["---"] * (len(figures) + 1))
    _line("", *(_text(value) for value in figures.values()))


def _figures(rows: Sequence[Row]) -> Figures:
    having = [row for row in rows if row.item.answers]
    answered = [row for row in rows if row.held]
    return {
        "questions": len(rows),
        "answerable": len(having),
        "auroc": _auroc(rows),
        "answered_with": _mean([bool(row.held) for row in having]),
        "answered_without": _mean([bool(row.held) for row in rows if not row.item.answers]),
        "first": _mean([any(row.held[:1]) for row in having]),
        "any": _mean([any(row.held) for row in having]),
        "precision": _mean([held for row in rows for held in row.held]),
        "quotes": _mean([len(row.held) for row in answered]),
        "f1": _mean([row.overlap for row in having]),
        "calibration_answerable": _calibration_error(
            [(row.confidence, bool(row.item.answers)) for row in rows]
        ),
        # Of those answered only: nobody sees the quote that was not shown.
        "calibration_first": _calibration_error(
            [(row.confidence, row.held[0]) for row in answered]
        ),
        "calibration_quotes": _calibration_error(
            [pair for row in rows for pair in zip(row.scores, row.held, strict=True)]
        ),
        "median_ms": float(np.median([row.elapsed_ms for row in rows])) if rows else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _auroc(rows: Sequence[Row]) -> float | None:
    answerable = np.array([bool(row.item.answers) for row in rows], bool)
    if answerable.all() or not answerable.any():
        return None
    confidence = np.array([row.confidence for row in rows])
    return float(calibration.auroc(confidence, answerable, np.ones((1, len(rows))))[0])


def _calibration_error(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """How far probabilities are from what was so, bin by bin."""
    if not pairs:
        return None
    likely, true = np.array([p for p, _ in pairs]), np.array([t for _, t in pairs], bool)
    return float(calibration.calibration_error(likely, true, np.ones((1, len(pairs))))[0])


def _line(*cells: str) -> None:
    print("|", " | ".join(cells), "|")


def _text(value: float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.0f}" if value > 3 else f"{value:.3f}"
